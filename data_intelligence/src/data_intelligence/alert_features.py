"""The signs that alerts rest on, one row a night; row i uses nights up to i and what had been said by then.

Five kinds. Each gives a table of features for `alert_models` and, per row, the reference that its later score needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from data_intelligence.level_shifts import MIN_BASE, SWC_SD, Step, steps_by_day, usual_level
from data_intelligence.medians import median
from data_intelligence.nightly_channels import NightlyChannels, trailing_z
from data_intelligence.strap_steps import BODY_PATTERN, StrapStep, strap_steps

__all__ = [
    "FEATURES",
    "SignTable",
    "illness_signs",
    "level_signs",
    "overload_signs",
    "strap_signs",
    "travel_signs",
]

FEATURES: dict[str, tuple[str, ...]] = {
    "illness": ("resp_z", "resting_hr_z", "skin_temp_z", "hrv_down_z", "two_nights", "channels_up", "explained"),
    "travel": ("crossing_h", "onset_shift_h", "onset_shift_two_nights_h"),
    "overload": ("load_excess", "week_below_swc", "resting_hr_week_z", "load_times_low"),
    "level_shift": ("t", "size_swc", "n_after", "week_off_swc"),
    "device_change": ("channels_stepped", "top_three_t", "unlike_illness", "n_after", "sharp"),
}  # fmt: skip

SIGN_OF_ILLNESS = {"resp_rate_rpm": 1.0, "resting_hr_bpm": 1.0, "skin_temp_c": 1.0, "ln_hrv": -1.0}
CROSSING_MIN, USUAL_ONSET_NIGHTS = 60.0, 28
REGULAR_ONSET_SD_H = 0.9
"""Of a wearer whose bedtimes scatter more, an hour counts for less in proportion: a late night is no journey."""


@dataclass(frozen=True)
class SignTable:
    """Features of one kind.

    Attributes
    ----------
    x : ndarray [N, K]
        Columns as in `FEATURES`; NaN rows: nothing can be said of that day.
    reference : list of dict [N]
        What the score of the row's alert will be measured against (JSON values).
    since : ndarray of int [N]
        Row on which it began, -1 where the kind leaves that to the run of raised days.
    """

    kind: str
    x: np.ndarray
    reference: list[dict[str, Any]]
    since: np.ndarray
    z: dict[str, np.ndarray] = field(default_factory=dict)
    usual: dict[str, np.ndarray] = field(default_factory=dict)


def illness_signs(
    nights: NightlyChannels, drank: set[date], fresh_from: np.ndarray | None = None
) -> SignTable:
    """Breathing, resting heart rate and skin temperature up, HRV down, each against the wearer's own usual.

    Parameters
    ----------
    drank : set of date
        Nights after an evening with alcohol that was told: it looks much the same.
    fresh_from : ndarray of int [N], optional
        First comparable row after a change of device.
    """
    n = len(nights)
    z, usual = {}, {}
    for name in SIGN_OF_ILLNESS:
        z[name], usual[name] = trailing_z(nights.values[name], name, fresh_from)
    signed = np.column_stack(
        [np.clip(sign * z[name], -2.0, 5.0) for name, sign in SIGN_OF_ILLNESS.items()]
    ).reshape(n, len(SIGN_OF_ILLNESS))
    known = np.isfinite(signed).sum(axis=1)
    filled = np.nan_to_num(signed)
    both = _two_nights(np.where(known >= 2, filled.sum(axis=1) / np.maximum(known, 1), np.nan))
    up = (filled > 1.5).sum(axis=1)
    strain_z = _strain_before(nights)
    explained = np.array([float(day in drank) for day in nights.days]) + (strain_z > 1.0) * 0.5
    x = np.column_stack([filled, np.nan_to_num(both), up, explained])
    x[known < 2] = np.nan
    reference = [
        {"usual": {name: _plain(usual[name][i]) for name in SIGN_OF_ILLNESS if np.isfinite(usual[name][i])}}
        for i in range(n)
    ]
    return SignTable("illness", x, reference, np.full(n, -1), z, usual)


def travel_signs(nights: NightlyChannels) -> SignTable:
    """The offset from UTC changes, or sleep begins hours away from its usual instant."""
    n = len(nights)
    x, since = np.full((n, 3), np.nan), np.full(n, -1)
    reference: list[dict[str, Any]] = [{} for _ in range(n)]
    shift = np.full(n, np.nan)
    for i in range(n):
        past = nights.onset_utc_h[max(0, i - USUAL_ONSET_NIGHTS) : i]
        past = past[np.isfinite(past)]
        before = _offset_before(nights, i)
        if len(past) < 7 or not np.isfinite(nights.onset_utc_h[i]):
            continue
        usual = float(median(past))
        shift[i] = nights.onset_utc_h[i] - usual
        moved = nights.offset_min[i] - before if np.isfinite(nights.offset_min[i] - before) else 0.0
        crossing = 0.0 if _is_clock_change(nights.days[i], moved) else abs(moved) / 60
        earlier = shift[i - 1] if i and np.isfinite(shift[i - 1]) else 0.0
        pair = min(abs(shift[i]), abs(earlier)) if shift[i] * earlier > 0 else 0.0
        spread = 1.4826 * float(median(np.abs(past - usual)))
        irregular = max(1.0, spread / REGULAR_ONSET_SD_H)
        x[i] = min(crossing, 6.0), min(abs(shift[i]) / irregular, 8.0), min(pair / irregular, 8.0)
        reference[i] = {"offset_min": _plain(before), "onset_utc_h": _plain(usual)}
        since[i] = i if crossing or not pair else i - 1
    return SignTable("travel", x, reference, since, {"onset_shift_h": shift})


def overload_signs(nights: NightlyChannels, resting_z: np.ndarray) -> SignTable:
    """More strain than the month before, a low week of HRV, resting heart rate up."""
    n = len(nights)
    x = np.full((n, 4), np.nan)
    reference: list[dict[str, Any]] = [{} for _ in range(n)]
    for i in range(n):
        acute, chronic = nights.strain[max(0, i - 7) : i], nights.strain[max(0, i - 28) : i]
        acute, chronic = acute[np.isfinite(acute)], chronic[np.isfinite(chronic)]
        week = _finite(nights.values["ln_hrv"][max(0, i - 6) : i + 1])
        middle, sd, count = usual_level(nights.values["ln_hrv"], i)
        if len(acute) < 4 or len(chronic) < 14 or len(week) < 4 or count < MIN_BASE:
            continue
        swc = SWC_SD * max(sd, 0.03)
        excess = float(np.clip(np.mean(acute) / max(np.mean(chronic), 1.0) - 1.0, -0.5, 1.0))
        low = float(np.clip((middle - np.mean(week)) / swc, -3.0, 5.0))
        pulse = _finite(resting_z[max(0, i - 6) : i + 1])
        pulse_z = float(np.clip(np.mean(pulse), -2.0, 4.0)) if len(pulse) >= 4 else 0.0
        x[i] = excess, low, pulse_z, max(excess, 0.0) * max(low, 0.0)
        reference[i] = {"usual_ln": _plain(middle), "swc_ln": _plain(swc)}
    return SignTable("overload", x, reference, np.full(n, -1))


def level_signs(nights: NightlyChannels) -> tuple[SignTable, list[Step | None]]:
    """The newest step of ln RMSSD, and how far the week lies from the old level."""
    n = len(nights)
    series = nights.values["ln_hrv"]
    steps = steps_by_day(nights)
    x, since = np.full((n, 4), np.nan), np.full(n, -1)
    reference: list[dict[str, Any]] = [{} for _ in range(n)]
    for i, step in enumerate(steps):
        week = _finite(series[max(0, i - 6) : i + 1])
        middle, sd, count = usual_level(series, i)
        if count < MIN_BASE or len(week) < 4:
            continue
        if step is not None:
            middle, sd, since[i] = step.before, step.sd, step.row
        swc = SWC_SD * max(sd, 0.03)
        off = float(np.mean(week)) - middle
        side = np.sign(off if step is None else step.after - step.before)
        seen = (
            (0.0, 0.0, 0.0) if step is None else (min(step.t, 8.0), min(step.in_swc, 6.0), step.n_after / 10)
        )
        x[i] = (*seen, float(np.clip(side * off / swc, -2.0, 5.0)))
        reference[i] = {"before_ln": _plain(middle), "swc_ln": _plain(swc), "side": float(side)}
    return SignTable("level_shift", x, reference, since), steps


def strap_signs(nights: NightlyChannels) -> tuple[SignTable, list[StrapStep | None]]:
    """Several channels step on the same night and stay."""
    n = len(nights)
    found = strap_steps(nights)
    x, since = np.full((n, 5), np.nan), np.full(n, -1)
    reference: list[dict[str, Any]] = [{} for _ in range(n)]
    for i, step in enumerate(found):
        if step is None:
            continue
        t = np.sort(np.minimum(list(step.t.values()), 8.0))[::-1]
        x[i] = (
            float((t > 3.0).sum()), float(np.mean(t[:3])), step.unlike(BODY_PATTERN), min(step.n_after, 14) / 10,
            step.sharp,
        )  # fmt: skip
        since[i] = step.row
        reference[i] = {
            "channels": {
                k: [_plain(step.before[k]), _plain(step.after[k])] for k in step.t if step.t[k] > 3.0
            }
        }
    return SignTable("device_change", x, reference, since), found


def said_by(said: dict[date, datetime], day: date, moment: datetime, back: int, ahead: int = 0) -> bool:
    """Whether a day from ``back`` before to ``ahead`` after ``day`` had been told of by ``moment``."""
    span = (day + timedelta(days=k) for k in range(-back, ahead + 1))
    return any(d in said and said[d] <= moment for d in span)


def _two_nights(score: np.ndarray) -> np.ndarray:
    """Mean with the night before where that is known."""
    before = np.concatenate([[np.nan], score[:-1]])[: len(score)]
    return np.where(np.isfinite(before), (score + before) / 2, score)


def _strain_before(nights: NightlyChannels) -> np.ndarray:
    """Strain of the day before each night, in SD of the 28 days before."""
    z = np.zeros(len(nights))
    for i in range(1, len(nights)):
        past = _finite(nights.strain[max(0, i - 29) : i - 1])
        if len(past) >= 10 and np.isfinite(nights.strain[i - 1]):
            z[i] = (nights.strain[i - 1] - np.mean(past)) / max(float(np.std(past)), 1.0)
    return z


def _offset_before(nights: NightlyChannels, row: int) -> float:
    """Offset of the last known night of the four before."""
    known = _finite(nights.offset_min[max(0, row - 4) : row])
    return float(known[-1]) if len(known) else np.nan


def _is_clock_change(day: date, moved_min: float) -> bool:
    """An hour around a weekend of March, April, October or November is the law, not a journey."""
    return abs(moved_min) == CROSSING_MIN and day.month in (3, 4, 10, 11) and day.weekday() in (5, 6, 0)


def _finite(x: np.ndarray) -> np.ndarray:
    return x[np.isfinite(x)]


def _plain(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
