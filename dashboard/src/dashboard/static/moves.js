// Effects with their intervals, strongest loss first.
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  const place = document.getElementById("effects-plot");
  if (!place) return;
  const data = await asked("/api/moves").catch((error) => { showTrouble(error.message); return null; });
  if (!data) return;
  const rows = data.effects.map((e) => ({ ...e, name: `${e.text}${e.retrospective ? " *" : ""}` }));
  draw(place, (width) => Plot.plot({
    className: PLOT_CLASS, width, height: 46 + rows.length * 28, marginLeft: width < 500 ? 118 : 190, marginRight: 16, marginBottom: 42, inset: 6,
    style: { background: "none", fontSize: "12px" },
    x: { label: "ms, next morning", grid: true }, y: { label: null, domain: rows.map((r) => r.name),
      tickFormat: (text) => (text.length > (width < 500 ? 16 : 28) ? `${text.slice(0, width < 500 ? 15 : 27)}…` : text) },
    marks: [
      Plot.ruleX([0], { stroke: ink("quiet") }),
      Plot.link(rows, { x1: "low95_ms", x2: "high95_ms", y1: "name", y2: "name", stroke: ink("blue"), strokeOpacity: 0.35, strokeWidth: 3 }),
      Plot.link(rows, { x1: "low80_ms", x2: "high80_ms", y1: "name", y2: "name", stroke: ink("blue"), strokeOpacity: 0.7, strokeWidth: 6 }),
      Plot.dot(rows, { x: "effect_ms", y: "name", r: 5, fill: (r) => (r.solid ? ink("ink") : ink("page")), stroke: ink("ink"), strokeWidth: 1.5 }),
    ],
  }));
});
