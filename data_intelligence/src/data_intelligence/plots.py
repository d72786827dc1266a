"""The three plots of a daily summary: the nights with the fan, reliability, effects (or skill where none are known)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from data_intelligence.figure import ACCENT, BAND, INK, MUTED, WARM, new_figure, say_nothing, to_svg
from data_intelligence.nights import usable_hrv
from hrv_shared.constants import AGENT, MODEL_COMBINATION, NAIVE_FORECASTERS, PRODUCT, QUANTILE_LEVELS

if TYPE_CHECKING:
    from data_intelligence.daily import DayView

__all__ = ["draw_plots", "effects_plot", "history_plot", "reliability_plot"]

SHOWN_DAYS, SHOWN_EFFECTS, PIT_BINS = 60, 12, 10
FANS = ((0.05, 0.95, 0.16), (0.10, 0.90, 0.22), (0.25, 0.75, 0.32))


def draw_plots(view: DayView) -> tuple[str, str, str]:
    """SVG texts of the history, reliability and effects plots; equal views give equal bytes."""
    return history_plot(view), reliability_plot(view), effects_plot(view)


def history_plot(view: DayView) -> str:
    """Sixty nights with the baseline band, and the forecast fan of the product (else the mix, else a model)."""
    figure, axes = new_figure(9.0, 3.6)
    origin, base = view.summary.issue.origin_day, view.summary.baseline
    values = usable_hrv(view.history)
    days = [origin - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1)]
    nights = np.array([values.get(day, np.nan) for day in days])
    x = np.arange(-SHOWN_DAYS + 1, 1)
    if base.mean_60d_ms is not None:
        axes.axhline(base.mean_60d_ms, color=MUTED, linewidth=1.0, linestyle="--", label="60-day mean")
        if base.sd_60d_ms is not None:
            low, high = base.mean_60d_ms - base.sd_60d_ms, base.mean_60d_ms + base.sd_60d_ms
            axes.axhspan(low, high, color=BAND, alpha=0.45, linewidth=0, label="mean ± 1 sd")
    axes.plot(x, nights, color=INK, linewidth=1.0, marker="o", markersize=3.0, label="scored nights")
    missing = x[~np.isfinite(nights)]
    if len(missing) and np.isfinite(nights).any():
        foot = np.full(len(missing), np.nanmin(nights))
        axes.plot(
            missing, foot, color=WARM, marker="x", markersize=4.0, linestyle="none", label="no usable night"
        )
    name = _shown_forecaster(view.rows)
    if name is not None:
        _fan(axes, view.rows.filter(pl.col("forecaster") == name), name)
    ticks = [t for t in range(-SHOWN_DAYS + 1, 8) if (origin + timedelta(days=t)).weekday() == 0]
    axes.set_xticks(ticks, [f"{origin + timedelta(days=t):%d %b}" for t in ticks])
    axes.set_xlim(-SHOWN_DAYS, 8)
    axes.set_ylabel("RMSSD (ms)")
    axes.set_title(f"Nightly HRV to {origin} and the forecast", loc="left", fontsize=10, color=INK)
    axes.legend(loc="upper left", fontsize=7, frameon=False, ncols=4)
    axes.margins(y=0.18)
    return to_svg(
        figure,
        f"history-{view.summary.issue.origin_day}",
        "HRV of the last 60 nights with baseline and forecast",
    )


def reliability_plot(view: DayView) -> str:
    """PIT histogram of the product (else mix): flat means that the bands mean what they say."""
    figure, axes = new_figure(9.0, 3.2)
    title = "Reliability and calibration of the forecasts"
    salt = f"reliability-{view.summary.issue.origin_day}"
    shown = view.scores.filter(~pl.col("void"), pl.col("horizon") == 1)
    name = next((n for n in (PRODUCT, MODEL_COMBINATION) if n in set(shown["forecaster"])), None)
    if name is None:
        say_nothing(axes, "No forecast of this slot has been scored yet.")
        return to_svg(figure, salt, title)
    own = shown.filter(pl.col("forecaster") == name).sort("book", "origin_day")
    inside = own.unique(["origin_day", "horizon"], keep="first", maintain_order=True)
    values, n = inside["pit"].to_numpy(), len(inside)
    live = inside.filter(pl.col("book") == "live").height
    counts, edges = np.histogram(values, bins=PIT_BINS, range=(0.0, 1.0))
    axes.bar(
        edges[:-1], counts / n, width=1 / PIT_BINS, align="edge", color=ACCENT, alpha=0.75, edgecolor="white"
    )
    expected = 1 / PIT_BINS
    spread = 1.645 * np.sqrt(expected * (1 - expected) / n)
    axes.axhspan(max(expected - spread, 0.0), expected + spread, color=BAND, alpha=0.6, linewidth=0, zorder=0)
    axes.axhline(expected, color=INK, linewidth=1.0, linestyle="--")
    shares = ", ".join(f"{100 * inside[f'in_{m}'].mean():.0f}% in the {m}% band" for m in (50, 80, 95))
    axes.set_xlabel("where the night fell in its forecast (0 = below all, 1 = above all)")
    axes.set_ylabel("share of nights")
    axes.set_title(
        f"Reliability of {name}, next night, n={n} ({live} live): {shares}",
        loc="left",
        fontsize=10,
        color=INK,
    )
    axes.text(0.995, 0.96, "shaded: 90 % of what chance alone would give", transform=axes.transAxes, ha="right",
              va="top", fontsize=7, color=MUTED)  # fmt: skip
    axes.set_xlim(0, 1)
    return to_svg(figure, salt, title)


def effects_plot(view: DayView) -> str:
    """Effects with 80 and 95 % intervals; without any, the skill over time."""
    effects = view.summary.effects[:SHOWN_EFFECTS]
    salt = f"effects-{view.summary.issue.origin_day}"
    if not effects:
        return _skill_over_time(view, salt)
    figure, axes = new_figure(9.0, 1.2 + 0.32 * len(effects))
    for at, effect in enumerate(reversed(effects)):
        colour = (ACCENT if effect.effect_pct > 0 else WARM) if effect.clear else MUTED
        axes.plot([effect.low95_pct, effect.high95_pct], [at, at], color=colour, linewidth=1.2)
        axes.plot(
            [effect.low80_pct, effect.high80_pct],
            [at, at],
            color=colour,
            linewidth=4.0,
            solid_capstyle="butt",
        )
        axes.plot(effect.effect_pct, at, color=INK, marker="o", markersize=4.0)
    labels = [
        f"{e.text} (n={e.n_yes}{', looking back' if e.retrospective else ''})" for e in reversed(effects)
    ]
    axes.set_yticks(range(len(effects)), labels)
    axes.axvline(0.0, color=INK, linewidth=0.8, linestyle=":")
    axes.set_ylim(-0.7, len(effects) - 0.3)
    axes.set_xlabel(
        "adjusted association with the next night's RMSSD (%), 80 and 95 % interval; grey: may well be nothing"
    )
    axes.set_title("Personal effects", loc="left", fontsize=10, color=INK)
    return to_svg(figure, salt, "Personal effects with intervals")


def _skill_over_time(view: DayView, salt: str) -> str:
    figure, axes = new_figure(9.0, 3.2)
    title = "Cumulative skill of the forecast over time"
    shown = view.scores.filter(~pl.col("void"), pl.col("horizon") == 1)
    wide = (
        shown.sort("book", descending=True)
        .unique(["target_day", "forecaster"], keep="first", maintain_order=True)
        .pivot(on="forecaster", index="target_day", values="crps_ms")
        .sort("target_day")
    )
    naive = [c for c in NAIVE_FORECASTERS if c in wide.columns]
    name = next((n for n in (PRODUCT, MODEL_COMBINATION) if n in wide.columns), None)
    if name is None or not naive:
        say_nothing(axes, "No personal effect is known yet, and no forecast has been scored.")
        return to_svg(figure, salt, title)
    best = min(naive, key=lambda c: (wide.drop_nulls(naive)[c].mean() or np.inf, c))
    both = wide.drop_nulls([name, best])
    skill = 100 * (1 - both[name].cum_sum() / both[best].cum_sum())
    axes.plot(np.arange(1, len(both) + 1), skill.to_numpy(), color=ACCENT, linewidth=1.6)
    axes.axhline(0.0, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel("scored nights")
    axes.set_ylabel("skill (%)")
    axes.set_title(
        f"Cumulative skill of {name} against {best}, next night", loc="left", fontsize=10, color=INK
    )
    return to_svg(figure, salt, title)


def _shown_forecaster(rows: pl.DataFrame) -> str | None:
    present = set(rows["forecaster"])
    ranked = [n for n in (PRODUCT, MODEL_COMBINATION) if n in present]
    others = sorted(present - {AGENT})
    return (ranked or others or [None])[0]


def _fan(axes, rows: pl.DataFrame, name: str) -> None:
    rows = rows.sort("horizon")
    x = rows["horizon"].to_numpy()
    quantiles = np.array(rows["quantiles_ms"].to_list())
    for low, high, alpha in FANS:
        below, above = (quantiles[:, QUANTILE_LEVELS.index(level)] for level in (low, high))
        axes.fill_between(x, below, above, color=ACCENT, alpha=alpha, linewidth=0)
    median = quantiles[:, QUANTILE_LEVELS.index(0.5)]
    axes.plot(
        x,
        median,
        color=ACCENT,
        linewidth=1.6,
        marker="o",
        markersize=3.0,
        label=f"forecast ({name}): 50/80/90 %",
    )
