"""Days: no night lost, doubled or on a wrong date, at any change of any clock and on any journey.

The truth is `calendar_cases.true_days`: dates on the wall by the tz database, kept apart from the program.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from calendar_cases import Night, all_zones, around, flights, sampled, transitions, true_days
from hrv_shared.history import as_of_days
from hrv_shared.store import Store
from whoop_api_client.export import import_export
from whoop_api_client.export.made_up import MadeUpNight, write_export
from whoop_api_client.received import drafts_for
from whoop_api_client.tables import derive
from whoop_api_client.tables.revisions import KINDS

NOW = datetime(2040, 1, 1, tzinfo=UTC)
BATCH = 400
SOURCES = ("api", "export", "both")


def test_two_hundred_changes_of_the_clock(tmp_path: Path) -> None:
    draw = random.Random(11)
    cases = [around(zone, change, draw) for zone, change in sampled(200, seed=11)]
    assert len(cases) == 200
    counts = assert_right_days(tmp_path, cases, exported_every=5)
    assert counts["nights"] > 1600 and counts["skipped_days"] > 50, counts


def test_flights_east_west_and_across_the_date_line(tmp_path: Path) -> None:
    draw = random.Random(12)
    counts = assert_right_days(tmp_path, [flights(draw) for _ in range(100)], exported_every=5)
    assert counts["shared_days"] > 10 and counts["skipped_days"] > 10, counts


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_zone_and_every_change(tmp_path: Path) -> None:
    draw = random.Random(13)
    cases = [around(zone, change, draw) for zone in all_zones() for change in transitions(zone)]
    print(
        len(all_zones()),
        "zones,",
        len(cases),
        "changes:",
        assert_right_days(tmp_path, cases, exported_every=4),
    )


def test_days_of_23_and_25_hours(tmp_path: Path) -> None:
    """Berlin 2026: both changes, with the cycles' own lengths in the table."""
    for change, hours in (
        (datetime(2026, 3, 29, 1, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), 25),
    ):
        evening = change - timedelta(hours=hours - 23 + 3)  # 23:00 on the wall, the same every evening
        offsets = {-1: 0, 0: 0, 1: hours - 24, 2: hours - 24}
        nights = []
        for number in range(-1, 3):
            onset = evening + timedelta(days=number, hours=offsets[number])
            nights.append(Night(onset, onset + timedelta(hours=8), "Europe/Berlin", 50 + number))
        assert_right_days(tmp_path / f"{hours}", [nights], exported_every=1)
        store = Store(tmp_path / f"home{hours}", clock=lambda: NOW)
        pull(store, "m", nights)
        days = as_of_days(derive(store.record.facts(KINDS))["days"], NOW)
        lengths = (days["day_closed_at"] - days["sleep_onset_at"]).dt.total_hours().to_list()
        assert lengths[:3] == [24, hours, 24], lengths
        assert days["flags"].list.len().sum() == 0


WRONG = {
    "the date in UTC": lambda woke, offset: woke.date(),
    "the date of falling asleep, as good as": lambda woke, offset: (
        woke + timedelta(minutes=offset, hours=-8)
    ).date(),
    "an hour off": lambda woke, offset: (woke + timedelta(minutes=offset - 60)).date(),
}


@pytest.mark.parametrize("rule", sorted(WRONG))
def test_a_wrong_rule_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    monkeypatch.setattr("whoop_api_client.tables.night.wake_day", WRONG[rule])
    draw = random.Random(14)
    cases = [around(zone, change, draw) for zone, change in sampled(60, seed=14)]
    with pytest.raises(AssertionError):
        assert_right_days(tmp_path, cases, exported_every=1000)


