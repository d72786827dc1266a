"""The scale benchmark: the same bits from every engine, loopback only, nothing left behind, stopped runs go on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hrv_shared.history import make_history
from model_training.forecasters.ewma_8 import Ewma8
from model_training.forecasters.ridge import Ridge
from model_training.forecasters.state_space import StateSpace
from model_training.pool import Pool
from model_training.scale import render, run_scale
from model_training.scale.bucket_task import BucketDone, BucketTask, run_bucket
from model_training.scale.engines import spread
from model_training.scale.errors import BadScale, EngineAbsent, OtherCode
from model_training.scale.member_day import forecast_members, made
from model_training.scale.members import bucket_count, bucket_of, lay_out, read_bucket

KINDS = (Ewma8, StateSpace, Ridge)
MEMBERS, NIGHTS = 24, 60


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of a few members in buckets."""
    folder = tmp_path_factory.mktemp("cohort")
    assert lay_out(folder, MEMBERS, nights=NIGHTS, seed=1) == bucket_count(MEMBERS) == 2
    return folder


@pytest.fixture(scope="module")
def pool(cohort: Path) -> Pool:
    """Learned from twelve other synthetic people."""
    from model_training.day_grid import day_grid

    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), 12, nights=NIGHTS, seed=2)
        days, journal = read_bucket(Path(folder), 0)
    as_of = days["known_at"].max()
    names = days["member_id"].unique().sort()
    last = {m: days.filter(pl.col("member_id") == m)["day"].max() for m in names}
    grids = [day_grid(make_history(days, journal, m, as_of, last[m], "evening")) for m in names]
    part = {kind.name: kind.fit_pool(grids) for kind in (StateSpace, Ridge)}
    return Pool({"evening": part, "morning": part}, {"people": 12})


def measured(engine: str, pool: Pool, **more: object) -> dict:
    """One small run."""
    asked = {"engine": engine, "workers": 2, "nights": NIGHTS, "seed": 1, "windows": 2} | more
    return run_scale([asked.pop("members", MEMBERS)], forecasters=KINDS, pool=pool, **asked)


@pytest.fixture(scope="module")
def serial(pool: Pool) -> dict:
    """What one process says."""
    return measured("serial", pool)


def test_a_member_keeps_the_bucket_and_the_history_whoever_else_is_there(
    cohort: Path, tmp_path: Path
) -> None:
    lay_out(tmp_path, 3, nights=NIGHTS, seed=1)
    days, journal = read_bucket(tmp_path, 0)
    assert days["member_id"].n_unique() == 3
    for (member,), own in days.partition_by("member_id", as_dict=True).items():
        larger_days, larger_journal = read_bucket(cohort, bucket_of(member, bucket_count(MEMBERS)))
        assert own.equals(larger_days.filter(pl.col("member_id") == member))
        facts = (table.filter(pl.col("member_id") == member) for table in (journal, larger_journal))
        assert next(facts).equals(next(facts))
    assert bucket_of("synthetic/m000001", 64) == 18  # a stored cohort must never move


def test_the_day_of_members_is_what_each_forecaster_says_of_its_own_history(cohort: Path, pool: Pool) -> None:
    days, journal = read_bucket(cohort, 0)
    forecasters = made(KINDS, pool)
    day = forecast_members(days, journal, forecasters, slot="evening", windows=2)
    member = day.members[0]
    own = days.filter(pl.col("member_id") == member)
    at = own["day"].max()
    history = make_history(own, journal, member, own["known_at"].max().replace(hour=22), at, "evening")
    for k, forecaster in enumerate(forecasters):
        np.testing.assert_array_equal(day.quantiles_ms[0, k, -1], forecaster.fit(history).predict(history))
    mixed, said = day.quantiles_ms[0, -1, -1], day.quantiles_ms[0, :-1, -1]
    assert (np.diff(mixed) >= 0).all()
    assert (mixed[:, 11] >= said[:, :, 11].min(axis=0) - 1).all() and (
        mixed[:, 11] <= said[:, :, 11].max(axis=0) + 1
    ).all()


def test_members_whose_last_night_is_old_get_no_forecast(cohort: Path, pool: Pool) -> None:
    days, journal = read_bucket(cohort, 0)
    member = days["member_id"].min()
    recent = (pl.col("member_id") == member) & (
        pl.col("day") > pl.col("day").max().over("member_id") - pl.duration(days=4)
    )
    gone = days.with_columns(
        state=pl.when(recent).then(pl.lit("no_sleep")).otherwise("state"),
        hrv_rmssd_ms=pl.when(~recent).then("hrv_rmssd_ms"),
    )
    day = forecast_members(gone, journal, made(KINDS, pool), slot="evening", windows=1)
    assert np.isnan(day.quantiles_ms[0]).all()
    assert np.isfinite(day.quantiles_ms[1:]).any()


def tasks_of(cohort: Path, pool: Pool, results: Path) -> list[BucketTask]:
    """The cohort's two buckets."""
    results.mkdir()
    pool.save(results / "pool")
    versions = tuple(kind.version for kind in KINDS)
    return [
        BucketTask(str(cohort), str(results), k, KINDS, versions, str(results / "pool"), "evening", 2)
        for k in (0, 1)
    ]


