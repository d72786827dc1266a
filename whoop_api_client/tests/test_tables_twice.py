"""Importing again, newer, older or beside the API: one fact a night, all its sources, the API's decimals."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from calendar_cases import Night
from hrv_shared.history import as_of_days
from hrv_shared.store import Store
from test_tables_calendar import pull
from whoop_api_client.export import import_export
from whoop_api_client.export.made_up import MadeUpNight, nights_at_home, write_export
from whoop_api_client.tables import rebuild
from whoop_api_client.tables.rebuild import OWN_TABLES

NOW = datetime(2040, 1, 1, tzinfo=UTC)
NIGHTS = nights_at_home(40, last_day=date(2026, 11, 1), seed=9)
TOLD = [Night(n.onset_at, n.wake_at, "Europe/Berlin", n.hrv_ms) for n in NIGHTS]


def content_hash(store: Store) -> str:
    """Of the facts (without the moment of writing) and of every table's bytes."""
    digest = hashlib.sha256()
    facts = [
        (f.kind, f.key, f.revision, f.known_at, f.basis, f.source, f.sha256) for f in store.record.facts()
    ]
    for fact in sorted(facts):
        digest.update(json.dumps(fact, default=str).encode())
    for name in OWN_TABLES:
        digest.update(store.table_path(name).read_bytes())
    return digest.hexdigest()


def test_again_and_again_the_content_is_the_same(tmp_path: Path) -> None:
    store, now = Store(tmp_path / "home", clock=lambda: NOW), itertools.count()
    folder, packed = write_export(tmp_path / "x", NIGHTS), write_export(tmp_path / "x.zip", NIGHTS)
    older = write_export(tmp_path / "old", NIGHTS[:30])
    import_export(store, folder, "m")
    rebuild(store)
    first = content_hash(store)
    for path in (folder, packed, folder, older, packed):
        later = NOW + timedelta(days=next(now))
        assert import_export(store, path, "m", later).facts_written == 0
        rebuild(store)
        assert content_hash(store) == first


def _api(store: Store, folder: Path) -> None:
    pull(store, "m", TOLD)


def _first_export(store: Store, folder: Path) -> None:
    import_export(store, write_export(folder / "first", NIGHTS[:25]), "m")


def _whole_export(store: Store, folder: Path) -> None:
    import_export(store, write_export(folder / "whole", NIGHTS), "m")


STEPS: tuple[Callable[[Store, Path], None], ...] = (_api, _first_export, _whole_export)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_one_fact_a_night_whatever_came_first(tmp_path: Path, order: tuple[int, ...]) -> None:
    store = Store(tmp_path / "home", clock=lambda: NOW)
    for step in order:
        STEPS[step](store, tmp_path)
        STEPS[step](store, tmp_path)
    counts = rebuild(store)
    assert (counts["cycles"], counts["recoveries"]) == (40, 40)
    days = as_of_days(store.read_table("days"), NOW)
    assert days["hrv_rmssd_ms"].to_list() == [night.hrv_ms + 0.25 for night in NIGHTS]
    assert days["state"].unique().to_list() == ["scored"]
    assert days["source"].unique().to_list() == ["whoop-api+whoop-export"]
    assert days["day"].to_list() == [date(2026, 9, 23) + timedelta(days=n) for n in range(40)]
    for name in ("cycles", "recoveries"):
        own = store.read_table(name).sort("known_at")
        assert set(own["source"]) <= {"whoop-api", "whoop-api+whoop-export"}
    assert (store.read_table("cycles")["source"] == "whoop-api+whoop-export").all()
    mains = store.read_table("sleeps").filter(~pl.col("is_nap"))
    assert mains.height == 40 and (mains["source"] == "whoop-api+whoop-export").all()
    hrv = store.read_table("recoveries")["hrv_rmssd_ms"].to_list()
    assert sorted(hrv) == sorted(night.hrv_ms + 0.25 for night in NIGHTS)


def test_two_seconds_apart_is_the_same_night_and_three_is_not(tmp_path: Path) -> None:
    for apart_s, cycles in ((-2, 40), (2, 40), (3, 80)):
        store = Store(tmp_path / f"home{apart_s}", clock=lambda: NOW)
        pull(store, "m", TOLD)
        moved = [
            MadeUpNight(n.onset_at + timedelta(seconds=apart_s), n.wake_at, n.utc_offset_min, n.hrv_ms)
            for n in NIGHTS
        ]
        import_export(store, write_export(tmp_path / "x", moved), "m")
        assert rebuild(store)["cycles"] == cycles


def test_the_past_as_it_was_known_does_not_change_with_a_newer_export(tmp_path: Path) -> None:
    store = Store(tmp_path / "home", clock=lambda: NOW)
    pull(store, "m", TOLD)
    rebuild(store)
    before = store.read_table("days")
    met = NOW + timedelta(days=1)
    import_export(store, write_export(tmp_path / "x", NIGHTS), "m", met)
    rebuild(store)
    after = store.read_table("days")
    compared = 0
    values = ["day", "state", "hrv_rmssd_ms", "resting_hr_bpm", "wake_at", "strain_0_21", "day_closed_at"]
    for hours in range(0, 24 * 45, 31):
        as_of = datetime(2026, 9, 20, tzinfo=UTC) + timedelta(hours=hours)
        was, now = (as_of_days(frame, as_of).select(values).sort("day") for frame in (before, after))
        told_by_api = now.filter(pl.col("day").is_in(was["day"].implode()))
        assert told_by_api.select("day", "hrv_rmssd_ms").equals(was.select("day", "hrv_rmssd_ms")), as_of
        compared += was.height
    assert compared > 500


def test_one_night_although_its_two_files_disagree_on_the_onset(tmp_path: Path) -> None:
    """The cycles file begins four minutes after the sleeps file, which is nearer than another sleep could be."""
    store, path = (
        Store(tmp_path / "home", clock=lambda: NOW),
        write_export(tmp_path / "x", NIGHTS, questions=()),
    )
    cycles = (path / "physiological_cycles.csv").read_text()
    header, *rows = cycles.splitlines()
    at = header.split(",").index("Sleep onset")
    for place, row in enumerate(rows):
        cells = row.split(",")
        if cells[at] == cells[0]:
            cells[at] = f"{datetime.fromisoformat(cells[at]) + timedelta(minutes=4)}"
        rows[place] = ",".join(cells)
    (path / "physiological_cycles.csv").write_text("\n".join([header, *rows]) + "\n")
    import_export(store, path, "m")
    rebuild(store)
    mains = store.read_table("sleeps").filter(~pl.col("is_nap"))
    assert mains["start_at"].sort().to_list() == [night.onset_at for night in NIGHTS]
    assert as_of_days(store.read_table("days"), NOW).height == 40
