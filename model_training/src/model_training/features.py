"""What a forecast looks at: one pure function from a day grid to the features of every origin day and horizon.

Row D is built from causal quantities only: nights up to D, the daytime of D (evening) or D-1 (morning), the calendar
of the target, and doses as they were known when the forecast of D was due (``day_grid``). So a training row is as of
itself: the row of D is the same, bit for bit, whether or not later days are there. One approximation remains: values
of old days are those in force at the history's own ``as_of``, with later corrections by WHOOP in them.

Units are personal: ln RMSSD relative to the wearer's level (``anchor``, EWMA of half-life 14 nights) in units of the
wearer's own spread (``scale``), other quantities as deviations from the wearer's last weeks in their own SDs. So one
model can learn from many people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import DayGrid, decayed_sum, ewma, remembered

__all__ = ["Features", "features", "personal_scale", "target_columns"]

ANCHOR_HALF_LIFE = 14.0
LEVEL_HALF_LIVES = (2.0, 4.0, 8.0, 30.0, 90.0)
USUAL_HALF_LIFE = 28.0
SPREAD_HALF_LIFE = 60.0
LEAST_VALUES = 5
"""Values before a quantity has a usual level and spread of its own."""
Z_MOST = 4.0
USUAL_SCALE = 0.19
"""SD of ln RMSSD around the EWMA, in the middle of the people of forecasting.md 2.3."""
SCALE_NIGHTS = 10.0
"""Nights that ``USUAL_SCALE`` counts for."""
SURPRISE_MOST = 0.8
WEEKDAY_NIGHTS = 8.0
"""Nights of one weekday at which the wearer's own weekday mean is believed half."""
NIGHT_Z = {"rhr": "resting_hr_bpm", "resp": "resp_rate_rpm", "skin": "skin_temp_c", "asleep": "asleep_min",
           "deep": "deep_min", "debt": "sleep_debt_min", "onset": "sleep_onset_h"}  # fmt: skip
WEEKDAYS = tuple(f"wakes_on_{k}" for k in range(7))


@dataclass(frozen=True)
class Features:
    """Of every origin day of a grid.

    Attributes
    ----------
    names : tuple of str [F]
    x : ndarray [N, F]
        NaN = unknown.
    anchor : ndarray [N], ln ms
    scale : ndarray [N], ln ms
        The wearer's night-to-night spread.
    nights : ndarray [N], int
        Scored nights so far.
    """

    names: tuple[str, ...]
    x: np.ndarray
    anchor: np.ndarray
    scale: np.ndarray
    nights: np.ndarray

    def column(self, name: str) -> np.ndarray:
        """One column, ndarray [N]."""
        return self.x[:, self.names.index(name)]


def features(grid: DayGrid) -> Features:
    """The features of every origin day; see ``target_columns`` for those that depend on the horizon."""
    return remembered(grid, "features", None, lambda: _features(grid))


def _features(grid: DayGrid) -> Features:
    log_hrv = grid.log_hrv
    anchor = ewma(log_hrv, ANCHOR_HALF_LIFE)
    scale = personal_scale(log_hrv, anchor)
    known = np.isfinite(log_hrv)
    columns = {
        **_recent_nights(log_hrv, anchor, scale),
        "spread": np.log(scale / USUAL_SCALE),
        "night_missing": (~known).astype(float),
        "gap_nights": _since(known),
        "coverage": ewma(known.astype(float), USUAL_HALF_LIFE),
        **{f"{name}_z": _z(grid.night[column]) for name, column in NIGHT_Z.items()},
        **_load(grid),
    }
    columns["rhr_acute_z"] = ewma(np.nan_to_num(columns["rhr_z"]), 4.0)
    columns["onset_irregular_h"] = ewma(np.abs(_from_usual(grid.night["sleep_onset_h"])), USUAL_HALF_LIFE)
    nights = np.cumsum(known)
    return Features(tuple(columns), np.column_stack(list(columns.values())), anchor, scale, nights)


def target_columns(grid: DayGrid, horizon: int) -> tuple[tuple[str, ...], np.ndarray]:
    """What depends on the night that is forecast: its weekday, the wearer's own weekday effect, doses for it.

    Returns
    -------
    names : tuple of str [T]
    x : ndarray [N, T]
        NaN = not said.
    """
    n = len(grid)
    weekday = (grid.weekday + horizon) % 7
    columns = {}
    own = remembered(grid, "weekday_effects", None, lambda: weekday_effects(grid))
    for k, name in enumerate(WEEKDAYS):
        columns[name] = (weekday == k).astype(float) if grid.knows_weekday else np.zeros(n)
    columns["weekday_own"] = own[np.arange(n), weekday] if grid.knows_weekday else np.zeros(n)
    for k, behaviour in enumerate(BEHAVIOURS):
        dose = grid.dose[:, horizon - 1, k]
        columns[f"dose_{behaviour.name}"] = dose
    return tuple(columns), np.column_stack(list(columns.values()))


