"""Plots of how good the forecasts have been: reliability and PIT, skill over time, the calendar of misses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import polars as pl

from data_intelligence.figure import (
    ACCENT,
    BAND,
    GREEN,
    INK,
    MUTED,
    PANEL,
    WARM,
    Margins,
    new_axes,
    new_figure,
    say_nothing,
    to_svg,
)
from hrv_shared.constants import NAIVE_FORECASTERS, QUANTILE_LEVELS
from hrv_shared.scoring import skill_interval

__all__ = ["PIT_BINS", "calendar_svg", "pit_counts", "reliability_svg", "skill_svg"]

PIT_BINS = 10
SHOWN_WEEKS = 27
STEPS = 40
LINES = ((ACCENT, "-", "o"), (WARM, "--", "s"), (GREEN, ":", "^"), (MUTED, "-.", "D"))
TWO_SIDED_90 = 1.6449


def pit_counts(values: np.ndarray) -> np.ndarray:
    """How many nights fell into each tenth of their forecast [10]."""
    return np.histogram(values, bins=PIT_BINS, range=(0.0, 1.0))[0]


def reliability_svg(pit_of: Mapping[str, np.ndarray], salt: str) -> str:
    """Left: each quantile level against the share of nights below it. Right: PIT histogram of the first forecaster.

    Parameters
    ----------
    pit_of : mapping forecaster -> ndarray [N] in [0, 1]
        Next-night PIT values; at most four are drawn.
    """
    title = "Reliability and calibration of the forecasts"
    if not pit_of:
        figure, axes = new_figure(9.0, 3.2)
        say_nothing(axes, "No forecast of this slot has been scored yet.")
        return to_svg(figure, salt, title)
    figure, (left, right) = new_axes(9.0, 3.4, 2, ratios=(1.0, 1.35))
    name, first = next(iter(pit_of.items()))
    n = len(first)
    levels = np.array(QUANTILE_LEVELS)
    spread = TWO_SIDED_90 * np.sqrt(levels * (1 - levels) / n)
    left.fill_between(levels, levels - spread, levels + spread, color=BAND, alpha=0.6, linewidth=0)
    left.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":")
    for (who, values), (colour, line, mark) in zip(list(pit_of.items())[:4], LINES, strict=False):
        below = [(values <= level).mean() for level in levels]
        left.plot(
            levels, below, color=colour, linestyle=line, marker=mark, markersize=2.8, linewidth=1.2,
            label=f"{who} (n={len(values)})",
        )  # fmt: skip
    left.set_xlabel("level said")
    left.set_ylabel("share of nights below it")
    left.set_xlim(0, 1)
    left.set_ylim(0, 1)
    left.legend(loc="upper left", fontsize=7, frameon=False, labelcolor=INK)
    left.set_title("Says and holds", loc="left", fontsize=10, color=INK)
    counts = pit_counts(first)
    edges = np.arange(PIT_BINS) / PIT_BINS
    right.bar(edges, counts / n, width=1 / PIT_BINS, align="edge", color=ACCENT, alpha=0.75, edgecolor=PANEL)
    expected = 1 / PIT_BINS
    wide = TWO_SIDED_90 * np.sqrt(expected * (1 - expected) / n)
    right.axhspan(max(expected - wide, 0.0), expected + wide, color=BAND, alpha=0.6, linewidth=0, zorder=0)
    right.axhline(expected, color=INK, linewidth=1.0, linestyle="--")
    held = [100 * (np.abs(first - 0.5) <= mass / 2 + 1e-9).mean() for mass in (0.5, 0.8, 0.95)]
    shares = ", ".join(f"{share:.0f} % in {mass} %" for share, mass in zip(held, (50, 80, 95), strict=True))
    right.set_xlabel("where the night fell in its forecast (0 below all, 1 above all)")
    right.set_ylabel("share of nights")
    right.set_xlim(0, 1)
    right.set_title(f"{name}, next night, n={n}: {shares}", loc="left", fontsize=9, color=INK)
    right.set_ylim(0, 1.15 * max(float(counts.max()) / n, expected + wide))
    right.text(0.995, 0.985, "shaded: 90 % of what chance alone gives", transform=right.transAxes, ha="right",
               va="top", fontsize=7, color=MUTED)  # fmt: skip
    told = (
        f"{name}, {n} nights: {shares} bands. Nights by tenth of the forecast: {', '.join(map(str, counts))}."
    )
    return to_svg(figure, salt, title, told)


def skill_svg(scores: pl.DataFrame, name: str | None, salt: str, *, seed: int = 0) -> str:
    """Cumulative skill of ``name`` against the best naive rule, with its 90 % block-bootstrap interval.

    Parameters
    ----------
    scores : DataFrame
        Rows of one book, slot and horizon, without void ones.
    """
    figure, axes = new_figure(9.0, 3.2)
    title = "Cumulative skill of the forecast over time"
    wide = (
        scores.sort("n")
        .unique(["target_day", "forecaster"], keep="last", maintain_order=True)
        .pivot(on="forecaster", index="target_day", values="crps_ms")
        .sort("target_day")
    )
    naive = [c for c in NAIVE_FORECASTERS if c in wide.columns]
    if name is None or name not in wide.columns or not naive:
        say_nothing(axes, "No forecast has been scored beside a naive rule yet.")
        return to_svg(figure, salt, title)
    common = wide.drop_nulls([name, *naive])
    if common.is_empty():
        say_nothing(axes, "No night has been scored for the forecast and the naive rules alike.")
        return to_svg(figure, salt, title)
    best = min(naive, key=lambda c: (common[c].mean(), c))
    own, reference = common[name].to_numpy(), common[best].to_numpy()
    nights = np.arange(1, len(own) + 1)
    skill = 100 * (1 - np.cumsum(own) / np.cumsum(reference))
    at = np.unique(np.linspace(14, len(own), STEPS).astype(int)) if len(own) >= 14 else np.array([], int)
    bands = [skill_interval(own[:k], reference[:k], seed=seed) for k in at]
    if bands:
        low, high = 100 * np.array(bands).T
        axes.fill_between(at, low, high, color=ACCENT, alpha=0.22, linewidth=0, label="90 % interval")
    axes.plot(nights, skill, color=ACCENT, linewidth=1.6, label=f"{name} against {best}")
    axes.axhline(0.0, color=INK, linewidth=0.8, linestyle=":")
    shown = np.concatenate([skill[6:], *(np.array(bands[1:]).T * 100)]) if len(bands) > 2 else skill
    low_end, high_end = max(float(np.min(shown)), -60.0), min(float(np.max(shown)), 60.0)
    axes.set_ylim(low_end - 4, high_end + 4)
    ticks = np.unique(np.linspace(0, len(own) - 1, min(len(own), 7)).astype(int))
    axes.set_xticks(ticks + 1, [f"{common['target_day'][int(t)]}\nnight {t + 1}" for t in ticks], fontsize=7)
    axes.set_ylabel("skill (%), above 0 is better")
    axes.legend(loc="upper right", fontsize=7, frameon=False, labelcolor=INK, ncols=2)
    axes.set_title(f"Skill since {common['target_day'][0]}: {name} against the best naive rule, next night",
                   loc="left", fontsize=10, color=INK)  # fmt: skip
    told = f"After {len(own)} nights the skill is {skill[-1]:+.1f} %"
    told += f", 90 % interval {100 * bands[-1][0]:+.1f} to {100 * bands[-1][1]:+.1f} %." if bands else "."
    return to_svg(figure, salt, title, told)


def calendar_svg(scores: pl.DataFrame, name: str, last: date, salt: str) -> str:
    """The last half year, a square a night: how far out of its forecast it fell, and on which side.

    Parameters
    ----------
    scores : DataFrame
        Next-night rows of ``name``, without void ones.
    """
    figure, axes = new_figure(9.0, 2.5, margins=Margins(left=0.3, bottom=0.22, right=0.02))
    if scores.is_empty():
        say_nothing(axes, "No night has been scored yet.")
        return to_svg(figure, salt, "Calendar of misses")
    axes.grid(visible=False)
    monday = last - timedelta(days=last.weekday() + 7 * (SHOWN_WEEKS - 1))
    pit_on = dict(zip(scores["target_day"], scores["pit"], strict=True))
    missed, known = 0, 0
    for week in range(SHOWN_WEEKS):
        for weekday in range(7):
            day = monday + timedelta(days=7 * week + weekday)
            if day > last:
                continue
            value = pit_on.get(day)
            known += value is not None
            missed += value is not None and not 0.1 <= value <= 0.9
            _square(axes, week, weekday, value)
    months = [w for w in range(SHOWN_WEEKS) if (monday + timedelta(days=7 * w)).day <= 7]
    names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    axes.set_xticks(months, [names[(monday + timedelta(days=7 * w)).month - 1] for w in months])
    axes.set_yticks(range(7), "Mon Tue Wed Thu Fri Sat Sun".split())
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_xlim(-0.6, SHOWN_WEEKS - 0.4 + 5.2)
    axes.set_ylim(6.6, -0.6)
    axes.set_aspect("equal")
    _calendar_key(axes, SHOWN_WEEKS + 0.3)
    axes.set_title(f"Calendar of misses: {name}, next night, by wake day", loc="left", fontsize=10, color=INK)
    told = f"{missed} of {known} scored nights fell outside the 80 % band."
    return to_svg(figure, salt, "Calendar of misses", told)


def _square(axes, x: float, y: float, value: float | None) -> None:
    from matplotlib.patches import Rectangle

    face, alpha, sign = _look(value)
    box = {"linewidth": 0.5, "edgecolor": BAND} if value is None else {"linewidth": 0}
    axes.add_patch(Rectangle((x - 0.44, y - 0.44), 0.88, 0.88, facecolor=face, alpha=alpha, **box))
    if sign:
        axes.plot(x, y, marker=sign, color=PANEL if alpha > 0.8 else INK, markersize=4.5, markeredgewidth=1.2)


def _look(value: float | None) -> tuple[str, float, str]:
    """Colour, opacity and sign; the sign carries what colour says, for grey print and colour-blind readers."""
    if value is None:
        return PANEL, 1.0, ""
    colour = ACCENT if value > 0.5 else WARM
    sign = "+" if value > 0.5 else "_"
    if not 0.025 <= value <= 0.975:
        return colour, 1.0, sign
    if not 0.1 <= value <= 0.9:
        return colour, 0.55, sign
    return (BAND, 0.9, "") if 0.25 <= value <= 0.75 else (BAND, 0.55, "")


def _calendar_key(axes, x: float) -> None:
    rows = ((0.5, "in the 50 % band"), (0.2, "in the 80 %"), (0.93, "above 80 %"), (0.99, "above 95 %"),
            (0.07, "below 80 %"), (0.01, "below 95 %"), (None, "not scored"))  # fmt: skip
    for y, (value, words) in enumerate(rows):
        _square(axes, x, y, value)
        axes.text(x + 0.8, y, words, fontsize=6.5, va="center", color=INK)
