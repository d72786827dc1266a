"""Fit a pool: every pooled forecaster learns its part from the same people, for both slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hrv_shared.constants import SLOTS
from hrv_shared.forecaster import find_forecasters
from model_training.day_grid import DayGrid
from model_training.forecasters.state_space import run_filters
from model_training.paths import LocationScale, standardised_errors
from model_training.pool import Pool
from model_training.week_paths import fit_correlation

__all__ = ["LEAST_PEOPLE", "WEEK_PATHS", "fit_pool", "fit_shipped", "pooled_forecasters"]

LEAST_PEOPLE = 4
WEEK_PATHS = "week_paths"
"""The pool's part that ties the nights of a week together."""


def pooled_forecasters() -> list[type[LocationScale]]:
    """Registered forecasters that start from a pool, each after those it builds on."""
    found = [f for f in find_forecasters().values() if issubclass(f, LocationScale)]
    return sorted(found, key=lambda forecaster: (len(forecaster.builds_on), forecaster.name))


def fit_pool(
    grids: Mapping[str, Sequence[DayGrid]],
    about: Mapping[str, Any],
    *,
    forecasters: Sequence[type[LocationScale]] | None = None,
    advance: Callable[[float], None] = lambda _amount: None,
) -> Pool:
    """Fit every part.

    Parameters
    ----------
    grids : dict
        slot -> one grid a person.

    Raises
    ------
    ValueError
        Fewer than ``LEAST_PEOPLE`` people.
    """
    wanted = pooled_forecasters() if forecasters is None else list(forecasters)
    parts: dict[str, dict[str, Any]] = {slot: {} for slot in SLOTS}
    for slot, people in grids.items():
        if len(people) < LEAST_PEOPLE:
            raise ValueError(f"expected at least {LEAST_PEOPLE} people for a pool, got {len(people)}")
        for forecaster in wanted:
            needed = {name: parts[slot][name] for name in forecaster.builds_on}
            parts[slot][forecaster.name] = forecaster.fit_pool(people, needed)
            advance(1.0)
        if "state_space" in parts[slot]:
            parts[slot][WEEK_PATHS] = {"correlation": _nights_together(people, parts[slot]["state_space"])}
    return Pool(parts, dict(about))


def _nights_together(people: Sequence[DayGrid], prior: Mapping[str, Any]) -> list[list[float]]:
    errors = [standardised_errors(run_filters(grid, prior).located, grid) for grid in people]
    return fit_correlation(errors).round(4).tolist()


SHIPPED_SYNTHETIC = (60, 365, 4242)
"""People, nights and seed of the synthetic cohort in the shipped pool."""


def fit_shipped(table: Path | None, *, advance: Callable[[float], None] = lambda _amount: None) -> Pool:
    """The pool that ships: a synthetic cohort and, if given, the people of an openly licensed table.

    Parameters
    ----------
    table : Path, optional
        In the form of ``hrv bench forecast``; its people are named in ``about`` by digests of their nights, so that no
        benchmark judges the pool on somebody that it has seen.
    """
    from model_training.bench.people import people_of, read_people
    from model_training.synthetic import cohort_table, make_cohort

    people, nights, seed = SHIPPED_SYNTHETIC
    synthetic = people_of(cohort_table(make_cohort(people, nights, seed)))[0]
    real = read_people(table)[0] if table else []
    grids = {slot: [person.grid(slot) for person in (*real, *synthetic)] for slot in SLOTS}
    about = {
        "synthetic": {"people": people, "nights": nights, "seed": seed},
        "real": {"people": len(real), "nights": int(sum(person.nights for person in real))},
        "people": sorted(person.digest for person in real),
    }
    return fit_pool(grids, about, advance=advance)
