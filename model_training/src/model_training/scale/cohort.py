"""A cohort's day out of stores and into their ledgers: each bucket of members is a store, its record in PostgreSQL.

What a house of many members does each day: read a bucket's facts from the record, make its tables, forecast each
member, write every forecaster's and the combination's rows into the ledger. Done by two or more workers on schemas of
PostgreSQL, and by one process on files; both ledgers must hold the same to the last bit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from hrv_shared.constants import HORIZONS, MODEL_COMBINATION
from hrv_shared.ledger import ForecastRow
from hrv_shared.postgres import PostgresConnection, PostgresPlace, move_record, write_place
from hrv_shared.record import FactDraft, canonical_json
from hrv_shared.schemas import TABLES
from hrv_shared.store import Store
from model_training.scale.costs import children_cpu_s, own_cpu_s
from model_training.scale.engines import spread
from model_training.scale.members import lay_out, read_bucket

__all__ = ["BucketDay", "BucketDone", "do_bucket_day", "fill", "run_cohort"]

KINDS = {"days": "day", "journal_facts": "journal_fact"}
SOURCE = "synthetic"


@dataclass(frozen=True)
class BucketDay:
    """One bucket's day; small, because an engine sends it."""

    home: str
    slot: str


@dataclass(frozen=True)
class BucketDone:
    """What it gave and cost: members, ledger rows, CPU-seconds of the task and of its process since it began."""

    members: int
    rows: int
    process: int
    cpu_s: float
    process_cpu_s: float


