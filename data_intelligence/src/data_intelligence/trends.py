"""Trends as of one issue: where the level stands, whether it moved, the week's rhythm, sleep's regularity, load.

Bands and rhythm are on ln RMSSD and shown in ms or %. The band is the mean of the 60 days that end a week ago, plus and
minus half an SD (the smallest worthwhile change; Plews 2014, HRV4Training); the week is never part of its own band.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from data_intelligence.alert_watch import Watch, alert_runs
from data_intelligence.evidence import EvidenceBook
from data_intelligence.level_shifts import MIN_BASE, SWC_SD, usual_level
from data_intelligence.medians import median
from data_intelligence.nightly_channels import NightlyChannels
from data_intelligence.sleep_regularity import regularity_of
from data_intelligence.trend_blocks import BandTrend, LoadTrend, ShiftRow, TrendBlock, WeekdayRow

__all__ = ["trends_of"]

WEEK, MIN_WEEK, MIN_CV = 7, 4, 5
SHOWN_SHIFTS_DAYS = 120

POOLED_WEEK_LN = (0.056, 0.045, 0.006, 0.014, -0.027, -0.045, -0.047)
POOLED_SD = 0.045
"""Mean residual by wake day, Monday to Sunday, of 17 wearers, and how they differ (between 4.9 and 5.1 points)."""

Z90 = 1.645
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def trends_of(watch: Watch, book: EvidenceBook) -> TrendBlock:
    """Everything that moves slowly, with evidence."""
    nights = watch.nights
    return TrendBlock(
        band=_band(nights, book), level_shifts=_shifts(watch, "level_shift", book),
        device_changes=_shifts(watch, "device_change", book), weekly_rhythm=weekly_rhythm(nights, book),
        sleep_regularity=regularity_of(nights, book), load=_load(nights, book),
    )  # fmt: skip


def weekly_rhythm(nights: NightlyChannels, book: EvidenceBook) -> tuple[WeekdayRow, ...]:
    """How each wake day differs from the wearer's level: own nights, shrunk to the pooled rhythm of 17 wearers."""
    x = nights.values["ln_hrv"]
    residual = np.full(len(x), np.nan)
    for i in np.flatnonzero(np.isfinite(x)):
        around = x[max(0, i - 17) : i + 18]
        around = around[np.isfinite(around)]
        if len(around) >= 10:
            residual[i] = x[i] - median(around)
    weekday = np.array([day.weekday() for day in nights.days])
    known = np.isfinite(residual)
    sd = max(1.4826 * float(np.median(np.abs(residual[known]))), 0.05) if known.any() else 0.2
    cited = book.cite(
        "derived", "weekly rhythm: own nights shrunk to a pooled one",
        [f"days/{nights.days[0]}..{nights.days[-1]}/hrv_rmssd_ms"],
    )  # fmt: skip
    rows = []
    for k, name in enumerate(WEEKDAYS):
        own = np.clip(residual[known & (weekday == k)], -3 * sd, 3 * sd)
        precision = len(own) / sd**2 + 1 / POOLED_SD**2
        mean = (float(own.sum()) / sd**2 + POOLED_WEEK_LN[k] / POOLED_SD**2) / precision
        half = Z90 / np.sqrt(precision)
        rows.append(
            WeekdayRow(
                weekday=name, effect_pct=_pct(mean), low90_pct=_pct(mean - half), high90_pct=_pct(mean + half),
                n=len(own), clear=bool(abs(mean) > half), evidence=cited,
            )
        )  # fmt: skip
    return tuple(rows)


def _band(nights: NightlyChannels, book: EvidenceBook) -> BandTrend:
    x = nights.values["ln_hrv"]
    week = x[-WEEK:][np.isfinite(x[-WEEK:])]
    middle, sd, count = usual_level(x, len(x) - 1)
    level = float(np.mean(week)) if len(week) >= MIN_WEEK else None
    cv = 100 * float(np.std(week, ddof=1) / np.mean(week)) if len(week) >= MIN_CV else None
    first, last = nights.days[max(0, len(x) - 67)], nights.days[-1]
    cited = book.cite(
        "derived",
        "mean ln RMSSD of 7 days against the 60 days that end a week ago",
        [f"days/{first}..{last}/hrv_rmssd_ms"],
    )
    if count < MIN_BASE or level is None:
        lacks = (
            f"{count} of the 28 nights" if count < MIN_BASE else f"{len(week)} of the 4 nights of this week"
        )
        return BandTrend(
            level_7d_ms=_ms(level), usual_ms=None, low_ms=None, high_ms=None, swc_pct=None, ln_cv_7d_pct=_one(cv),
            usual_ln_cv_pct=None, n_7d=len(week), n_band=count, position="unknown", evidence=cited,
            sentence=f"The usual band needs 28 nights and 4 of this week; {lacks} are known.",
        )  # fmt: skip
    swc = SWC_SD * max(sd, 0.02)
    position = "below" if level < middle - swc else "above" if level > middle + swc else "inside"
    words = {
        "below": "below the usual band",
        "above": "above the usual band",
        "inside": "inside the usual band",
    }
    usual_cv = _usual_cv(x)
    return BandTrend(
        level_7d_ms=_ms(level), usual_ms=_ms(middle), low_ms=_ms(middle - swc), high_ms=_ms(middle + swc),
        swc_pct=_pct(swc), ln_cv_7d_pct=_one(cv), usual_ln_cv_pct=_one(usual_cv), n_7d=len(week), n_band=count,
        position=position, evidence=cited,
        sentence=f"The 7-day level, {np.exp(level):.1f} ms, lies {words[position]} "
        f"({np.exp(middle - swc):.1f} to {np.exp(middle + swc):.1f} ms).",
    )  # fmt: skip


