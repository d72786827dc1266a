"""The columns of the effects model: the week, load, unlogged evenings, behaviours by dose and night, clock times.

Every column of a night was known before it. What is not known of an evening counts as the member's average, so that it
speaks neither for nor against a behaviour; whether it was journalled at all has a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from data_intelligence.behaviours import NightlyJournal, typical_dose
from data_intelligence.clock_times import clock_hours
from data_intelligence.effect_priors import behaviour_prior, clock_prior, later_night_prior
from data_intelligence.sparse_prior import Prior
from hrv_shared.history import History

__all__ = ["LATER_NIGHTS", "Column", "Design", "build_design", "dose_scale"]

STRAIN_STEP, LOAD_DAYS = 5.0, 7
STRAIN_PRIOR = Prior(float(np.log(1 - 0.091)), 0.06)
LOAD_PRIOR = Prior(0.0, 0.04)
WEEKDAY_PRIOR = Prior(0.0, 0.05)
UNLOGGED_PRIOR = Prior(0.0, 0.05)
LATER_NIGHTS = (1, 2)
MIN_YES_FOR_LATER, MIN_CLOCK_NIGHTS = 3, 6
DOSE_CAP = 3.0


@dataclass(frozen=True)
class Column:
    """One regressor [N] and the prior of its coefficient on ln RMSSD.

    ``part`` is nature, behaviour or clock; ``later`` counts the nights after the coming one.
    """

    part: str
    name: str
    values: np.ndarray
    prior: Prior
    later: int = 0


@dataclass(frozen=True)
class Design:
    """Response (ln RMSSD) and columns of the nights with a value; ``usual_hours``: usual clock times."""

    nights: list[date]
    y: np.ndarray
    columns: list[Column]
    usual_hours: dict[str, float]

    @property
    def x(self) -> np.ndarray:
        """The columns side by side [N, K]."""
        return (
            np.column_stack([c.values for c in self.columns])
            if self.nights
            else np.zeros((0, len(self.columns)))
        )

    @property
    def day(self) -> np.ndarray:
        """The nights as ordinals [N]."""
        return np.array([night.toordinal() for night in self.nights], dtype=int)

    def index(self, part: str, name: str, later: int = 0) -> int | None:
        """Place of a column, or None."""
        wanted = (part, name, later)
        return next((i for i, c in enumerate(self.columns) if (c.part, c.name, c.later) == wanted), None)


def build_design(history: History, journal: NightlyJournal) -> Design:
    """Lay out the fit of one member's history."""
    scored = history.scored_nights()
    nights = scored["day"].to_list()
    columns = _nature(history, journal, nights)
    for behaviour in sorted(journal.doses):
        columns += _behaviour(journal, behaviour, nights)
    usual: dict[str, float] = {}
    for name, hours in sorted(clock_hours(history, journal.clock).items()):
        known = [hours[night] for night in nights if night in hours]
        if len(known) >= MIN_CLOCK_NIGHTS and np.ptp(known) > 0:
            usual[name] = float(np.median(known))
            later = np.array([hours.get(night, usual[name]) - usual[name] for night in nights])
            columns.append(Column("clock", name, np.clip(later, -6.0, 6.0), clock_prior(name)))
    y = np.log(scored["hrv_rmssd_ms"].to_numpy()) if nights else np.zeros(0)
    return Design(nights, y, columns, usual)


def dose_scale(doses: dict[date, float | None], dose: float | None) -> float:
    """A dose in units of the person's typical one; 1 where no amount was said, at most 3."""
    return _scaled(typical_dose(doses), dose)


def _scaled(typical: float | None, dose: float | None) -> float:
    return 1.0 if typical is None or dose is None else min(dose / typical, DOSE_CAP)


def _nature(history: History, journal: NightlyJournal, nights: list[date]) -> list[Column]:
    strain, load = _strain(history, nights)
    found = [
        Column("nature", "strain", strain, STRAIN_PRIOR),
        Column("nature", "load of the week", load, LOAD_PRIOR),
    ]
    logged = np.array([float(n in journal.journalled) for n in nights])
    if len(nights) and 0.0 < logged.mean() < 1.0:
        found.append(Column("nature", "unlogged", 1.0 - logged, UNLOGGED_PRIOR))
    for w in range(7):
        found.append(
            Column(
                "nature", f"weekday {w}", np.array([float(n.weekday() == w) for n in nights]), WEEKDAY_PRIOR
            )
        )
    return found


def _behaviour(journal: NightlyJournal, behaviour: str, nights: list[date]) -> list[Column]:
    """The coming night, and where there is enough to tell the two after it."""
    doses = journal.doses[behaviour]
    no, typical = journal.no_nights(behaviour), typical_dose(doses)
    known = [_scaled(typical, doses[n]) if n in doses else 0.0 for n in nights if n in doses or n in no]
    average = float(np.mean(known)) if known else 0.0

    def value(night: date) -> float:
        if night in doses:
            return _scaled(typical, doses[night])
        return 0.0 if night in no else average

    found = [Column("behaviour", behaviour, _at(nights, 0, value), behaviour_prior(behaviour, typical))]
    if len(doses) >= MIN_YES_FOR_LATER:
        for later in LATER_NIGHTS:
            values = _at(nights, later, value)
            found.append(Column("behaviour", behaviour, values, later_night_prior(behaviour, later), later))
    return found


def _at(nights: list[date], later: int, value: Callable[[date], float]) -> np.ndarray:
    return np.array([value(night - timedelta(days=later)) for night in nights])


def _strain(history: History, nights: list[date]) -> tuple[np.ndarray, np.ndarray]:
    """Strain of the day before each night and of the week before that, in steps of five points from their means."""
    known = {
        row["day"]: row["strain_0_21"]
        for row in history.days.iter_rows(named=True)
        if row["strain_0_21"] is not None and row["strain_is_final"]
    }
    raw = np.array([known.get(night - timedelta(days=1), np.nan) for night in nights], dtype=float)
    week = []
    for night in nights:
        before = [known.get(night - timedelta(days=back)) for back in range(2, LOAD_DAYS + 2)]
        said = [strain for strain in before if strain is not None]
        week.append(float(np.mean(said)) if len(said) >= LOAD_DAYS // 2 + 1 else np.nan)
    return _centred(raw) / STRAIN_STEP, _centred(np.array(week)) / STRAIN_STEP


def _centred(values: np.ndarray) -> np.ndarray:
    """Distance from the mean; 0 where unknown."""
    mean = np.nanmean(values) if np.isfinite(values).any() else 0.0
    return np.nan_to_num(values - mean)
