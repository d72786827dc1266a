"""The design of the effects model: ln RMSSD against a drifting level, the week, strain, yesterday and behaviours.

Priors are those of forecasting.md 2.4 and 4.3: wide, because between people effects differ as much as they are large.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from data_intelligence.behaviours import ALCOHOL, SICK, NightlyJournal, typical_dose
from hrv_shared.history import History

__all__ = ["Column", "Design", "build_design", "dose_scale"]

LEVEL_HALF_LIFE_NIGHTS = 14.0
LEVEL_FROM_NIGHTS = 7
STRAIN_STEP = 5.0

ALCOHOL_ANY = (float(np.log(1 - 0.24)), 0.20)
TYPICAL_DRINKS = 3.6
SICK_PRIOR = (float(np.log(1 - 0.09)), 0.08)
OTHER_PRIOR = (0.0, 0.06)
CARRY_OVER_PRIOR = (0.0, 0.03)
STRAIN_PRIOR = (float(np.log(1 - 0.091)), 0.06)
LAG_PRIOR = (0.2, 0.15)
WEEKDAY_PRIOR = (0.0, 0.05)
INTERCEPT_PRIOR = (0.0, 0.10)
UNLOGGED_PRIOR = (0.0, 0.05)


@dataclass(frozen=True)
class Column:
    """One regressor: its values [N] and the prior of its coefficient on ln RMSSD."""

    name: str
    values: np.ndarray
    prior: tuple[float, float]


@dataclass(frozen=True)
class Design:
    """Response (ln RMSSD minus level) and regressors of the nights that enter the fit."""

    nights: list[date]
    y: np.ndarray
    columns: list[Column]
    level_now: float

    @property
    def x(self) -> np.ndarray:
        """The regressors side by side [N, K]."""
        return (
            np.column_stack([c.values for c in self.columns])
            if self.nights
            else np.zeros((0, len(self.columns)))
        )

    def index(self, name: str) -> int | None:
        """Place of a regressor, or None."""
        return next((i for i, column in enumerate(self.columns) if column.name == name), None)


def build_design(history: History, journal: NightlyJournal) -> Design:
    """Lay out the fit of one member's history; every regressor of a night was known before it."""
    calendar, values_ms = history.hrv_series()
    ln = np.log(values_ms)
    level, level_now = trailing_level(ln)
    use = [i for i in range(1, len(calendar)) if np.isfinite(ln[i]) and np.isfinite(level[i])]
    nights = [calendar[i] for i in use]
    columns = [
        Column("intercept", np.ones(len(use)), INTERCEPT_PRIOR),
        Column(
            "lagged residual", np.nan_to_num(np.array([ln[i - 1] - level[i - 1] for i in use])), LAG_PRIOR
        ),
        Column("strain", _strain(history, nights), STRAIN_PRIOR),
        Column("unlogged", np.array([float(n not in journal.journalled) for n in nights]), UNLOGGED_PRIOR),
    ]
    columns += [
        Column(f"weekday {w}", np.array([float(n.weekday() == w) for n in nights]), WEEKDAY_PRIOR)
        for w in range(7)
    ]
    for behaviour in sorted(journal.doses):
        doses = journal.doses[behaviour]
        x = np.array([dose_scale(doses, doses[n]) if n in doses else 0.0 for n in nights])
        columns.append(Column(f"behaviour {behaviour}", x, behaviour_prior(behaviour, doses)))
        if behaviour in (ALCOHOL, SICK):
            before = [n - timedelta(days=1) for n in nights]
            carried = np.array([dose_scale(doses, doses[n]) if n in doses else 0.0 for n in before])
            columns.append(Column(f"carry-over {behaviour}", carried, CARRY_OVER_PRIOR))
    return Design(nights, np.array([ln[i] - level[i] for i in use]), columns, level_now)


def trailing_level(ln: np.ndarray) -> tuple[np.ndarray, float]:
    """Exponentially weighted mean of the earlier nights.

    Parameters
    ----------
    ln : ndarray [N]
        ln RMSSD by calendar day, NaN where unknown.

    Returns
    -------
    level : ndarray [N]
        Of the nights strictly before each day; NaN until seven are known.
    level_now : float
        Of all nights.
    """
    decay = 0.5 ** (1.0 / LEVEL_HALF_LIFE_NIGHTS)
    total = weight = 0.0
    seen = 0
    level = np.full(len(ln), np.nan)
    for i, value in enumerate(ln):
        if seen >= LEVEL_FROM_NIGHTS:
            level[i] = total / weight
        total, weight = total * decay, weight * decay
        if np.isfinite(value):
            total, weight, seen = total + value, weight + 1.0, seen + 1
    return level, (total / weight if weight > 0 else float("nan"))


def behaviour_prior(behaviour: str, doses: dict[date, float | None]) -> tuple[float, float]:
    """Prior of a behaviour's effect at its typical dose, on ln RMSSD: mean and SD."""
    if behaviour == SICK:
        return SICK_PRIOR
    if behaviour != ALCOHOL:
        return OTHER_PRIOR
    typical = typical_dose(doses)
    share = 1.0 if typical is None else min(typical / TYPICAL_DRINKS, 1.5)
    return ALCOHOL_ANY[0] * share, ALCOHOL_ANY[1] * max(share, 0.3)


def dose_scale(doses: dict[date, float | None], dose: float | None) -> float:
    """A dose in units of the person's typical one; 1 where no amount was said, at most 3."""
    typical = typical_dose(doses)
    return 1.0 if typical is None or dose is None else min(dose / typical, 3.0)


def _strain(history: History, nights: list[date]) -> np.ndarray:
    """Strain of the day before each night, in steps of five points from the mean of those days; 0 where unknown."""
    known = {
        row["day"]: row["strain_0_21"]
        for row in history.days.iter_rows(named=True)
        if row["strain_0_21"] is not None and row["strain_is_final"]
    }
    raw = np.array([known.get(night - timedelta(days=1), np.nan) for night in nights], dtype=float)
    mean = np.nanmean(raw) if np.isfinite(raw).any() else 0.0
    return np.nan_to_num((raw - mean) / STRAIN_STEP)
