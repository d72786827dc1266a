// What we said and what came; whether the bands are honest.
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  const data = await asked("/api/track").catch((error) => { showTrouble(error.message); return null; });
  if (!data || !data.nights.length) return;
  const nights = data.nights.map((n) => ({ ...n, at: new Date(`${n.day}T12:00:00Z`) }));
  draw(document.getElementById("nights-plot"), (width) => Plot.plot({
    className: PLOT_CLASS, width, height: Math.min(320, Math.max(220, width * 0.42)), marginLeft: 36,
    style: { background: "none", fontSize: "12px" },
    x: { label: null, type: "utc", ticks: width < 500 ? 4 : 8 }, y: { label: "RMSSD, ms", grid: true, nice: true },
    marks: [
      Plot.areaY(nights, { x: "at", y1: "p10_ms", y2: "p90_ms", fill: ink("blue"), fillOpacity: 0.18, curve: "monotone-x" }),
      Plot.lineY(nights, { x: "at", y: "p50_ms", stroke: ink("blue"), strokeWidth: 2, curve: "monotone-x" }),
      Plot.dot(nights.filter((n) => n.in_80), { x: "at", y: "truth_ms", r: 3, fill: ink("ink") }),
      Plot.dot(nights.filter((n) => !n.in_80), { x: "at", y: "truth_ms", r: 4.5, fill: ink("rust") }),
    ],
  }));
  draw(document.getElementById("pit-plot"), (width) => Plot.plot({
    className: PLOT_CLASS, width, height: 190, marginLeft: 36, marginBottom: 42, style: { background: "none", fontSize: "12px" },
    x: { label: "tenth of our band, low to high", tickFormat: String }, y: { label: "% of mornings", grid: true },
    marks: [
      Plot.barY(data.pit, { x: "tenth", y: "share_pct", fill: ink("blue"), fillOpacity: 0.6 }),
      Plot.ruleY([10], { stroke: ink("rust"), strokeDasharray: "4 3", strokeWidth: 1.5 }), Plot.ruleY([0]),
    ],
  }));
});
