"""The rolling-origin evaluation: every forecaster, the product and every opponent on the same nights.

People are held out in folds: a fold's pool is fitted on the other people of the table and on a synthetic support,
never on whom it is judged on. Within a person every row is as of its origin (``paths``, ``combination``). A fold or an
opponent that is finished stands on disk, so a run that was cut off carries on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from hrv_shared.constants import NAIVE_FORECASTERS, PRODUCT, SLOTS
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import find_forecasters
from model_training.bench.masks import RUNGS, masked
from model_training.bench.origins import LADDER, MAIN, periods
from model_training.bench.people import BenchPerson
from model_training.bench.scoring import SCHEMA, score_path, score_weeks
from model_training.combination import combine
from model_training.day_grid import DayGrid
from model_training.opponents import AutoArima, AutoEts, AutoTheta, LightGbmMlforecast, Person
from model_training.paths import LocationScale, PathForecaster
from model_training.pool import Pool, shipped_pool
from model_training.pool_fitting import WEEK_PATHS, fit_pool, pooled_forecasters
from model_training.synthetic import cohort_table, make_cohort

__all__ = ["SHIPPED", "TRUE_LAW", "Plan", "evaluate"]

FOLDS = 6
SUPPORT_PEOPLE, SUPPORT_NIGHTS, SUPPORT_SEED = 24, 300, 9001
"""A fold's pool is topped up with synthetic people to so many with at least ``LONG_NIGHTS`` nights."""
LONG_NIGHTS = 100
SHIPPED = "final_shipped"
"""The product with the pool that comes with the package: what a wearer alone gets."""
TRUE_LAW = "true_law"
AUTO_MOST = 60
"""Origins a person at which the slow opponents are asked, evenly spread."""


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes
    ----------
    against : str
        'all' (every opponent), 'fast' (without AutoETS, AutoARIMA, AutoTheta) or 'naive'.
    truth : dict, optional
        person -> slot -> (origins, quantiles [O, 7, 23] ms) of the true law, on synthetic people.
    """

    folder: Path
    against: str = "all"
    seed: int = 0
    workers: int = 2
    ladder: bool = True
    truth: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]] | None = None


def evaluate(
    people: Sequence[BenchPerson], plan: Plan, *, advance: Callable[[float], None] = lambda _amount: None
) -> pl.DataFrame:
    """Score everybody on everything.

    Returns
    -------
    DataFrame
        Columns of ``bench.scoring.SCHEMA``.
    """
    from joblib import Parallel, delayed

    plan.folder.mkdir(parents=True, exist_ok=True)
    folds = [list(range(k, len(people), FOLDS)) for k in range(min(FOLDS, len(people)))]
    tasks: list[tuple[str, Callable[..., pl.DataFrame], tuple]] = [
        (f"fold-{k}", _fold, (list(people), fold, plan)) for k, fold in enumerate(folds)
    ]
    if plan.against != "naive":
        tasks.append(("lightgbm_mlforecast", _panel, (list(people),)))
    if plan.against == "all":
        tasks += [(name, _auto, (list(people), name)) for name in AUTO]
    missing = [task for task in tasks if not _path(plan, task[0]).exists()]
    for _ in range(len(tasks) - len(missing)):
        advance(1 / len(tasks))
    started = Parallel(n_jobs=plan.workers, return_as="generator_unordered")(
        delayed(_run)(_path(plan, name), work, arguments) for name, work, arguments in missing
    )
    for _ in started:
        advance(1 / len(tasks))
    return pl.concat([pl.read_parquet(_path(plan, name)) for name, _, _ in tasks])


AUTO: dict[str, Callable[[], Any]] = {"auto_ets": AutoEts, "auto_arima": AutoArima, "auto_theta": AutoTheta}


def _path(plan: Plan, name: str) -> Path:
    return plan.folder / f"{name}.parquet"


def _run(path: Path, work: Callable[..., pl.DataFrame], arguments: tuple) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with threadpool_limits(1):
        scores = work(*arguments)
    partial = path.with_suffix(f".{os.getpid()}.part")
    scores.write_parquet(partial)
    partial.replace(path)


def _fold(people: list[BenchPerson], fold: list[int], plan: Plan) -> pl.DataFrame:
    """Everything of ours on the people of one fold, for both slots."""
    others = [person for k, person in enumerate(people) if k not in fold]
    frames = []
    for slot in SLOTS:
        pool = fold_pool(others, slot)
        for k in fold:
            frames += _person(people[k], slot, pool, plan)
    return pl.concat(frames)


def fold_pool(others: Sequence[BenchPerson], slot: str) -> Pool:
    """A pool of one slot fitted on these people and the synthetic support."""
    beside = support()[: max(SUPPORT_PEOPLE - sum(person.nights >= LONG_NIGHTS for person in others), 0)]
    grids = [person.grid(slot) for person in (*others, *beside)]
    return fit_pool({slot: grids}, {}, forecasters=pooled_forecasters())


def support() -> list[BenchPerson]:
    """The synthetic people beside the table's."""
    from model_training.bench.people import people_of

    return people_of(cohort_table(make_cohort(SUPPORT_PEOPLE, SUPPORT_NIGHTS, SUPPORT_SEED)))[0]


