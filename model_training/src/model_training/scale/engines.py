"""Engines that spread tasks: this process, joblib's local processes, Dask or Ray on this machine; one option chooses.

All listen on the loopback only, write to the given scratch folder only, tell nobody about it, and are gone afterwards.
"""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from model_training.scale.errors import BadScale, EngineAbsent

__all__ = ["ENGINES", "spread"]

T, R = TypeVar("T"), TypeVar("R")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
LOOPBACK = "127.0.0.1"
RAY_OBJECTS_BYTES = 100_000_000


def spread(
    work: Callable[[T], R], tasks: list[T], *, engine: str, workers: int, scratch: Path
) -> Iterator[R]:
    """Do ``work`` on every task and yield the answers as they come.

    Parameters
    ----------
    work : callable
        A function of a module, so that another process finds it.
    scratch : Path
        Folder for whatever the engine spills.

    Raises
    ------
    BadScale
        No such engine.
    EngineAbsent
        Its package is not installed.
    """
    if engine not in ENGINES:
        raise BadScale(f"Expected an engine of {', '.join(ENGINES)}, got {engine!r}. Pass one of them.")
    with closing(ENGINES[engine](work, tasks, workers, scratch)) as answers:
        yield from answers


def _serial(work: Callable[[T], R], tasks: list[T], workers: int, scratch: Path) -> Iterator[R]:
    yield from map(work, tasks)


def _joblib(work: Callable[[T], R], tasks: list[T], workers: int, scratch: Path) -> Iterator[R]:
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    with _environment(ONE_THREAD):
        try:
            parallel = Parallel(workers, "loky", return_as="generator_unordered", temp_folder=str(scratch))
            yield from parallel(delayed(work)(task) for task in tasks)
        finally:
            get_reusable_executor().shutdown(wait=True)  # only then their CPU is counted


def _dask(work: Callable[[T], R], tasks: list[T], workers: int, scratch: Path) -> Iterator[R]:
    try:
        import dask
        from distributed import Client, LocalCluster, as_completed
    except ImportError:
        raise EngineAbsent(_absent("Dask", "cluster")) from None

    settings = {
        "temporary-directory": str(scratch), "distributed.nanny.pre-spawn-environ": ONE_THREAD,
        "distributed.worker.profile.enabled": False, "distributed.worker.http.routes": [],
        "distributed.scheduler.http.routes": [], "distributed.comm.timeouts.connect": "30s",
    }  # fmt: skip
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, host=LOOPBACK, dashboard_address=None,
            scheduler_kwargs={"dashboard_address": f"{LOOPBACK}:0"},  # else it wants the one port 8787
            worker_dashboard_address=None, local_directory=str(scratch), memory_limit=0, silence_logs=40,
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        for answer in as_completed(client.map(work, tasks, pure=False)):
            yield answer.result()


def _ray(work: Callable[[T], R], tasks: list[T], workers: int, scratch: Path) -> Iterator[R]:
    quiet = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on every system: the node's address is the loopback
        "RAY_AUTH_TOKEN": _ray_token(),  # of this process alone; else Ray keeps one in the home folder
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    with _environment(ONE_THREAD | quiet):
        try:
            import ray
        except ImportError:
            raise EngineAbsent(_absent("Ray", "ray")) from None
        if ray.util.get_node_ip_address() != LOOPBACK:  # it reads its environment once, when it is imported
            raise BadScale(
                "Expected Ray to stay on the loopback, but it was imported before and would listen on all addresses. "
                "Run the command in a process of its own."
            )
        ray.init(
            num_cpus=workers, include_dashboard=False, _node_ip_address=LOOPBACK, _temp_dir=str(scratch),
            object_store_memory=RAY_OBJECTS_BYTES, log_to_driver=False, configure_logging=False,
        )  # fmt: skip
        try:
            remote = ray.remote(num_cpus=1)(work)
            waiting: Iterable = [remote.remote(task) for task in tasks]
            while waiting:
                ready, waiting = ray.wait(waiting)
                yield from ray.get(ready)
        finally:
            ray.shutdown()


ENGINES: dict[str, Callable[..., Iterator]] = {
    "serial": _serial,
    "joblib": _joblib,
    "dask": _dask,
    "ray": _ray,
}


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Environment that processes started meanwhile inherit; as it was afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@functools.cache
def _ray_token() -> str:
    """One for all runs of this process, because Ray reads it once."""
    return secrets.token_hex(32)


def _absent(engine: str, extra: str) -> str:
    return (
        f"Expected {engine} to be installed for this engine, it is not. Install it "
        f"(pip install 'hrv-model-training[{extra}]'), or take the engine joblib."
    )