def assert_right_days(folder: Path, cases: Iterable[list[Night]], *, exported_every: int) -> dict[str, int]:
    """Bring each case in over the API, each n-th by an export as well, and compare every day with the truth."""
    counts = {"nights": 0, "shared_days": 0, "skipped_days": 0}
    batch: dict[str, list[Night]] = {}
    store, used = Store(folder / "home0", clock=lambda: NOW), 1
    for number, nights in enumerate(cases):
        for source in SOURCES if number % exported_every == 0 else ("api",):
            member = f"{source}{number}"
            batch[member] = nights
            if source != "export":
                pull(store, member, nights)
            if source != "api":
                made = [MadeUpNight(n.onset_at, n.wake_at, n.utc_offset_min, n.hrv_ms) for n in nights]
                path = write_export(folder / "x", made, is_open=True, questions=())
                report = import_export(store, path, member)
                assert report.nights == len(nights) and not report.errors
        if len(batch) >= BATCH:
            compare(store, batch, counts)
            store.record.close()
            store, batch = Store(folder / f"home{used}", clock=lambda: NOW), {}
            used += 1
    compare(store, batch, counts)
    store.record.close()
    return counts


def compare(store: Store, batch: dict[str, list[Night]], counts: dict[str, int]) -> None:
    tables = derive(store.record.facts(KINDS))
    rows: dict[str, dict[Any, dict[str, Any]]] = {member: {} for member in batch}
    for row in as_of_days(tables["days"], NOW).iter_rows(named=True):
        rows[row["member_id"]][row["day"]] = row
    flat = dict(tables["recoveries"].group_by("member_id").len().iter_rows())
    for member, nights in batch.items():
        truth, days = true_days(nights), rows[member]
        assert set(days) == set(truth), f"{member} {nights[0].zone}: {sorted(set(days) ^ set(truth))}"
        assert flat[member] == len(nights), member
        for day, (night, count) in truth.items():
            row = days[day]
            hrv = night.hrv_ms + (0.25 if row["source"] != "whoop-export" else 0)
            got = (
                row["hrv_rmssd_ms"],
                row["sleep_onset_at"],
                row["wake_at"],
                row["utc_offset_min"],
                row["state"],
            )
            assert got == (hrv, night.onset_at, night.wake_at, night.utc_offset_min, "scored"), (member, day)
            assert ("two_sleeps" in row["flags"]) == (count > 1)
        counts["nights"] += len(nights)
        counts["shared_days"] += sum(count > 1 for _, count in truth.values())
        counts["skipped_days"] += (max(truth) - min(truth)).days + 1 - len(truth)


def pull(store: Store, member: str, nights: list[Night]) -> None:
    """What the sync writes for these nights: with decimals, and every sleep stamped with the account's last offset."""
    drafts = []
    for number, night in enumerate(nights):
        following = nights[number + 1].onset_at if number + 1 < len(nights) else None
        for kind, payload in api_records(number, night, following, nights[-1].utc_offset_min):
            made = drafts_for(kind, payload, {}, member_id=member, now=NOW)
            assert isinstance(made, list), made
            drafts += made
    store.record.append_many(drafts)


def api_records(
    number: int, night: Night, following: datetime | None, account_offset_min: int
) -> Iterable[tuple[str, dict[str, Any]]]:
    created = _iso(night.wake_at + timedelta(minutes=9))
    sleep_id = f"00000000-0000-4000-8000-{number:012}"
    stamps = {"user_id": 1, "created_at": created, "updated_at": created, "score_state": "SCORED"}
    yield "cycle", stamps | {
        "id": number + 1, "start": _iso(night.onset_at), "end": following and _iso(following),
        "updated_at": _iso(following or night.wake_at + timedelta(minutes=9)),
        "timezone_offset": _offset(night.utc_offset_min),
        "score": {"strain": 9.5, "kilojoule": 8000.0, "average_heart_rate": 70, "max_heart_rate": 150},
    }  # fmt: skip
    yield "sleep", stamps | {
        "id": sleep_id, "cycle_id": number + 1, "start": _iso(night.onset_at), "end": _iso(night.wake_at), "nap": False,
        "timezone_offset": _offset(account_offset_min), "score": None, "score_state": "UNSCORABLE",
    }  # fmt: skip
    yield "recovery", stamps | {
        "cycle_id": number + 1, "sleep_id": sleep_id,
        "score": {"user_calibrating": False, "recovery_score": 60, "resting_heart_rate": 52,
                  "hrv_rmssd_milli": night.hrv_ms + 0.25},
    }  # fmt: skip


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
