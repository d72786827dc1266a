"""Pulling from the real simulator over HTTP: all of it once, nothing twice, resumed after any stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from hrv_shared.settings import Settings
from hrv_shared.store import Store
from simulator_login import settings_for
from whoop_api_client.client import WhoopClient
from whoop_api_client.connecting import connect
from whoop_api_client.connection import open_connection
from whoop_api_client.errors import PullRunning, ServerUnavailable, WrongAccount
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.pulling import pull
from whoop_api_client.simulator import Fault, RunningSimulator, SimulatorConfig, make_member, running
from whoop_api_client.sync import PullResult, only_pull, synchronise

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
NIGHTS = 90


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    member = make_member(5, now=NOW, n_nights=NIGHTS, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        yield place


class House:
    """A store and a connection at a simulator, both on the simulator's clock."""

    def __init__(self, place: RunningSimulator, folder, **more):
        self.place = place
        self.settings: Settings = settings_for(place, folder, **more)
        connect(self.settings, "follow")
        self.store = Store(folder / "home", clock=place.clock.now)

    def client(self) -> WhoopClient:
        return WhoopClient(open_connection(self.settings), self.place.api_base, sleep=lambda s: None)

    def pull(self, **more) -> PullResult:
        with self.client() as client:
            return synchronise(self.store, client, member_id="me", connection="sim", **more)

    def upstream(self) -> dict[str, dict[str, dict]]:
        with self.client() as client:
            return {
                kind: {c.key(raw): raw for raw in client.records(kind)} for kind, c in COLLECTIONS.items()
            }

    def held(self) -> dict[str, dict[str, dict]]:
        return {
            kind: {key: fact.payload for key, fact in self.store.record.latest(kind, "me").items()}
            for kind in COLLECTIONS
        }


@pytest.fixture
def house(simulator, tmp_path) -> Iterator[House]:
    made = House(simulator, tmp_path)
    yield made
    made.store.record.close()


def test_the_first_pull_brings_everything_as_received(house):
    result = house.pull()
    assert result.mode == "backfill"
    assert result.quarantined == []
    assert house.held() == house.upstream()
    (profile,) = house.store.record.latest("profile", "me").values()
    assert profile.payload["user_id"] == next(iter(house.held()["cycle"].values()))["user_id"]


def test_the_first_pull_marks_history_as_inferred_and_what_is_fresh_as_seen(house):
    house.pull()
    now = house.place.clock.now()
    facts = list(house.store.record.facts(tuple(COLLECTIONS), "me"))
    for fact in facts:
        age = now - datetime.fromisoformat(fact.payload["updated_at"])
        assert (fact.basis == "seen") == (age <= timedelta(hours=48))
        assert fact.known_at <= now
    assert {fact.basis for fact in facts} == {
        "seen", "inferred:updated-at", "inferred:cycle-opened", "inferred:cycle-end",
    }  # fmt: skip


def test_a_second_pull_writes_nothing(house):
    house.pull()
    before = [fact.sha256 for fact in house.store.record.facts()]
    for _ in range(2):
        result = house.pull()
        assert result.mode == "window"
        assert sum(result.written.values()) == 0
    result = house.pull(full=True)
    assert result.mode == "backfill"
    assert sum(result.written.values()) == 0
    assert [fact.sha256 for fact in house.store.record.facts()] == before


@pytest.mark.parametrize("kind", ["cycle", "activity/sleep", "recovery", "activity/workout"])
def test_a_stop_after_any_kind_of_page_is_carried_on(house, kind):
    class Stop(Exception):
        pass

    pages = []

    def stop(seen_kind: str, count: int, back_to) -> None:
        pages.append(seen_kind)
        if seen_kind == kind.split("/")[-1] and pages.count(seen_kind) == 2:
            raise Stop

    with pytest.raises(Stop):
        house.pull(on_page=stop)
    assert house.held() != house.upstream()
    already = sum(1 for _ in house.store.record.facts())
    read: list[int] = []
    result = house.pull(on_page=lambda k, count, back_to: read.append(count))
    assert result.mode == "backfill+window"
    assert house.held() == house.upstream()
    assert already > 0
    whole = House(house.place, house.store.home.parent / "other")
    whole.pull()
    assert _content(house) == _content(whole)
    whole.store.record.close()


def _content(house: House) -> set[tuple]:
    return {(f.kind, f.key, f.revision, f.known_at, f.basis, f.sha256) for f in house.store.record.facts()}


def test_a_server_that_fails_for_good_keeps_what_came(house):
    house.place.faults.add(Fault("status_503", count=10_000, path_contains="/v2/recovery"))
    with pytest.raises(ServerUnavailable):
        house.pull()
    assert house.held()["cycle"]
    assert not house.held()["recovery"]
    house.place.faults.clear()
    house.pull()
    assert house.held() == house.upstream()


