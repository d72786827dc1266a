"""A history on a dense calendar: one number a day and quantity, NaN where nothing is known.

Daytime quantities follow the slot: at the index of day D they are those that a forecast issued on D may use, which in
the morning are those of D-1. Doses stand at the origin day and horizon at which they could be used: what the journal
said about the night of D+h **by the instant at which the forecast of D was due** (evening: D's cycle had closed, or
22:00; morning: one hour after waking).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.daytime import local_time, replay_evening_at
from hrv_shared.history import History
from model_training.behaviours import BEHAVIOURS, doses

__all__ = ["DayGrid", "day_grid", "decayed_sum", "ewma", "remembered"]

MORNING_AFTER_WAKE = timedelta(hours=1)
MORNING_HOUR = 10
"""Local hour of a morning forecast whose waking is unknown."""
LATE_HOUR = 19
"""A workout that ends at or after this local hour is late."""

NIGHT = ("resting_hr_bpm", "resp_rate_rpm", "skin_temp_c", "asleep_min", "deep_min", "sleep_debt_min")
DAYTIME = ("strain_0_21", "workout_min", "nap_min")
STEPS = "steps_count"
"""An optional column of ``days``: the load of a device that knows no strain (benchmark tables of other makes)."""


@dataclass(frozen=True, eq=False)
class DayGrid:
    """Arrays over ``days``, index 0 = first scored night, last = origin day.

    Attributes
    ----------
    days : list of date [N]
    log_hrv : ndarray [N], ln ms
    night : dict of ndarray [N]
        Night values of D, units in the names; ``sleep_onset_h`` is hours after noon of D-1.
    daytime : dict of ndarray [N]
        Daytime values that an issue on D may use; ``late_workout`` is 0 or 1.
    dose : ndarray [N, 7, B]
        Dose of each of ``BEHAVIOURS`` for the night of D+h, as known when the forecast of D was due; NaN = not said.
    knows_weekday : bool
        False hides the calendar from every forecaster (the ladder of the benchmark).
    """

    slot: str
    days: list[date]
    log_hrv: np.ndarray
    night: dict[str, np.ndarray]
    daytime: dict[str, np.ndarray]
    dose: np.ndarray
    knows_weekday: bool = True

    def __len__(self) -> int:
        return len(self.days)

    @property
    def weekday(self) -> np.ndarray:
        """Weekday of every day, Monday = 0; ndarray [N], int."""
        first = self.days[0].weekday() if self.days else 0
        return (first + np.arange(len(self.days))) % 7

    def until(self, last: int) -> DayGrid:
        """The grid as it stood at day index ``last``: nothing of a later day is in it."""
        end = last + 1
        return replace(
            self, days=self.days[:end], log_hrv=self.log_hrv[:end],
            night={name: column[:end] for name, column in self.night.items()},
            daytime={name: column[:end] for name, column in self.daytime.items()}, dose=self.dose[:end],
        )  # fmt: skip


def day_grid(history: History) -> DayGrid:
    """Lay a history out on its calendar; empty when there is no scored night.

    The last history's grid is kept, because every forecaster of one issue asks for the same.
    """
    held = _LAST.get("grid")
    if held is None or held[0] is not history:
        held = _LAST["grid"] = (history, _lay_out(history))
    return held[1]


_LAST: dict[str, tuple[History, DayGrid]] = {}


def _lay_out(history: History) -> DayGrid:
    days, values_ms = history.hrv_series()
    index = {day: i for i, day in enumerate(days)}
    night = {name: np.full(len(days), np.nan) for name in (*NIGHT, "sleep_onset_h")}
    daytime = {name: np.full(len(days), np.nan) for name in (*DAYTIME, STEPS, "late_workout")}
    rows: list[dict | None] = [None] * len(days)
    wanted = [
        "day", "state", "utc_offset_min", "sleep_onset_at", "wake_at", "day_closed_at", "last_workout_end_at",
        *NIGHT, *DAYTIME,
    ]  # fmt: skip
    day_values = [*DAYTIME, STEPS] if STEPS in history.days.columns else [*DAYTIME]
    wanted += day_values[len(DAYTIME) :]
    for row in history.days.select(wanted).iter_rows(named=True):
        i = index.get(row["day"])
        if i is None:
            continue
        rows[i] = row
        if row["state"] == "scored":
            night["sleep_onset_h"][i] = _onset_h(row)
            for name in NIGHT:
                if row[name] is not None:
                    night[name][i] = row[name]
        for name in day_values:
            if row[name] is not None:
                daytime[name][i] = row[name]
        daytime["late_workout"][i] = _ended_late(row)
    if history.slot == "morning":
        daytime = {name: np.concatenate(([np.nan], column))[: len(days)] for name, column in daytime.items()}
    dose = _doses(history, days, _issue_instants(history, days, rows))
    with np.errstate(invalid="ignore"):
        return DayGrid(history.slot, days, np.log(values_ms), night, daytime, dose)


def remembered(grid: DayGrid, name: str, prior: Any, compute: Callable[[], T]) -> T:
    """What was computed from this very grid under this very prior, so that members that share it do so only once.

    A grid keeps one value a name; it goes with the grid.
    """
    held = _KEPT.setdefault(grid, {}).get(name)
    if held is None or held[0] is not prior:
        held = _KEPT[grid][name] = (prior, compute())
    return held[1]


T = TypeVar("T")
_KEPT: WeakKeyDictionary[DayGrid, dict[str, tuple[Any, Any]]] = WeakKeyDictionary()


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
    known = np.isfinite(values)
    total = decayed_sum(np.where(known, values, 0.0), half_life_days)
    weight = decayed_sum(known.astype(float), half_life_days)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.logical_or.accumulate(known), total / weight, np.nan)


def decayed_sum(values: np.ndarray, half_life_days: float) -> np.ndarray:
    """Sum up to and with each day, older days counting less; ndarray [N]. (scipy's filters take a second to import.)"""
    keep = 0.5 ** (1 / half_life_days)
    sums = accumulate(values.tolist(), lambda total, value: keep * total + value)
    return np.fromiter(sums, float, len(values))


def _onset_h(row: dict) -> float:
    if row["sleep_onset_at"] is None:
        return np.nan
    local = local_time(row["sleep_onset_at"], row["utc_offset_min"] or 0)
    noon = datetime(row["day"].year, row["day"].month, row["day"].day, 12, tzinfo=local.tzinfo) - timedelta(
        days=1
    )
    return (local - noon).total_seconds() / 3600


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


def _doses(history: History, days: list[date], issue_at: list[datetime]) -> np.ndarray:
    """Doses by origin day, horizon and behaviour.

    Facts of one name in one entry add up (two beers and a whisky). Of several names the largest counts, because they
    tell of the same thing ("sixty minutes", "intervals"), and of several entries too, because a later note mostly
    repeats.
    """
    dose = np.full((len(days), len(HORIZONS), len(BEHAVIOURS)), np.nan)
    if history.journal.is_empty() or not days:
        return dose
    column = {behaviour.name: k for k, behaviour in enumerate(BEHAVIOURS)}
    told: dict[tuple[int, int, int], dict[tuple[str, str], float]] = {}
    for behaviour, night, entry, source, known_at, part in doses(history.journal).iter_rows():
        at = (night - days[0]).days
        for h in HORIZONS:
            i = at - h
            if 0 <= i < len(days) and known_at <= issue_at[i]:
                said = told.setdefault((i, h - 1, column[behaviour]), {})
                said[entry, source] = said.get((entry, source), 0.0) + part
    for cell, said in told.items():
        dose[cell] = min(max(said.values()), BEHAVIOURS[cell[2]].most)
    return dose
