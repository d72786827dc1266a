// The sliders ask the same models again; the newest question wins.
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  const form = document.getElementById("controls");
  if (!form) return;
  const touched = new Set();
  let answer = await asked("/api/tonight").then((told) => told.answer).catch((error) => { showTrouble(error.message); return null; });
  if (!answer) return;
  let running = null;
  let timer = 0;

  const redraw = draw(document.getElementById("fan"), (width) => {
    const nights = answer.nights.map((n) => ({ ...n, day: width < 420 ? shortDay(n.target_day).slice(0, 2) : shortDay(n.target_day) }));
    const known = { x: "day" };
    return Plot.plot({
      className: PLOT_CLASS, width, height: Math.min(330, Math.max(230, width * 0.5)), marginLeft: 36,
      style: { background: "none", fontSize: "12px" },
      x: { type: "point", label: null, domain: nights.map((n) => n.day) }, y: { label: "RMSSD, ms", grid: true, nice: true },
      marks: [
        Plot.areaY(nights, { ...known, y1: (n) => n.after_ms.low, y2: (n) => n.after_ms.high, fill: ink("blue"), fillOpacity: 0.22, curve: "monotone-x" }),
        Plot.lineY(nights, { ...known, y: (n) => n.before_ms.median, stroke: ink("quiet"), strokeDasharray: "5 4", strokeWidth: 1.5, curve: "monotone-x" }),
        Plot.lineY(nights, { ...known, y: (n) => n.after_ms.median, stroke: ink("blue"), strokeWidth: 2.5, curve: "monotone-x" }),
        Plot.dot(nights, { ...known, y: (n) => n.after_ms.median, r: (n) => (n.horizon === 1 ? 6 : 3.5), fill: ink("blue") }),
      ],
    });
  });

  function clock(minutes) {
    const at = ((minutes % 1440) + 1440) % 1440;
    return `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  }

  function wished() {
    const said = {};
    for (const field of form.elements) {
      if (!field.name || !touched.has(field.name)) continue;
      if (field.name === "bedtime") {
        const [hours, minutes] = field.dataset.usual.split(":").map(Number);
        said.bedtime = clock(hours * 60 + minutes + Number(field.value));
      } else if (field.type === "checkbox") { said[field.name] = field.checked ? 1 : 0; }
      else { said[field.name] = Number(field.value); }
    }
    return said;
  }

  function tell(field) {
    const output = document.getElementById(`o-${field.name}`);
    if (!output) return;
    if (field.name === "bedtime") {
      const [hours, minutes] = field.dataset.usual.split(":").map(Number);
      output.textContent = clock(hours * 60 + minutes + Number(field.value));
      field.setAttribute("aria-valuetext", output.textContent);
    } else {
      output.textContent = touched.has(field.name) || field.dataset.known === "1" ? `${field.value} ${field.dataset.unit}` : "not said";
    }
  }

  function show() {
    const first = answer.nights[0];
    document.getElementById("after").textContent = Math.round(first.after_ms.median);
    const shift = document.getElementById("shift");
    const moved = Math.abs(first.shift_ms) >= 0.05;
    shift.textContent = moved ? `${first.shift_ms > 0 ? "+" : "−"}${Math.abs(first.shift_ms).toFixed(1)} ms` : "as it stands";
    shift.className = `shift ${moved ? (first.shift_ms > 0 ? "up" : "down") : ""}`;
    const scenario = answer.scenarios[0];
    document.getElementById("bedtime-says").textContent = scenario && Math.abs(scenario.hours_later) >= 0.1
      ? `Asleep ${Math.abs(scenario.hours_later).toFixed(1)} h ${scenario.hours_later > 0 ? "later" : "earlier"} than usual (${scenario.usual}): `
        + `${scenario.shift_ms > 0 ? "+" : "−"}${Math.abs(scenario.shift_ms).toFixed(1)} ms in other people (${scenario.low_ms.toFixed(1)} … ${scenario.high_ms.toFixed(1)}). ${scenario.note}`
      : "";
    document.getElementById("note").textContent = answer.note;
    document.getElementById("numbers").replaceChildren(...answer.nights.map((n) => {
      const row = document.createElement("tr");
      const cells = [shortDay(n.target_day), n.before_ms.median.toFixed(1), n.after_ms.median.toFixed(1), n.shift_ms.toFixed(1)];
      cells.forEach((text, k) => {
        const cell = document.createElement(k ? "td" : "th");
        if (!k) cell.scope = "row";
        cell.textContent = text;
        row.append(cell);
      });
      return row;
    }));
    redraw();
    form.dataset.answered = String(Date.now());
  }

  async function question() {
    if (running) running.abort();
    running = new AbortController();
    const began = performance.now();
    try {
      answer = await postJson("/api/what-if", wished(), { signal: running.signal });
      show();
      form.dataset.tookMs = String(Math.round(performance.now() - began));
    } catch (error) {
      if (error.name !== "AbortError") showTrouble(error.message);
    }
  }

  form.addEventListener("input", (event) => {
    touched.add(event.target.name);
    tell(event.target);
    clearTimeout(timer);
    timer = setTimeout(question, 40);
  });
  form.addEventListener("reset", () => {
    touched.clear();
    setTimeout(() => { for (const field of form.elements) if (field.name) tell(field); question(); }, 0);
  });
  for (const field of form.elements) if (field.type === "range" && field.name !== "bedtime") tell(field);
});
