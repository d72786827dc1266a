"""Plots of the nights and of what moves them: the history with its fan, and effects with intervals.

The daily summary has three: history, reliability, effects (or the skill over time where no effect is known).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from data_intelligence.figure import ACCENT, BAND, INK, MUTED, WARM, Margins, new_figure, say_nothing, to_svg
from data_intelligence.nights import usable_hrv
from data_intelligence.skill_plots import reliability_svg, skill_svg
from hrv_shared.constants import AGENT, AGENT_CALIBRATED, MODEL_COMBINATION, PRODUCT, QUANTILE_LEVELS

if TYPE_CHECKING:
    from data_intelligence.daily import DayView
    from data_intelligence.summary import Baseline, EffectRow
    from data_intelligence.weekly_layout import Call

__all__ = ["draw_plots", "effects_plot", "effects_svg", "history_plot", "history_svg", "reliability_plot"]

SHOWN_DAYS, SHOWN_EFFECTS = 60, 12
FANS = ((0.05, 0.95, 0.16), (0.10, 0.90, 0.22), (0.25, 0.75, 0.32))


def draw_plots(view: DayView) -> tuple[str, str, str]:
    """SVG texts of the history, reliability and effects plots; equal views give equal bytes."""
    return history_plot(view), reliability_plot(view), effects_plot(view)


def history_plot(view: DayView) -> str:
    """Sixty nights with the baseline band, and the forecast fan of the product (else the mix, else a model)."""
    issue = view.summary.issue
    return history_svg(
        usable_hrv(view.history),
        view.summary.baseline,
        view.rows,
        issue.origin_day,
        f"history-{issue.origin_day}",
    )


def reliability_plot(view: DayView) -> str:
    """Whether the bands of the product (else mix) mean what they say."""
    name = _spoken(view.scores)
    own = view.scores.filter(~pl.col("void"), pl.col("horizon") == 1, pl.col("forecaster") == (name or ""))
    once = own.sort("book", "origin_day").unique(["origin_day"], keep="first", maintain_order=True)
    return reliability_svg({name: once["pit"].to_numpy()} if name and len(once) else {},
                           f"reliability-{view.summary.issue.origin_day}")  # fmt: skip


def effects_plot(view: DayView) -> str:
    """Effects with 80 and 95 % intervals; without any, the skill over time."""
    salt = f"effects-{view.summary.issue.origin_day}"
    if view.summary.effects:
        return effects_svg(view.summary.effects, salt)
    name = _spoken(view.scores)
    book = "live" if "live" in set(view.scores["book"]) else "replay"
    shown = view.scores.filter(~pl.col("void"), pl.col("horizon") == 1, pl.col("book") == book)
    return skill_svg(shown, name, salt)


def history_svg(
    values: dict[date, float], base: Baseline, rows: pl.DataFrame, origin: date, salt: str,
    calls: Sequence[Call] = (),
) -> str:  # fmt: skip
    """Sixty nights to ``origin`` with the baseline band, and the fan of the coming week from ledger rows.

    Of past nights in ``calls`` the 80 % band is drawn that had been said of them.
    """
    figure, axes = new_figure(9.0, 3.6, margins=Margins(bottom=0.26))
    days = [origin - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1)]
    nights = np.array([values.get(day, np.nan) for day in days])
    x = np.arange(-SHOWN_DAYS + 1, 1)
    if base.mean_60d_ms is not None:
        axes.axhline(base.mean_60d_ms, color=MUTED, linewidth=1.0, linestyle="--", label="60-day mean")
        if base.sd_60d_ms is not None:
            low, high = base.mean_60d_ms - base.sd_60d_ms, base.mean_60d_ms + base.sd_60d_ms
            axes.axhspan(low, high, color=BAND, alpha=0.45, linewidth=0, label="mean ± 1 sd")
    said = [((c.day - origin).days, c.p10_ms, c.p90_ms) for c in calls if c.p10_ms is not None]
    if said:
        axes.vlines(*zip(*said, strict=True), color=ACCENT, alpha=0.3, linewidth=5.0, label="80 % said before")
    axes.plot(x, nights, color=INK, linewidth=1.0, marker="o", markersize=3.0, label="scored nights")
    missing = x[~np.isfinite(nights)]
    if len(missing) and np.isfinite(nights).any():
        foot = np.full(len(missing), np.nanmin(nights))
        axes.plot(
            missing, foot, color=WARM, marker="x", markersize=4.0, linestyle="none", label="no usable night"
        )
    name = _shown_forecaster(rows)
    told = "There is no forecast of the coming week."
    if name is not None:
        own = rows.filter(pl.col("forecaster") == name).sort("horizon")
        told = _fan(axes, own, name)
    ticks = [t for t in range(-SHOWN_DAYS + 1, 8) if (origin + timedelta(days=t)).weekday() == 0]
    axes.set_xticks(ticks, [_short(origin + timedelta(days=t)) for t in ticks])
    axes.set_xlim(-SHOWN_DAYS, 8)
    axes.set_ylabel("RMSSD (ms)")
    axes.set_title(f"Nightly HRV to {origin} and the coming week", loc="left", fontsize=10, color=INK)
    axes.legend(loc="upper left", fontsize=7, frameon=False, labelcolor=INK, ncols=6)
    axes.margins(y=0.18)
    known = f"{int(np.isfinite(nights).sum())} of the last {SHOWN_DAYS} nights are known. "
    return to_svg(figure, salt, "HRV of the last 60 nights with baseline and forecast", known + told)


def effects_svg(effects: Sequence[EffectRow], salt: str) -> str:
    """One line an effect: 95 % thin, 80 % thick, the median as a dot; grey where it may well be nothing."""
    shown = list(effects[:SHOWN_EFFECTS])
    figure, axes = new_figure(9.0, 1.3 + 0.32 * max(len(shown), 2), margins=None)
    title = "Personal effects with intervals"
    if not shown:
        say_nothing(axes, "No personal effect is known yet: no behaviour was logged on a scored night.")
        return to_svg(figure, salt, title)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=BAND, linewidth=0.5)
    for at, effect in enumerate(reversed(shown)):
        colour = (ACCENT if effect.effect_pct > 0 else WARM) if effect.shown else MUTED
        ends = ((effect.low95_pct, effect.high95_pct, 1.2), (effect.low80_pct, effect.high80_pct, 4.5))
        for low, high, width in ends:
            axes.plot([low, high], [at, at], color=colour, linewidth=width, solid_capstyle="butt")
        axes.plot(effect.effect_pct, at, color=INK, marker="o", markersize=4.0)
    labels = [f"{e.text} (n={e.n_yes}{', looking back' if e.retrospective else ''})" for e in reversed(shown)]
    axes.set_yticks(range(len(shown)), labels)
    beside = axes.twinx()
    beside.set_ylim(-0.7, len(shown) - 0.3)
    beside.set_yticks(range(len(shown)), [f"{e.effect_ms:+.1f} ms, {e.label}" for e in reversed(shown)])
    beside.tick_params(length=0, labelcolor=MUTED, labelsize=7)
    beside.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.axvline(0.0, color=INK, linewidth=0.8, linestyle=":")
    axes.set_ylim(-0.7, len(shown) - 0.3)
    axes.set_xlabel("effect on the next night's RMSSD (%); thick 80 %, thin 95 %; grey: may well be nothing")
    axes.set_title("What moves you", loc="left", fontsize=10, color=INK)
    said = "; ".join(
        f"{e.text} {e.effect_pct:+.1f} % ({e.low95_pct:+.1f} to {e.high95_pct:+.1f}), n {e.n_yes}, {e.label}"
        for e in shown
    )
    return to_svg(figure, salt, title, f"Effect and 95 % interval: {said}.")


def _short(day: date) -> str:
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[day.month - 1]
    return f"{day.day} {month}"


def _spoken(scores: pl.DataFrame) -> str | None:
    present = set(scores["forecaster"])
    return next((name for name in (PRODUCT, MODEL_COMBINATION) if name in present), None)


def _shown_forecaster(rows: pl.DataFrame) -> str | None:
    present = set(rows["forecaster"])
    ranked = [n for n in (PRODUCT, MODEL_COMBINATION) if n in present]
    others = sorted(present - {AGENT, AGENT_CALIBRATED})
    return (ranked or others or [None])[0]


def _fan(axes, rows: pl.DataFrame, name: str) -> str:
    """Draw the fan; returns it in words."""
    x = rows["horizon"].to_numpy()
    quantiles = np.array(rows["quantiles_ms"].to_list())
    for low, high, alpha in FANS:
        below, above = (quantiles[:, QUANTILE_LEVELS.index(level)] for level in (low, high))
        axes.fill_between(x, below, above, color=ACCENT, alpha=alpha, linewidth=0)
    median = quantiles[:, QUANTILE_LEVELS.index(0.5)]
    label = f"forecast ({name}): 50/80/90 %"
    axes.plot(x, median, color=ACCENT, linewidth=1.6, marker="o", markersize=3.0, label=label)
    low, high = (quantiles[0, QUANTILE_LEVELS.index(level)] for level in (0.1, 0.9))
    return f"The forecast of {name} for the first night is {median[0]:.0f} ms, 80 % band {low:.0f} to {high:.0f} ms."
