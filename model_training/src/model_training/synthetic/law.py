"""The true predictive law: the best forecast that anybody could issue from what could be observed.

Night 1 in the evening is a finite mixture of normals (unlogged drinks x illness x ordinary or hit night), inverted
numerically. The morning, and nights 2-7, have days in between that are not known yet: they are simulated from the
process itself with the person's true parameters. The paths are a Latin hypercube with a seed of their own, so that the
law of an origin depends on nothing but its past. Every law is that of a night *given that it is worn*, because only
such nights are ever scored. Synthetic wins prove the pipeline, not the physiology.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from scipy.special import ndtr, ndtri

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS, SLOTS
from model_training.errors import TrainingError
from model_training.synthetic.cohort import NORMALS, UNIFORMS, Cohort
from model_training.synthetic.people import DOSES, People
from model_training.synthetic.process import (
    HIT_SPREAD,
    Calendar,
    Day,
    State,
    advance,
    calendar,
    dose_law,
    draw_day,
    draw_night,
    hit_probability,
    location,
    logged_probability,
    missing_probability,
    sick_probability,
)

__all__ = ["true_quantiles"]

PATHS = 1500
BISECTIONS = 45
_LEVELS = np.asarray(QUANTILE_LEVELS)


def true_quantiles(
    cohort: Cohort, person_index: int, origins: Sequence[int] | np.ndarray, slot: str, *, paths: int = PATHS
) -> np.ndarray:
    """Quantiles of the true law of nights 1..7 after each origin, given the observable past at the slot.

    Parameters
    ----------
    cohort : Cohort
    person_index : int
        0-based; person_id 's0001' is 0.
    origins : sequence of int [O]
        Columns (0-based days since the person's first row). The night that ends on the origin day is known.
    slot : str
        'evening' knows the origin day's strain, workouts and journal; 'morning' integrates them out.
    paths : int
        Simulated futures per origin.

    Returns
    -------
    ndarray [O, 7, 23], ms
        At ``QUANTILE_LEVELS``, non-decreasing; conditional on the target night being worn.

    Raises
    ------
    TrainingError
        An unknown slot, person or origin.
    """
    origins = np.asarray(origins, dtype=int)
    _require(cohort, person_index, origins, slot)
    person = cohort.people.one(person_index)
    numbers = cohort.first_day[person_index] + origins
    state = _at(cohort.record.state, person_index, origins)
    day = _at(cohort.record.day, person_index, origins) if slot == "evening" else None
    sick_known = cohort.record.sick_known[person_index, origins][:, None].astype(np.float32)
    rng = np.random.default_rng([cohort.seed, 43, person_index, SLOTS.index(slot)])
    ln = _simulated(person, state, day, sick_known, numbers, rng, paths)
    if day is not None:
        ln[:, 0] = _first_night(person, state, day, _column(calendar(person, numbers)), sick_known)
    return np.exp(ln)


def _simulated(
    person: People,
    state: State,
    day: Day | None,
    sick_known: np.ndarray,
    numbers: np.ndarray,
    rng: np.random.Generator,
    paths: int,
) -> np.ndarray:
    """Quantiles [O, 7, 23] of ln RMSSD over simulated futures; ``day`` is None while it lies ahead."""
    u = _hypercube(rng, paths)
    cal = _column(calendar(person, numbers))
    state = replace(state, sick=u["sick_before"] < sick_known)
    day = draw_day(person, state, cal, u) if day is None else _evening(person, day, cal, sick_known, u)
    ln = np.empty((len(numbers), len(HORIZONS), len(_LEVELS)))
    for step in range(len(HORIZONS)):
        u = _hypercube(rng, paths)
        night = draw_night(person, state, day, cal, u)
        ln[:, step] = _path_quantiles(night.y, night.missing)
        state = advance(person, state, day, night)
        cal = _column(calendar(person, numbers + step + 1))
        day = draw_day(person, state, cal, u)
    return ln


def _evening(
    person: People, day: Day, cal: Calendar, sick_known: np.ndarray, u: dict[str, np.ndarray]
) -> Day:
    """The origin day as an observer sees it: what the journal did not say is drawn given that it did not say it."""
    law = _hidden_doses(person, day, cal)
    edges = np.cumsum(law, axis=-1)
    drinks = np.zeros(np.broadcast_shapes(day.drinks.shape, u["dose"].shape), np.int64)
    for k in range(len(DOSES) - 1):
        drinks = np.where(u["dose"] > edges[..., k], DOSES[k + 1], drinks)
    return Day(
        strain=day.strain,
        workout=day.workout,
        late=day.late,
        seen=day.seen,
        drinks=np.where(day.logged, day.drinks, drinks),
        sick=np.where(day.logged, day.sick, u["sick"] < sick_probability(sick_known)),
        logged=day.logged,
        device=day.device,
    )


def _hidden_doses(person: People, day: Day, cal: Calendar) -> np.ndarray:
    """Law [O, 1, D] of a day's drinks given that nothing was logged."""
    law = dose_law(person, cal.drinking) * (1.0 - logged_probability(person, np.array(DOSES)))
    return law / law.sum(axis=-1, keepdims=True)


def _first_night(person: People, state: State, day: Day, cal: Calendar, sick_known: np.ndarray) -> np.ndarray:
    """Quantiles [O, 23] of ln RMSSD of the coming night in the evening: a mixture of normals."""
    doses = np.array(DOSES)
    told = (doses == day.drinks[..., None]).astype(float)
    by_dose = np.where(day.logged[..., None], told, _hidden_doses(person, day, cal))
    by_dose = by_dose * (1.0 - missing_probability(person, _wide(state), doses))
    by_dose = by_dose / by_dose.sum(axis=-1, keepdims=True)
    ill = np.where(day.logged, day.sick, sick_probability(sick_known)).astype(float)
    hit = hit_probability(person, day, cal)
    unlogged = ~day.logged[..., None]
    drop = np.where(unlogged, person.alcohol_effect * doses, 0.0)
    weights, means, spreads = [], [], []
    for is_ill in (0, 1):
        for is_hit in (0, 1):
            share = (ill if is_ill else 1.0 - ill) * (hit if is_hit else 1.0 - hit)
            weights.append(by_dose * share[..., None])
            means.append(
                location(person, state, day, cal)[..., None]
                + drop
                + is_ill * unlogged * person.sick_effect
                - is_hit * person.hit_drop * person.sigma
            )
            spreads.append(np.full(by_dose.shape, person.sigma * (HIT_SPREAD if is_hit else 1.0)))
    flat = [np.concatenate(parts, axis=-1)[:, 0, :].astype(float) for parts in (weights, means, spreads)]
    return _mixture_quantiles(*flat)


def _mixture_quantiles(weights: np.ndarray, means: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    """Invert mixtures of normals [O, K] by bisection -> [O, Q]."""
    low = np.repeat((means - 6 * spreads).min(axis=1)[:, None], len(_LEVELS), axis=1)
    high = np.repeat((means + 6 * spreads).max(axis=1)[:, None], len(_LEVELS), axis=1)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        z = (middle[:, None, :] - means[:, :, None]) / spreads[:, :, None]
        below = (weights[:, :, None] * ndtr(z)).sum(axis=1) < _LEVELS
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def _path_quantiles(y: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Quantiles [O, Q] over the paths [O, M] on which the night was worn.

    At the places (n + 1) p, below which the next draw falls with probability p.
    """
    ordered = np.sort(np.where(missing, np.float32(np.inf), y), axis=1)
    worn = ordered.shape[1] - np.broadcast_to(missing, ordered.shape).sum(axis=1, keepdims=True)
    place = np.clip((worn + 1) * _LEVELS - 1.0, 0.0, np.maximum(worn - 1, 0))
    left = place.astype(int)
    right = np.minimum(left + 1, np.maximum(worn - 1, 0))
    a, b = np.take_along_axis(ordered, left, axis=1), np.take_along_axis(ordered, right, axis=1)
    return a + (b - a) * (place - left)


def _hypercube(rng: np.random.Generator, paths: int) -> dict[str, np.ndarray]:
    names = (*UNIFORMS, *NORMALS, "sick_before")
    cells = rng.permuted(np.tile(np.arange(paths), (len(names), 1)), axis=1)
    u = (cells + rng.random(cells.shape)) / paths
    return {
        name: (ndtri(row) if name in NORMALS else row)[None, :].astype(np.float32)
        for name, row in zip(names, u, strict=True)
    }


def _at(record: State | Day, person_index: int, origins: np.ndarray) -> State | Day:
    """The record at the origins as columns [O, 1]; floats in single precision, which halves the time."""
    values = {f.name: getattr(record, f.name)[person_index, origins][:, None] for f in fields(record)}
    single = {k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in values.items()}
    return type(record)(**single)


def _column(cal: Calendar) -> Calendar:
    single = {
        f.name: v.astype(np.float32) if v.dtype.kind == "f" else v
        for f in fields(cal)
        for v in (getattr(cal, f.name)[:, None],)
    }
    return Calendar(**single)


def _wide(state: State) -> State:
    return State(**{f.name: getattr(state, f.name)[..., None] for f in fields(state)})


def _require(cohort: Cohort, person_index: int, origins: np.ndarray, slot: str) -> None:
    people, nights = cohort.shape
    if slot not in SLOTS:
        raise TrainingError(f"A slot is one of {', '.join(SLOTS)}; got {slot!r}. Name one of them.")
    if not 0 <= person_index < people or origins.ndim != 1 or np.any((origins < 0) | (origins >= nights)):
        raise TrainingError(
            f"The law is known for persons 0..{people - 1} and origins 0..{nights - 1} (a flat list); got person "
            f"{person_index} and origins of shape {origins.shape}. Ask within the cohort."
        )
