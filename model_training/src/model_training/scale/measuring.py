"""Measure one day of cohorts of several sizes.

The unit. A **forecast** is one forecaster's word for one member at one origin (seven nights, 23 quantiles each). The
anchors of forecasting.md's issue are for a series that ten light models forecast in seven windows: 27 such series a
CPU-second, 1,890 forecasts; AutoARIMA alone 0.23 series, 1.6 forecasts. So a **series** is here 70 forecasts, whatever
the number of forecasters and windows, and both numbers are reported. Histories are made beforehand and don't count;
reading them from Parquet, the as-of view, features, forecasts, combination and the engine's own start do.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hrv_shared.record import canonical_json
from model_training.pool import Pool, shipped_pool
from model_training.scale.bucket_task import BucketDone, BucketTask, done_before, run_bucket
from model_training.scale.costs import children_cpu_s, own_cpu_s
from model_training.scale.engines import ENGINES, spread
from model_training.scale.errors import BadScale
from model_training.scale.members import lay_out

__all__ = ["ANCHORS", "FORECASTS_A_SERIES", "LIGHT", "light_forecasters", "run_scale"]

LIGHT = (
    "last_night:LastNight", "last_28:Last28", "ewma_8:Ewma8", "weekday:Weekday",
    "state_space:StateSpace", "ridge:Ridge", "trees:Trees",
)  # fmt: skip
FORECASTS_A_SERIES = 10 * 7
ANCHORS = {
    "ten_light_models": {"series_per_cpu_second": 27.0, "forecasts_per_cpu_second": 27.0 * 70},
    "auto_arima": {"series_per_cpu_second": 0.23, "forecasts_per_cpu_second": 0.23 * 7},
}
"""Of the issue: series through ten models or one, seven windows each."""
LEAST_NIGHTS = 60


def light_forecasters() -> tuple[type, ...]:
    """The classes of ``LIGHT``: all that forecast a history in one pass without a network."""
    found = (entry.split(":") for entry in LIGHT)
    return tuple(getattr(import_module(f"model_training.forecasters.{file}"), name) for file, name in found)


def run_scale(
    members: Sequence[int],
    *,
    engine: str = "joblib",
    workers: int = 2,
    nights: int = 200,
    seed: int = 0,
    advance: Callable[[float], None] = lambda _: None,
    forecasters: Sequence[type] | None = None,
    pool: Pool | None = None,
    slot: str = "evening",
    windows: int = 7,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Measure the sizes one after the other.

    Parameters
    ----------
    members : sequence of int
        Sizes of the cohorts.
    engine : str
        'serial', 'joblib', 'dask' or 'ray'.
    nights : int
        Days of every member's history.
    advance : callable
        Called with the number of members that are done (made ones count nothing).
    forecasters : sequence of type, optional
        Classes of path forecasters; all light ones by default.
    pool : Pool, optional
        The shipped one by default.
    windows : int
        Origins; 7 compares with the anchors, 1 is the product's day.
    folder : Path, optional
        Where to keep tables and finished buckets, so that a run that was stopped goes on; else a temporary folder.

    Returns
    -------
    dict
        JSON: what was asked, anchors, and ``sizes``, see ``_size``.

    Raises
    ------
    BadScale
        A size, a number of workers or an engine that can't be.
    """
    if (
        not members
        or min(members) < 1
        or workers < 1
        or nights < LEAST_NIGHTS
        or windows not in range(1, nights)
    ):
        raise BadScale(
            f"Expected sizes, workers and windows of 1 or more and at least {LEAST_NIGHTS} nights; got members="
            f"{list(members)}, workers={workers}, nights={nights}, windows={windows}. Pass numbers in range."
        )
    if engine not in ENGINES:
        raise BadScale(f"Expected an engine of {', '.join(ENGINES)}, got {engine!r}. Pass one of them.")
    kinds = tuple(forecasters or light_forecasters())
    asked = {
        "engine": engine, "workers": 1 if engine == "serial" else workers, "nights": nights, "seed": seed,
        "slot": slot, "windows": windows, "forecasters": {kind.name: kind.version for kind in kinds},
        "pool": (pool or shipped_pool()).digest(),
    }  # fmt: skip
    kept = Path(tempfile.mkdtemp(prefix="hrv-scale-")) if folder is None else folder
    try:
        sizes = [_size(kept, n, asked, kinds, pool, advance) for n in members]
    finally:
        if folder is None:
            shutil.rmtree(kept, ignore_errors=True)
    return asked | {"forecasts_a_series": FORECASTS_A_SERIES, "anchors": ANCHORS, "sizes": sizes}


