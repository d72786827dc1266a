"""The picture of an explanation: tomorrow as a waterfall from the usual level to the median, the week as stacked bars.

The panel is opaque and near white, so that it reads the same in print, on a light page and on a dark one. Blue raises,
rust lowers: told apart by people with any colour vision, and every bar of tomorrow has its number.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_training.explanation.split import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_explanation"]

PANEL, INK, MUTED = "#fcfcfa", "#1f2430", "#6b7280"
RAISES, LOWERS = "#1b6ca8", "#b4531a"
SHADES = (
    "#12405f",
    "#1b6ca8",
    "#5fa3d0",
    "#b9d6ea",
    "#7a3a12",
    "#b4531a",
    "#dd9a6c",
    "#f0cdb3",
    "#4b5563",
    "#9ca3af",
)
PARAMETERS: dict[str, Any] = {
    "svg.fonttype": "path", "font.family": ["DejaVu Sans"], "font.size": 8.0, "axes.edgecolor": MUTED,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "text.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.facecolor": PANEL, "figure.facecolor": PANEL, "savefig.facecolor": PANEL,
}  # fmt: skip
SEEN_MS = 0.05
"""Smaller parts are not drawn."""


def draw_explanation(explained: dict[str, Any], path: Path) -> Path:
    """Draw what ``explain_latest`` gives as SVG; the same explanation gives the same bytes.

    Returns
    -------
    Path
        Where it was written.
    """
    import matplotlib
    from matplotlib.figure import Figure

    issue = explained["issue"]
    with matplotlib.rc_context(PARAMETERS | {"svg.hashsalt": f"{issue['origin_day']}-{issue['slot']}"}):
        figure = Figure(figsize=(10, 4.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        _tomorrow(left, explained)
        _week(right, explained)
        figure.suptitle(
            f"HRV forecast of {issue['origin_day']}, {issue['slot']}: what it is made of", fontsize=10
        )
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return path


def _tomorrow(axes: Axes, explained: dict[str, Any]) -> None:
    night, labels = explained["nights"][0], explained["labels"]
    parts = rounded({"base": night["base_ms"]} | night["parts_ms"])
    base = parts.pop("base")
    shown = {group: ms for group, ms in parts.items() if abs(ms) >= SEEN_MS}
    steps = [(labels["base"], 0.0, base, INK)]
    at = base
    for group, ms in sorted(shown.items(), key=lambda item: -abs(item[1])):
        steps.append((labels[group], at, ms, RAISES if ms > 0 else LOWERS))
        at += ms
    steps.append(("tomorrow's median", 0.0, at, INK))
    for y, (_, start, ms, colour) in enumerate(steps):
        axes.barh(y, ms, left=start, color=colour, height=0.62)
        ends = y in (0, len(steps) - 1)
        text = f"{ms:.1f} ms" if ends else f"{ms:+.1f}".replace("-", "\u2212")
        axes.annotate(
            text, (max(start, start + ms), y), xytext=(4, 0), textcoords="offset points", va="center"
        )
    reach = [start for _, start, _, _ in steps[1:-1]] + [base, at]
    span = max(max(reach) - min(reach), 0.05 * base)
    axes.set_xlim(max(0.0, min(reach) - 0.6 * span), max(reach) + 0.5 * span)
    axes.set_yticks(range(len(steps)), [name for name, *_ in steps])
    axes.invert_yaxis()
    axes.set(xlabel="RMSSD, ms (the axis does not begin at 0)", title=f"Tomorrow, {night['target_day']}")


def _week(axes: Axes, explained: dict[str, Any]) -> None:
    nights, labels = explained["nights"], explained["labels"]
    days = [night["target_day"][5:] for night in nights]
    up, down = [0.0] * len(nights), [0.0] * len(nights)
    groups = {g: max(abs(n["parts_ms"].get(g, 0.0)) for n in nights) for g in labels if g != "base"}
    shown = [group for group, most in sorted(groups.items(), key=lambda item: -item[1]) if most >= SEEN_MS]
    for group, colour in zip(shown, _shades(len(shown)), strict=True):
        heights = [night["parts_ms"].get(group, 0.0) for night in nights]
        bottoms = [up[k] if ms > 0 else down[k] for k, ms in enumerate(heights)]
        axes.bar(
            days, heights, bottom=bottoms, color=colour, edgecolor=PANEL, linewidth=0.6, label=labels[group]
        )
        for k, ms in enumerate(heights):
            (up if ms > 0 else down)[k] += ms
    total = [night["median_ms"] - night["base_ms"] for night in nights]
    axes.plot(days, total, "D", color=INK, markeredgecolor=PANEL, markersize=5, label="median")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set(ylabel="ms from your usual level", title="The week")
    axes.tick_params(axis="x", labelrotation=45)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncol=2, frameon=False, fontsize=7)


def _shades(count: int) -> list[str]:
    return [SHADES[k % len(SHADES)] for k in range(count)]