def _usual_cv(x: np.ndarray) -> float | None:
    """Median HRV-CV of the weeks before this one."""
    found = []
    for end in range(len(x) - WEEK, max(WEEK, len(x) - 67), -WEEK):
        week = x[end - WEEK : end]
        week = week[np.isfinite(week)]
        if len(week) >= MIN_CV:
            found.append(100 * float(np.std(week, ddof=1) / np.mean(week)))
    return float(np.median(found)) if len(found) >= 4 else None


def _shifts(watch: Watch, kind: str, book: EvidenceBook) -> tuple[ShiftRow, ...]:
    """Steps of the last months that were raised, each with the day on which it could first be seen."""
    nights, rows = watch.nights, []
    if not len(nights):
        return ()
    since_day = nights.days[-1] - timedelta(days=SHOWN_SHIFTS_DAYS)
    for first, last, row in alert_runs(watch, kind):
        if nights.days[row] < since_day:
            continue
        step = (watch.steps if kind == "level_shift" else watch.strap)[last]
        if step is None or (kind == "device_change" and "ln_hrv" not in step.before):
            continue
        old = step.before if kind == "level_shift" else step.before["ln_hrv"]
        new = step.after if kind == "level_shift" else step.after["ln_hrv"]
        rows.append(
            _shift_row(nights, kind, row, first, float(old), float(new), float(watch.p[kind][first]), book)
        )
    return tuple(rows)


def _shift_row(nights, kind, row, first, old: float, new: float, p: float, book: EvidenceBook) -> ShiftRow:
    start: date = nights.days[row]
    change = 100 * (np.exp(new - old) - 1)
    what = "HRV level" if kind == "level_shift" else "several channels with it, HRV"
    return ShiftRow(
        since_day=start, first_seen_day=nights.days[first], from_ms=_ms(old), to_ms=_ms(new), change_pct=_one(change),
        probability=round(p, 2),
        sentence=f"Around {start} {what} went from {np.exp(old):.1f} to {np.exp(new):.1f} ms; first visible on "
        f"{nights.days[first]}.",
        evidence=book.cite(
            "derived", f"{kind.replace('_', ' ')} of {start}",
            [f"days/{nights.days[max(0, row - 60)]}..{nights.days[-1]}/hrv_rmssd_ms"],
        ),
    )  # fmt: skip


def _load(nights: NightlyChannels, book: EvidenceBook) -> LoadTrend:
    """Acute (7 days) against chronic (28 days) strain before the origin day, and how even the week was."""
    strain = nights.strain[:-1]
    acute, chronic = strain[-7:], strain[-28:]
    acute, chronic = acute[np.isfinite(acute)], chronic[np.isfinite(chronic)]
    enough = len(acute) >= 4 and len(chronic) >= 14
    ratio = float(np.mean(acute) / max(np.mean(chronic), 0.1)) if enough else None
    spread = float(np.std(acute, ddof=1)) if len(acute) >= 5 else None
    first = nights.days[max(0, len(nights) - 29)]
    words = (
        "unknown" if ratio is None else "rising" if ratio > 1.15 else "falling" if ratio < 0.85 else "steady"
    )
    return LoadTrend(
        acute_7d_strain=_one(float(np.mean(acute))) if len(acute) >= 4 else None,
        chronic_28d_strain=_one(float(np.mean(chronic))) if len(chronic) >= 14 else None,
        ratio=None if ratio is None else round(ratio, 2),
        monotony=None if not spread else round(float(np.mean(acute)) / spread, 2), direction=words,
        evidence=book.cite(
            "derived", "strain of 7 and 28 complete days", [f"days/{first}..{nights.days[-1]}/strain_0_21"]
        ),
    )  # fmt: skip


def _ms(ln: float | None) -> float | None:
    return None if ln is None else round(float(np.exp(ln)), 1)


def _pct(ln: float) -> float:
    return round(100 * float(np.exp(ln) - 1), 1)


def _one(value: float | None) -> float | None:
    return None if value is None else round(float(value), 1)