def _size(
    folder: Path, members: int, asked: dict[str, Any], kinds: tuple[type, ...], pool: Pool | None,
    advance: Callable[[float], None],
) -> dict[str, Any]:  # fmt: skip
    """Figures of one size.

    Returns
    -------
    dict
        members, left_out (too few nights to be in a table), refused (no forecast at the last origin: the last night is
        old); buckets, buckets_kept (of an earlier run); forecasts, series; wall_s (of this run), cpu_s (this process,
        what it started, imports too), work_cpu_s (inside the tasks); *_per_cpu_second; peak_mb (largest process),
        cpu_ms_per_member by part; processes; digest of all quantiles.
    """
    tables = folder / f"tables-{members}x{asked['nights']}-{asked['seed']}"
    results = folder / f"results-{members}-{hashlib.sha256(canonical_json(asked).encode()).hexdigest()[:12]}"
    for place in (tables, results):
        place.mkdir(parents=True, exist_ok=True)
    buckets = lay_out(tables, members, nights=asked["nights"], seed=asked["seed"])
    pool_file = folder / f"pool-{asked['pool'][:12]}.json.gz"
    if pool is not None and not pool_file.exists():
        pool.save(pool_file)
    versions = tuple(asked["forecasters"].values())
    tasks = [
        BucketTask(str(tables), str(results), bucket, kinds, versions, str(pool_file) if pool else "", asked["slot"],
                   asked["windows"])
        for bucket in range(buckets) if (tables / f"bucket-{bucket:04d}").exists()
    ]  # fmt: skip
    before = [done for task in tasks if (done := done_before(task))]
    left = [task for task in tasks if task.bucket not in {done.bucket for done in before}]
    advance(sum(len(done.digests) for done in before))
    fresh, wall_s, cpu_s = _spread_measured(left, asked, advance)
    done = before + fresh
    work_s = sum(d.cpu_s for d in done)
    overhead_s = max(cpu_s - sum(d.cpu_s for d in fresh), 0.0)
    forecasts, found = sum(d.spoken for d in done), sum(len(d.digests) for d in done)
    rate = forecasts / (work_s + overhead_s)
    return {
        "members": found, "left_out": members - found, "refused": sum(d.refused for d in done),
        "buckets": len(tasks), "buckets_kept": len(before), "forecasts": forecasts,
        "series": forecasts / FORECASTS_A_SERIES, "wall_s": wall_s, "cpu_s": work_s + overhead_s,
        "work_cpu_s": work_s, "forecasts_per_cpu_second": rate, "series_per_cpu_second": rate / FORECASTS_A_SERIES,
        "work_series_per_cpu_second": forecasts / work_s / FORECASTS_A_SERIES,
        "peak_mb": max((d.peak_mb for d in done if d.peak_mb), default=None),
        "cpu_ms_per_member": _parts(done), "processes": len({d.process for d in fresh}), "digest": _digest(done),
    }  # fmt: skip


def _spread_measured(
    tasks: list[BucketTask], asked: dict[str, Any], advance: Callable[[float], None]
) -> tuple[list[BucketDone], float, float]:
    """The buckets, wall seconds, and CPU-seconds of this process and of all that the engine started."""
    if not tasks:
        return [], 0.0, 0.0
    done: list[BucketDone] = []
    scratch = Path(
        tempfile.mkdtemp(prefix="hrv-")
    )  # short: Ray's sockets lie in it, and their paths may have 107 bytes
    wall, own, children = time.perf_counter(), own_cpu_s(), children_cpu_s()
    try:
        for answer in spread(
            run_bucket, tasks, engine=asked["engine"], workers=asked["workers"], scratch=scratch
        ):
            done.append(answer)
            advance(len(answer.digests))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    wall_s, own_s, waited_s = time.perf_counter() - wall, own_cpu_s() - own, children_cpu_s() - children
    workers_s: dict[int, float] = defaultdict(float)
    for answer in done:
        workers_s[answer.process] = max(workers_s[answer.process], answer.process_cpu_s)
    started_s = 0.0 if asked["engine"] == "serial" else sum(workers_s.values())
    return (
        done,
        wall_s,
        own_s + max(started_s, waited_s),
    )  # a worker that nobody waited for still told what it used


def _parts(done: list[BucketDone]) -> dict[str, float]:
    """CPU milliseconds a member by part of the work, dearest first."""
    total: dict[str, float] = defaultdict(float)
    for answer in done:
        for part, seconds in answer.parts_cpu_s.items():
            total[part] += seconds
    count = sum(len(answer.digests) for answer in done)
    return {part: 1000 * s / count for part, s in sorted(total.items(), key=lambda item: -item[1])}


def _digest(done: list[BucketDone]) -> str:
    """One digest of every member's quantiles, whatever bucket they were in and whoever computed them."""
    digests = {member: digest for answer in done for member, digest in answer.digests.items()}
    return hashlib.sha256(canonical_json(digests).encode()).hexdigest()