def run_cohort(
    dsn: str, members: int, *, engine: str = "dask", workers: int = 2, nights: int = 90, seed: int = 0,
    slot: str = "evening", advance: Callable[[float], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """Do the day on PostgreSQL with ``workers``, then on files in this process, and compare the ledgers.

    Schemas ``cohort_…`` of the database are made for it and dropped afterwards.

    Returns
    -------
    dict
        members, buckets, rows; for ``postgres`` and ``files``: wall_s, cpu_s (clients; the server's own is not in it),
        members_per_cpu_second, processes; ``equal`` and both digests.
    """
    folder = Path(tempfile.mkdtemp(prefix="hrv-cohort-"))
    mark = f"cohort_{folder.name[-8:].lower()}"
    try:
        (folder / "tables").mkdir()
        buckets = lay_out(folder / "tables", members, nights=nights, seed=seed)
        held = [b for b in range(buckets) if (folder / "tables" / f"bucket-{b:04d}").exists()]
        told: dict[str, Any] = {"members": members, "buckets": len(held), "nights": nights, "seed": seed}
        for bucket in held:
            on_files, on_server = (folder / name / f"bucket-{bucket:04d}" for name in ("files", "postgres"))
            for home in (on_files, on_server):
                home.mkdir(parents=True)
            fill(on_files, *read_bucket(folder / "tables", bucket))
            place = PostgresPlace(dsn, f"{mark}_{bucket:04d}")
            write_place(on_server, place)
            move_record(on_files / "record.sqlite", place)
        for name in ("postgres", "files"):
            homes = [folder / name / f"bucket-{bucket:04d}" for bucket in held]
            how = (engine, workers) if name == "postgres" else ("serial", 1)
            told[name] = _measured([BucketDay(str(home), slot) for home in homes], *how, folder, advance)
            told[name]["digest"] = _digest(homes)
        told["equal"] = told["postgres"]["digest"] == told["files"]["digest"]
        return told
    finally:
        for home in (folder / "postgres").glob("bucket-*"):
            place = Store(home).database
            if isinstance(place, PostgresPlace):
                PostgresConnection(place).drop()
        shutil.rmtree(folder, ignore_errors=True)


def fill(home: Path, days: pl.DataFrame, journal: pl.DataFrame) -> int:
    """Write a bucket's rows into its store's record as facts; how many."""
    drafts = [
        FactDraft(row["member_id"], kind, f"{number}", row, known_at, "seen", SOURCE)
        for (table, kind), frame in zip(KINDS.items(), (days, journal), strict=True)
        for number, (row, known_at) in enumerate(
            zip(_plain(table, frame).iter_rows(named=True), frame["known_at"], strict=True)
        )
    ]
    store = Store(home)
    new = store.record.append_many(drafts)
    store.record.close()
    return new


def do_bucket_day(task: BucketDay) -> BucketDone:
    """Read the bucket's record, forecast its members, write its ledger; a second time it changes nothing."""
    from model_training.scale.measuring import light_forecasters
    from model_training.scale.member_day import forecast_members, made

    began = own_cpu_s()
    store = Store(Path(task.home))
    days, journal = (_table(store, table) for table in KINDS)
    forecasters = made(light_forecasters(), None)
    day = forecast_members(days, journal, forecasters, slot=task.slot, windows=1)
    last = dict(days.group_by("member_id").agg(pl.col("day").max()).iter_rows())
    named = [*((f.name, f.version) for f in forecasters), (MODEL_COMBINATION, "light")]
    rows = list(_rows(day, named, last, task.slot))
    written = store.ledger.issue("replay", rows).written
    for book in (store.record, store.ledger):
        book.close()
    return BucketDone(len(day.members), written, os.getpid(), own_cpu_s() - began, own_cpu_s())


def _rows(day: Any, named: list[tuple[str, str]], last: dict[str, Any], slot: str) -> Iterator[ForecastRow]:
    for m, member in enumerate(day.members):
        origin = last[member]
        as_of = datetime(origin.year, origin.month, origin.day, 22 if slot == "evening" else 10, tzinfo=UTC)
        digest = hashlib.sha256(f"{member} {as_of.isoformat()}".encode()).hexdigest()
        for f, (name, version) in enumerate(named):
            for h, horizon in enumerate(HORIZONS):
                quantiles = day.quantiles_ms[m, f, -1, h]
                if quantiles[0] == quantiles[0]:  # NaN: refused
                    yield ForecastRow(
                        member, slot, as_of, origin, origin + timedelta(days=horizon), horizon, name, version,
                        tuple(quantiles.tolist()), digest,
                    )  # fmt: skip


def _measured(
    tasks: list[BucketDay], engine: str, workers: int, folder: Path, advance: Callable[[float], None]
) -> dict[str, Any]:
    scratch = Path(tempfile.mkdtemp(prefix="hrv-"))
    wall, own, children = time.perf_counter(), own_cpu_s(), children_cpu_s()
    done: list[BucketDone] = []
    try:
        for answer in spread(do_bucket_day, tasks, engine=engine, workers=workers, scratch=scratch):
            done.append(answer)
            advance(answer.members)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    wall_s, own_s, waited_s = time.perf_counter() - wall, own_cpu_s() - own, children_cpu_s() - children
    used: dict[int, float] = defaultdict(float)
    for answer in done:
        used[answer.process] = max(used[answer.process], answer.process_cpu_s)
    cpu_s = own_s + (0.0 if engine == "serial" else max(sum(used.values()), waited_s))
    found = sum(answer.members for answer in done)
    return {
        "engine": engine, "workers": workers, "members": found, "rows": sum(answer.rows for answer in done),
        "wall_s": round(wall_s, 2), "cpu_s": round(cpu_s, 2), "work_cpu_s": round(sum(a.cpu_s for a in done), 2),
        "members_per_cpu_second": round(found / cpu_s, 2), "processes": len(used),
    }  # fmt: skip


def _digest(homes: list[Path]) -> str:
    """Of every ledger row's content, in an order that does not depend on who wrote it when; the chains are sound."""
    content = []
    for home in homes:
        store = Store(home)
        if store.ledger.verify():
            return f"faults in {home.name}"
        rows = store.ledger.forecasts("replay").drop("n", "issued_at", "recorded_at", "hash")
        content += [
            canonical_json({k: _text(v) for k, v in row.items()}) for row in rows.iter_rows(named=True)
        ]
        store.ledger.close()
    return hashlib.sha256("\n".join(sorted(content)).encode()).hexdigest()


def _text(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _plain(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Instants and days as numbers, which JSON keeps exactly."""
    return frame.select(list(TABLES[table].columns)).cast(_plain_types(table))


def _plain_types(table: str) -> dict[str, Any]:
    types = pl.Schema(TABLES[table].columns)
    return {n: pl.Int64 if t == pl.Date or isinstance(t, pl.Datetime) else t for n, t in types.items()}


def _table(store: Store, table: str) -> pl.DataFrame:
    """The bucket's table, made of its record alone, in the order in which it was written."""
    payloads = [fact.payload for fact in store.record.facts(KINDS[table])]
    plain = pl.DataFrame(payloads, schema=_plain_types(table))
    final = pl.Schema(TABLES[table].columns)
    return plain.select(
        (pl.col(n).cast(pl.Int32) if t == pl.Date else pl.col(n)).cast(t).alias(n) for n, t in final.items()
    )


def render(told: dict[str, Any]) -> str:
    """The figures in words."""
    lines = [f"{told['members']} members in {told['buckets']} buckets, {told['nights']} nights each:"]
    for name in ("postgres", "files"):
        part = told[name]
        lines.append(
            f"  {name:9} {part['engine']:7} {part['workers']} worker(s): {part['rows']:,} ledger rows, "
            f"{part['wall_s']:.1f} s, {part['cpu_s']:.1f} CPU-s, "
            f"{part['members_per_cpu_second']:.1f} members a CPU-second"
        )
    return "\n".join([*lines, "  the ledgers are equal" if told["equal"] else "  THE LEDGERS DIFFER"])