def weekday_effects(grid: DayGrid) -> np.ndarray:
    """The wearer's mean deviation on each weekday so far, in personal units, shrunk to zero; ndarray [N, 7]."""
    before = _lag(ewma(grid.log_hrv, USUAL_HALF_LIFE), 1)
    scale = personal_scale(grid.log_hrv, ewma(grid.log_hrv, ANCHOR_HALF_LIFE))
    deviation = np.clip((grid.log_hrv - before) / _lag(scale, 1), -Z_MOST, Z_MOST)
    known = np.isfinite(deviation)
    at = np.zeros((len(grid), 7))
    at[np.arange(len(grid)), grid.weekday] = 1.0
    total = np.cumsum(at * np.where(known, deviation, 0.0)[:, None], axis=0)
    return total / (np.cumsum(at * known[:, None], axis=0) + WEEKDAY_NIGHTS)


def personal_scale(log_hrv: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """Spread of ln RMSSD around yesterday's anchor, drawn to what is usual in people while little is known; [N]."""
    surprise = np.clip(log_hrv - _lag(anchor, 1), -SURPRISE_MOST, SURPRISE_MOST)
    squares, weights = _decayed_sums(surprise**2, SPREAD_HALF_LIFE)
    return np.sqrt((SCALE_NIGHTS * USUAL_SCALE**2 + squares) / (SCALE_NIGHTS + weights))


def _recent_nights(log_hrv: np.ndarray, anchor: np.ndarray, scale: np.ndarray) -> dict[str, np.ndarray]:
    """The last nights and levels, relative to the anchor in personal units."""
    known = np.isfinite(log_hrv)
    all_nights = np.cumsum(np.where(known, log_hrv, 0.0)) / np.maximum(np.cumsum(known), 1)
    columns = {f"night_{k}_back": (_lag(log_hrv, k) - anchor) / scale for k in (0, 1, 2, 6)}
    columns |= {f"level_{hl:.0f}": (ewma(log_hrv, hl) - anchor) / scale for hl in LEVEL_HALF_LIVES}
    columns["level_all"] = (all_nights - anchor) / scale
    columns["low_night"] = np.minimum(np.nan_to_num(columns["night_0_back"]), 0.0)
    return columns


def _load(grid: DayGrid) -> dict[str, np.ndarray]:
    """The day's load: strain, or steps of a device that knows no strain; and what came before."""
    strain, steps = _z(grid.daytime["strain_0_21"]), _z(grid.daytime["steps_count"])
    steps = np.where(np.isfinite(strain), np.nan, steps)
    load = np.where(np.isfinite(strain), strain, steps)
    worn = np.nan_to_num(load)
    return {
        "strain_z": strain,
        "steps_z": steps,
        "load_hard": np.maximum(worn - 1.0, 0.0),
        "load_1_back": _lag(load, 1),
        "load_acute": ewma(worn, 4.0),
        "load_chronic": ewma(worn, 14.0),
        "workout_dev_h": _from_usual(grid.daytime["workout_min"]) / 60,
        "late_workout": grid.daytime["late_workout"],
        "nap_h": grid.daytime["nap_min"] / 60,
    }


def _z(values: np.ndarray) -> np.ndarray:
    """Deviation from the usual in the wearer's own SDs, at most 4; unknown before the fifth value."""
    deviation = _from_usual(values)
    spread = np.sqrt(ewma(deviation**2, SPREAD_HALF_LIFE))
    enough = np.cumsum(np.isfinite(values)) >= LEAST_VALUES
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(spread > 1e-9, deviation / spread, 0.0)
    return np.where(enough & np.isfinite(deviation), np.clip(z, -Z_MOST, Z_MOST), np.nan)


def _from_usual(values: np.ndarray) -> np.ndarray:
    return values - ewma(values, USUAL_HALF_LIFE)


def _decayed_sums(values: np.ndarray, half_life_days: float) -> tuple[np.ndarray, np.ndarray]:
    """Decayed sum of the known values and of their number, up to and with each day; two ndarray [N]."""
    known = np.isfinite(values)
    sums = decayed_sum(np.where(known, values, 0.0), half_life_days)
    return sums, decayed_sum(known.astype(float), half_life_days)


def _since(known: np.ndarray) -> np.ndarray:
    """Days since the last scored night, at most 14."""
    at = np.arange(len(known))
    last = np.maximum.accumulate(np.where(known, at, -1))
    return np.minimum(at - last, 14).astype(float)


def _lag(values: np.ndarray, days: int) -> np.ndarray:
    if days == 0:
        return values
    return np.concatenate((np.full(min(days, len(values)), np.nan), values[: max(len(values) - days, 0)]))