@pytest.fixture(scope="module")
def alone(cohort: Path, pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> list[BucketDone]:
    """What one process makes of the two buckets."""
    return [run_bucket(task) for task in tasks_of(cohort, pool, tmp_path_factory.mktemp("alone") / "results")]


def meet(folder: str, task: BucketTask) -> BucketDone:
    """Goes on only when two processes are here at the same time: opening a pipe waits for its other end."""
    with open(Path(folder) / "pipe", "wb" if task.bucket else "rb", buffering=0):
        return run_bucket(task)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("engine", ["joblib", "dask", "ray"])
@pytest.mark.timeout(120)
def test_two_workers_give_the_bits_of_one_process(
    engine: str, alone: list[BucketDone], cohort: Path, pool: Pool, tmp_path: Path
) -> None:
    psutil = pytest.importorskip("psutil", reason="comes with the extra cluster")
    if (
        find_spec({"dask": "distributed"}.get(engine, engine)) is None
    ):  # not imported: Ray reads its settings then
        pytest.skip(f"{engine} is an extra")
    os.mkfifo(tmp_path / "pipe")
    # Ray's workers don't find this file, so there it is the plain task.
    work = run_bucket if engine == "ray" else partial(meet, str(tmp_path))
    done, workers, listening = [], set(), set()
    tasks = tasks_of(cohort, pool, tmp_path / engine)
    with tempfile.TemporaryDirectory(prefix="hrv-") as scratch:  # short: Ray's sockets lie in it
        for answer in spread(work, tasks, engine=engine, workers=2, scratch=Path(scratch)):
            done.append(answer)
            workers.add(psutil.Process(answer.process))
            us = [psutil.Process(), *psutil.Process().children(recursive=True)]
            found = (c for p in us for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN)
            listening |= {connection.laddr.ip for connection in found}
    assert sorted((d.bucket, d.digests) for d in done) == [(d.bucket, d.digests) for d in alone]
    assert len(workers | {psutil.Process()}) == 3
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert bool(listening) == (engine != "joblib")
    _, alive = psutil.wait_procs(workers, timeout=10)  # Ray tells them to end and does not wait
    assert not alive


def test_the_start_of_the_workers_is_counted_and_nothing_is_left(pool: Pool) -> None:
    before = set(Path(tempfile.gettempdir()).glob("hrv-*"))
    (size,) = measured("joblib", pool, members=1)["sizes"]
    (alone,) = measured("serial", pool, members=1)["sizes"]
    assert size["digest"] == alone["digest"]
    assert size["cpu_s"] > size["work_cpu_s"] + 0.3  # a worker imports numpy and polars
    assert set(Path(tempfile.gettempdir()).glob("hrv-*")) <= before


def test_a_worker_with_other_code_refuses(cohort: Path, pool: Pool, tmp_path: Path) -> None:
    task, _ = tasks_of(cohort, pool, tmp_path / "results")
    with pytest.raises(OtherCode, match="Install the same code"):
        run_bucket(replace(task, versions=("0", "0", "0")))


def test_a_run_that_was_stopped_goes_on_where_it_was(serial: dict, pool: Pool, tmp_path: Path) -> None:
    done: list[float] = []

    def stop_after_one(members: float) -> None:
        done.append(members)
        if len(done) == 2:  # the first call tells of what stood before: nothing
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured("serial", pool, folder=tmp_path, advance=stop_after_one)
    (size,) = measured("serial", pool, folder=tmp_path, advance=done.append)["sizes"]
    assert (size["buckets"], size["buckets_kept"]) == (2, 1)
    assert size["digest"] == serial["sizes"][0]["digest"]
    assert sum(done[:2]) == done[2] and done[2] + sum(done[3:]) == MEMBERS
    (other,) = measured("serial", pool, folder=tmp_path, seed=3, members=1)["sizes"]
    assert other["buckets_kept"] == 0 and other["digest"] != size["digest"]
    kept = np.load(next(tmp_path.glob("results-*/0000.npz")))
    assert kept["quantiles_ms"].shape == (len(kept["members"]), len(KINDS) + 1, 2, 7, 23)


def test_the_report_counts_what_was_issued(serial: dict) -> None:
    (size,) = serial["sizes"]
    assert size["members"] == MEMBERS and size["forecasts"] <= MEMBERS * len(KINDS) * 2
    assert size["series"] == pytest.approx(size["forecasts"] / 70)
    assert size["series_per_cpu_second"] == pytest.approx(size["series"] / size["cpu_s"])
    assert set(size["cpu_ms_per_member"]) == {
        "reading",
        "history",
        "combination",
        "ewma_8",
        "state_space",
        "ridge",
    }
    assert sum(size["cpu_ms_per_member"].values()) * MEMBERS / 1000 <= size["work_cpu_s"]
    text = render(serial)
    assert size["digest"][:16] in text and "1,890 forecasts" in text and f"{size['forecasts']}" in text


@pytest.mark.parametrize(
    "wrong",
    [{"members": []}, {"members": [0]}, {"workers": 0}, {"nights": 10}, {"windows": 0}, {"engine": "spark"}],
)
def test_what_cannot_be_is_refused_in_a_sentence(wrong: dict, pool: Pool) -> None:
    asked = {"members": [1], "engine": "serial", "workers": 1, "nights": NIGHTS, "seed": 0} | wrong
    with pytest.raises(BadScale, match=r"Expected .* Pass"):
        run_scale(asked.pop("members"), forecasters=KINDS, pool=pool, **asked)


@pytest.mark.parametrize(("engine", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_an_absent_engine_is_named_with_its_extra(
    engine: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EngineAbsent, match="pip install"):
        list(spread(abs, [1], engine=engine, workers=1, scratch=tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own figure is all there is")
def test_the_peak_of_a_worker_is_not_its_parents() -> None:
    held = np.ones(40_000_000)
    say = "from model_training.scale.costs import peak_mb; print(peak_mb())"
    child = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, check=True)
    assert held.nbytes == 320e6 and 5 < float(child.stdout) < 200