def test_days_go_by(house):
    """Morning after morning: the cycle closes, the night appears; nothing is ever different from upstream."""
    house.pull()
    for hours in (1, 13, 11, 3, 24, 24 * 5):
        house.place.clock.advance(hours * 3600)
        result = house.pull()
        assert result.quarantined == []
        assert house.held() == house.upstream()
        assert result.vanished == []


def test_a_laptop_that_slept_for_three_weeks_misses_nothing(tmp_path):
    member = make_member(5, now=NOW - timedelta(days=21), n_nights=40, utc_offset_min=0, future_nights=30)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        house = House(place, tmp_path)
        house.pull()
        place.clock.advance(21 * 86_400)
        house.pull()
        assert house.held() == house.upstream()
        house.store.record.close()


def test_a_recording_whose_last_cycle_stays_open_is_asked_for_once_per_pull(tmp_path):
    """A strap that was laid aside long ago: the open cycle lies before the window and reaches into it."""
    member = make_member(5, now=NOW, n_nights=30, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        house = House(place, tmp_path)
        house.store.record.close()
        house.store = Store(tmp_path / "home", clock=lambda: NOW + timedelta(days=400))
        first = house.pull()
        assert "seen" not in {f.basis for f in house.store.record.facts(tuple(COLLECTIONS))}
        assert first.received["cycle"] >= 28
        again = house.pull()
        assert again.received["cycle"] == 1
        assert sum(again.written.values()) == 0
        house.store.record.close()


def test_a_record_of_the_future_is_reported_and_not_written(simulator, tmp_path):
    house = House(simulator, tmp_path)
    house.store = Store(tmp_path / "home", clock=lambda: NOW - timedelta(days=3))  # our clock is behind
    result = house.pull()
    assert {q.reason for q in result.quarantined} == {"lies in the future by this machine's clock"}
    assert result.as_dict()["quarantined_count"] == len(result.quarantined)
    latest = max(datetime.fromisoformat(p["updated_at"]) for p in house.held()["recovery"].values())
    assert latest <= NOW - timedelta(days=3) + timedelta(minutes=10)
    house.store.record.close()
    house.store = Store(tmp_path / "home", clock=simulator.clock.now)
    house.pull()
    assert house.held() == house.upstream()
    house.store.record.close()


def test_another_account_is_not_mixed_in(house, tmp_path):
    house.pull()
    before = _content(house)
    with running(
        make_member(6, now=NOW, n_nights=20, utc_offset_min=0), SimulatorConfig(rate_per_minute=0)
    ) as other:
        stranger = House(other, tmp_path)
        with pytest.raises(WrongAccount, match="HRV_MEMBER_ID"):
            stranger.pull()
        stranger.store.record.close()
    assert _content(house) == before


def test_two_pulls_at_once_are_told_apart(house):
    with only_pull(house.store), pytest.raises(PullRunning):
        house.pull()
    assert sum(house.pull().written.values()) > 0


def test_one_full_day(house):
    """`pull --day` on a store that has nothing: the day's values are those of upstream."""
    day = date(2026, 5, 20)
    result = pull(house.settings, day=day, clock=house.place.clock.now)
    shown = result["day"]
    assert shown["state"] == "scored"
    upstream = house.upstream()
    nights = {
        k: s for k, s in upstream["sleep"].items() if not s["nap"] and s["end"].startswith("2026-05-20")
    }
    assert len(nights) == 1
    (night,) = nights.values()
    recovery = upstream["recovery"][str(night["cycle_id"])]
    assert shown["recovery"]["hrv_rmssd_ms"] == recovery["score"]["hrv_rmssd_milli"]
    assert shown["cycle"]["strain_0_21"] == upstream["cycle"][str(night["cycle_id"])]["score"]["strain"]
    assert shown["body"]["height_meter"] > 1
    assert str(night["cycle_id"]) in house.held()["cycle"]
    assert "email" not in json.dumps(result)
    # a later full pull is not led to believe that it has begun already
    house.pull()
    assert house.held() == upstream


def test_a_day_that_whoop_does_not_know(house):
    shown = pull(house.settings, day=date(2020, 1, 1), clock=house.place.clock.now)["day"]
    assert shown["state"] == "missing"
    assert shown["recovery"] is None


def test_the_tables_follow_the_record(house):
    result = pull(house.settings, clock=house.place.clock.now)
    upstream = house.upstream()
    assert result["tables"]["recoveries"] == len(upstream["recovery"])
    recoveries = house.store.read_table("recoveries")
    scored = [r for r in upstream["recovery"].values() if r["score_state"] == "SCORED"]
    assert len(recoveries) == len(upstream["recovery"])
    assert sorted(recoveries["hrv_rmssd_ms"].drop_nulls()) == sorted(
        r["score"]["hrv_rmssd_milli"] for r in scored
    )
    json.dumps(result)