def _person(person: BenchPerson, slot: str, pool: Pool, plan: Plan) -> list[pl.DataFrame]:
    grid = person.grid(slot)
    said = members_said(grid, pool)
    said[PRODUCT] = product(grid, said)
    if not _is_in(person, shipped_pool()):
        said[SHIPPED] = product(grid, members_said(grid, None, only=pooled_names()) | _unpooled(said))
    asked = periods(grid)
    frames = [
        score_path(person.name, grid, period, name, origins, quantiles[origins])
        for name, quantiles in said.items() for period, origins in asked.items()
    ]  # fmt: skip
    tied = np.asarray(pool.part(WEEK_PATHS, slot)["correlation"])
    frames.append(score_weeks(person.name, grid, asked[MAIN], said[PRODUCT], tied, seed=plan.seed))
    if plan.truth is not None:
        origins, quantiles = plan.truth[person.name][slot]
        frames.append(score_path(person.name, grid, MAIN, TRUE_LAW, origins, quantiles))
    if plan.ladder and slot == "evening":
        for rung in RUNGS:
            seen = masked(grid, rung)
            own = product(seen, members_said(seen, pool, only=pooled_names()) | _unpooled(said))
            frames.append(score_path(person.name, grid, LADDER, rung, asked[MAIN], own[asked[MAIN]]))
    return frames


def members_said(
    grid: DayGrid, pool: Pool | None, *, only: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Quantiles [N, 7, 23] of every path forecaster at every origin; those that refuse are left out."""
    every = np.arange(len(grid))
    said = {}
    for name, forecaster in find_forecasters().items():
        if only is not None and name not in only:
            continue
        made = forecaster(pool) if issubclass(forecaster, LocationScale) else forecaster()
        if isinstance(made, PathForecaster):
            try:
                said[name] = made.path(grid, every)
            except Refusal:
                continue
    return said


def pooled_names() -> list[str]:
    """Names of the forecasters that start from a pool."""
    return [forecaster.name for forecaster in pooled_forecasters()]


def product(grid: DayGrid, said: Mapping[str, np.ndarray]) -> np.ndarray:
    """What the product says: the online combination of all but the naive rules, [N, 7, 23] ms."""
    voices = {name: quantiles for name, quantiles in said.items() if name not in NOT_MIXED}
    return combine(voices, np.exp(grid.log_hrv)).quantiles_ms


NOT_MIXED = (*NAIVE_FORECASTERS, "weekday", PRODUCT, SHIPPED)


def _unpooled(said: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: q for name, q in said.items() if name not in (*pooled_names(), PRODUCT)}


def _is_in(person: BenchPerson, pool: Pool) -> bool:
    return person.digest in pool.about.get("people", [])


def _panel(people: list[BenchPerson]) -> pl.DataFrame:
    """LightGBM through mlforecast, one model for everybody in the table."""
    opponent = LightGbmMlforecast()
    grids = [person.grid("evening") for person in people]
    asked = [periods(grid)[MAIN] for grid in grids]
    panel = [Person(grid.days[0], np.exp(grid.log_hrv)) for grid in grids]
    said = opponent.panel_quantiles(panel, asked)
    rows = zip(people, grids, asked, said, strict=True)
    return _both_slots([score_path(p.name, g, MAIN, "lightgbm_mlforecast", o, q) for p, g, o, q in rows])


def _auto(people: list[BenchPerson], name: str) -> pl.DataFrame:
    """One of statsforecast's automatic models, at evenly spread origins."""
    frames = []
    for person in people:
        grid = person.grid("evening")
        origins = periods(grid)[MAIN]
        origins = origins[
            np.unique(np.linspace(0, len(origins) - 1, min(AUTO_MOST, len(origins))).astype(int))
        ]
        if len(origins):
            said = AUTO[name]().quantiles(np.exp(grid.log_hrv), origins)
            frames.append(score_path(person.name, grid, MAIN, name, origins, said))
    return _both_slots(frames)


def _both_slots(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Opponents that see nothing but nights say the same in the morning and in the evening."""
    scores = pl.concat([pl.DataFrame(schema=SCHEMA), *frames])
    return pl.concat([scores.with_columns(slot=pl.lit(slot)) for slot in SLOTS])
