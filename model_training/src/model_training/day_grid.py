"""A history on a dense calendar: one number a day and quantity, NaN where nothing is known.

Daytime quantities follow the slot: at the index of day D they are those that a forecast issued on D may use, which in
the morning are those of D-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from hrv_shared.daytime import local_time, replay_evening_at
from hrv_shared.history import History

__all__ = ["DayGrid", "day_grid", "ewma"]

MORNING_AFTER_WAKE = timedelta(hours=1)
MORNING_HOUR = 10
"""Local hour of a morning forecast whose waking is unknown."""
LATE_HOUR = 19
"""A workout that ends at or after this local hour is late."""

NIGHT = ("resting_hr_bpm", "resp_rate_rpm", "skin_temp_c", "asleep_min")
DAYTIME = ("strain_0_21", "workout_min", "nap_min")


@dataclass(frozen=True)
class DayGrid:
    """Arrays over ``days``, index 0 = first scored night, last = origin day.

    Attributes
    ----------
    days : list of date [N]
    log_hrv : ndarray [N], ln ms
    night : dict of ndarray [N]
        Night values of D, units in the names.
    daytime : dict of ndarray [N]
        Daytime values that an issue on D may use; ``late_workout`` is 0 or 1.
    issue_at : list of datetime [N]
        When the forecast of that day's slot was due: ``known_at`` of a usable fact is not later.
    """

    days: list[date]
    log_hrv: np.ndarray
    night: dict[str, np.ndarray]
    daytime: dict[str, np.ndarray]
    issue_at: list[datetime]


def day_grid(history: History) -> DayGrid:
    """Lay a history out on its calendar; empty when there is no scored night."""
    days, values_ms = history.hrv_series()
    index = {day: i for i, day in enumerate(days)}
    night = {name: np.full(len(days), np.nan) for name in NIGHT}
    daytime = {name: np.full(len(days), np.nan) for name in (*DAYTIME, "late_workout")}
    rows: list[dict | None] = [None] * len(days)
    wanted = ["day", "state", "utc_offset_min", "wake_at", "day_closed_at", "last_workout_end_at", *NIGHT, *DAYTIME]
    for row in history.days.select(wanted).iter_rows(named=True):
        i = index.get(row["day"])
        if i is None:
            continue
        rows[i] = row
        for name in NIGHT:
            if row["state"] == "scored" and row[name] is not None:
                night[name][i] = row[name]
        for name in DAYTIME:
            if row[name] is not None:
                daytime[name][i] = row[name]
        daytime["late_workout"][i] = _ended_late(row)
    if history.slot == "morning":
        daytime = {name: np.concatenate(([np.nan], column[:-1])) for name, column in daytime.items() if len(days)}
    with np.errstate(invalid="ignore"):
        return DayGrid(days, np.log(values_ms), night, daytime, _issue_instants(history, days, rows))


def ewma(values: np.ndarray, half_life_days: float) -> np.ndarray:
    """Exponentially weighted mean up to and with each day, over the days that have a value.

    Parameters
    ----------
    values : ndarray [N]
        NaN = no value; its weight goes to the others.

    Returns
    -------
    ndarray [N]
        NaN before the first value.
    """
    keep = 0.5 ** (1 / half_life_days)
    level, total, weight = np.full(len(values), np.nan), 0.0, 0.0
    for i, value in enumerate(values):
        total, weight = total * keep, weight * keep
        if np.isfinite(value):
            total, weight = total + value, weight + 1.0
        if weight > 0:
            level[i] = total / weight
    return level


def _ended_late(row: dict) -> float:
    if row["last_workout_end_at"] is None:
        return 0.0
    hour = local_time(row["last_workout_end_at"], row["utc_offset_min"] or 0).hour
    return float(hour >= LATE_HOUR or hour < 4)


def _issue_instants(history: History, days: list[date], rows: list[dict | None]) -> list[datetime]:
    instants, offset = [], 0
    for day, row in zip(days, rows, strict=True):
        if row is not None and row["utc_offset_min"] is not None:
            offset = row["utc_offset_min"]
        if history.slot == "evening":
            instants.append(replay_evening_at(day, offset, row and row["day_closed_at"]))
        elif row is not None and row["wake_at"] is not None:
            instants.append(row["wake_at"] + MORNING_AFTER_WAKE)
        else:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            instants.append(midnight + timedelta(hours=MORNING_HOUR, minutes=-offset))
    return [*instants[:-1], history.as_of] if instants else []
