// Drawings with Observable Plot, in the page's own colours, redrawn when their place changes its width.
"use strict";

const PLOT_CLASS = "hrvplot"; // the policy lets through the style element of this class and no other

function ink(name) { return `var(--${name})`; }

function draw(place, make) {
  if (!place) return;
  const again = () => {
    const width = Math.max(280, Math.floor(place.clientWidth));
    const figure = make(width);
    figure.setAttribute("aria-hidden", "true"); // the place has the words, the table has the numbers
    place.replaceChildren(figure);
  };
  again();
  let last = place.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(place.clientWidth - last) > 4) { last = place.clientWidth; again(); }
  }).observe(place);
  return again;
}

function shortDay(text) {
  return new Date(`${text}T12:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", timeZone: "UTC" });
}
