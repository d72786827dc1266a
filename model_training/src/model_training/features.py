"""What a forecast looks at: one pure function for the forecast of today and for every training row of the past.

A row belongs to an origin day D and a horizon h. It is built from causal quantities only: nights up to D, the daytime
of D (evening) or D-1 (morning), the calendar, and what the journal said about the night of D+h **by the instant at
which the forecast of D was due** (evening: D's cycle had closed, or 22:00; morning: one hour after waking). So a
training row is as of itself. One approximation remains: values of old days are those in force at the history's own
``as_of``, with later corrections by WHOOP in them; no night after D is ever in a row of D.

Location is ln RMSSD relative to the EWMA of half-life 8 nights (the anchor), so that a model that learns nothing is the
best naive rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.behaviours import BEHAVIOURS, doses
from model_training.day_grid import DayGrid, day_grid, ewma

__all__ = ["ANCHOR_HALF_LIFE", "TrainingRows", "anchor_at_origin", "features", "training_rows"]

ANCHOR_HALF_LIFE = 8.0
LEVEL_HALF_LIVES = (2.0, 30.0)
USUAL_HALF_LIFE = 28.0
ACUTE_HALF_LIFE = 4.0
BURN_IN_NIGHTS = 7
"""Scored nights before the first origin that may train."""


@dataclass(frozen=True)
class TrainingRows:
    """Rows with known outcomes, oldest origin first.

    Attributes
    ----------
    names : tuple of str [F]
    x : ndarray [N, F]
        NaN = unknown.
    y : ndarray [N], ln ms
        Outcome relative to the row's anchor.
    origin : ndarray [N], int
        Days since the first scored night.
    horizon : ndarray [N], int
    """

    names: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    origin: np.ndarray
    horizon: np.ndarray


def features(history: History, horizons: Sequence[int] = HORIZONS) -> tuple[tuple[str, ...], np.ndarray]:
    """The rows of the history's own origin day.

    Returns
    -------
    names : tuple of str [F]
    x : ndarray [H, F]
        NaN = unknown.
    """
    grid = day_grid(history)
    origin = np.full(len(horizons), len(grid.days) - 1)
    return _rows(grid, _said(history), origin, np.asarray(horizons))


def anchor_at_origin(history: History) -> float:
    """The EWMA (half-life 8 nights) of ln RMSSD at the origin day."""
    return float(ewma(day_grid(history).log_hrv, ANCHOR_HALF_LIFE)[-1])


def training_rows(
    history: History, horizons: Sequence[int] = HORIZONS, *, last_days: int | None = None
) -> TrainingRows:
    """Every origin of the past whose outcome is known at ``history.as_of``.

    Parameters
    ----------
    last_days : int, optional
        Only origins of the last so many days.
    """
    grid = day_grid(history)
    n = len(grid.days)
    anchor = ewma(grid.log_hrv, ANCHOR_HALF_LIFE)
    ripe = np.cumsum(np.isfinite(grid.log_hrv)) >= BURN_IN_NIGHTS
    pairs = [
        (i, h)
        for i in range(max(0, n - 1 - last_days) if last_days else 0, n - 1)
        for h in horizons
        if ripe[i] and i + h < n and np.isfinite(grid.log_hrv[i + h])
    ]
    origin, horizon = np.array(pairs, dtype=int).reshape(-1, 2).T
    names, x = _rows(grid, _said(history), origin, horizon)
    return TrainingRows(names, x, grid.log_hrv[origin + horizon] - anchor[origin], origin, horizon)


def _rows(
    grid: DayGrid, said: dict[str, dict[date, list[tuple]]], origin: np.ndarray, horizon: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray]:
    by_day = _origin_columns(grid)
    columns = {name: column[origin] for name, column in by_day.items()}
    first_weekday = grid.days[0].weekday()
    weekday = (first_weekday + origin + horizon) % 7
    for k in range(7):
        columns[f"wakes_on_{k}"] = (weekday == k).astype(float)
    for behaviour in BEHAVIOURS:
        dose = _doses(said.get(behaviour.name, {}), grid, origin, horizon)
        columns[f"dose_{behaviour.name}"] = dose
        columns[f"known_{behaviour.name}"] = np.isfinite(dose).astype(float)
    columns["horizon"] = horizon.astype(float)
    return tuple(columns), np.column_stack(list(columns.values())).reshape(len(origin), len(columns))


def _origin_columns(grid: DayGrid) -> dict[str, np.ndarray]:
    """Causal quantities of every day: index i holds what is known on day i."""
    log_hrv = grid.log_hrv
    anchor = ewma(log_hrv, ANCHOR_HALF_LIFE)
    fast, slow = (ewma(log_hrv, half_life) for half_life in LEVEL_HALF_LIVES)
    before = np.concatenate(([np.nan], log_hrv[:-1]))[: len(log_hrv)]
    strain = grid.daytime["strain_0_21"]
    strain_usual = ewma(strain, USUAL_HALF_LIFE)
    return {
        "last_dev": log_hrv - anchor,
        "before_dev": before - anchor,
        "fast_dev": fast - anchor,
        "slow_dev": slow - anchor,
        "spread": ewma(np.abs(log_hrv - anchor), USUAL_HALF_LIFE),
        "night_missing": (~np.isfinite(log_hrv)).astype(float),
        "rhr_dev_bpm": _dev(grid.night["resting_hr_bpm"]),
        "resp_dev_rpm": _dev(grid.night["resp_rate_rpm"]),
        "skin_temp_dev_c": _dev(grid.night["skin_temp_c"]),
        "asleep_dev_h": _dev(grid.night["asleep_min"]) / 60,
        "strain_dev": strain - strain_usual,
        "strain_balance": ewma(strain, ACUTE_HALF_LIFE) - strain_usual,
        "workout_dev_h": _dev(grid.daytime["workout_min"]) / 60,
        "late_workout": grid.daytime["late_workout"],
        "nap_h": grid.daytime["nap_min"] / 60,
    }


def _dev(values: np.ndarray) -> np.ndarray:
    return values - ewma(values, USUAL_HALF_LIFE)


def _said(history: History) -> dict[str, dict[date, list[tuple]]]:
    """Per behaviour and night: (known_at, entry, source, dose)."""
    said: dict[str, dict[date, list[tuple]]] = {}
    for behaviour, night, entry, source, known_at, dose in doses(history.journal).iter_rows():
        said.setdefault(behaviour, {}).setdefault(night, []).append((known_at, entry, source, dose))
    return said


def _doses(said: dict[date, list[tuple]], grid: DayGrid, origin: np.ndarray, horizon: np.ndarray) -> np.ndarray:
    """Dose of each row's target night known when the forecast of its origin day was due; NaN = nothing was said.

    Facts of one name in one entry add up (two beers and a whisky). Of several names the largest counts, because they
    tell of the same thing ("sixty minutes", "intervals"), and of several entries too, because a later note mostly
    repeats.
    """
    dose = np.full(len(origin), np.nan)
    if not said:
        return dose
    for row, (i, h) in enumerate(zip(origin.tolist(), horizon.tolist(), strict=True)):
        told: dict[tuple[str, str], float] = {}
        for known_at, entry, source, part in said.get(grid.days[i] + timedelta(days=h), ()):
            if known_at <= grid.issue_at[i]:
                told[entry, source] = told.get((entry, source), 0.0) + part
        dose[row] = max(told.values(), default=np.nan)
    return dose
