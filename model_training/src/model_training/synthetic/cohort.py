"""Generate a cohort: people, then their days and nights one after the other, all people at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from model_training.errors import TrainingError
from model_training.synthetic.people import People, draw_people
from model_training.synthetic.process import (
    Day,
    Night,
    State,
    advance,
    calendar,
    draw_day,
    draw_night,
    sick_probability,
)

__all__ = ["Cohort", "Record", "make_cohort"]

BURN_IN_NIGHTS = 90
FIRST_DAY = np.datetime64("2021-01-04", "D").astype(int).item()
START_SPREAD_DAYS = 700
UNIFORMS = ("workout", "drinking", "dose", "late", "seen", "sick", "logged", "device", "hit", "missing")
NORMALS = ("z_strain", "z", "z_rhr", "z_resp", "z_sleep")


@dataclass(frozen=True)
class Record:
    """Everything that happened, [N, T] each: column t is wake day t, its night (ending that morning) and its day.

    ``sick_known`` is the probability of illness on the day before, as it stands on the morning of t: 0 or 1 once the
    journal or a worn night has told, between them the chain's own forecast.
    """

    night: Night
    day: Day
    state: State
    sick_known: np.ndarray
    sick_night: np.ndarray


@dataclass(frozen=True)
class Cohort:
    """A synthetic cohort with its true parameters.

    Attributes
    ----------
    people : People
        True parameters [N].
    record : Record
        Nights, days and states [N, T].
    first_day : ndarray [N] of int
        Days from 1970-01-01 to the wake day of column 0.
    seed : int
    """

    people: People
    record: Record
    first_day: np.ndarray
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """People, nights."""
        return self.record.night.y.shape


def make_cohort(people: int, nights: int, seed: int, *, journal_share: float = 0.4) -> Cohort:
    """Generate people whose true predictive law is known.

    A forecaster that does well here has a working pipeline; that says nothing about physiology. Synthetic wins prove
    the pipeline, not the physiology.

    Parameters
    ----------
    people, nights : int
        Size; every person has ``nights`` wake days in a row, some of them not worn.
    seed : int
    journal_share : float
        Share of people who keep an evening journal (about nine days in ten).

    Raises
    ------
    TrainingError
        A size below 1 or a share outside 0..1.
    """
    if people < 1 or nights < 1 or not 0.0 <= journal_share <= 1.0:
        raise TrainingError(
            "A synthetic cohort needs at least one person and one night and a journal share from 0 to 1; "
            f"got people={people}, nights={nights}, journal_share={journal_share}. Pass numbers in range."
        )
    rng = np.random.default_rng([seed, 41])
    who = draw_people(people, rng, journal_share)
    first_day = FIRST_DAY + rng.integers(0, START_SPREAD_DAYS, people)
    return Cohort(who, _live(who, nights, first_day, rng), first_day, seed)


def _live(who: People, nights: int, first_day: np.ndarray, rng: np.random.Generator) -> Record:
    people = len(first_day)
    zero, no = np.zeros(people), np.zeros(people, bool)
    state = State(zero, zero, zero, zero, zero, zero, zero, no, no, no)
    day = Day(who.strain_mean, no, no, ~no, zero.astype(int), no, no, no)
    sick_known = zero
    kept: list[tuple[Night, Day, State, np.ndarray, np.ndarray]] = []
    for t in range(-BURN_IN_NIGHTS, nights):
        u = {name: rng.random(people) for name in UNIFORMS}
        u |= {name: rng.standard_normal(people) for name in NORMALS}
        night = draw_night(who, state, day, calendar(who, first_day + t - 1), u)
        known = day.logged | ~night.missing
        sick_known = np.where(known, day.sick, sick_probability(sick_known))
        sick_night = day.sick
        state = advance(who, state, day, night)
        if t < 0:
            state.device = no
        day = draw_day(who, state, calendar(who, first_day + t), u)
        if t < 0:
            day.device = no
        kept.append((night, day, state, sick_known, sick_night))
    kept = kept[BURN_IN_NIGHTS:]
    parts = [_stack([step[k] for step in kept]) for k in range(3)]
    return Record(*parts, *(np.stack([step[k] for step in kept], axis=1) for k in (3, 4)))


def _stack(steps: list) -> Night | Day | State:
    kind = type(steps[0])
    return kind(**{f.name: np.stack([getattr(s, f.name) for s in steps], axis=1) for f in fields(kind)})
