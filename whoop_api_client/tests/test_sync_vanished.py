"""Deletions upstream are seen by re-reading, marked with a cap, never believed from an empty answer, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hrv_shared.record import SEEN
from hrv_shared.store import Store
from simulator_login import settings_for
from whoop_api_client.client import WhoopClient
from whoop_api_client.connecting import connect
from whoop_api_client.connection import open_connection
from whoop_api_client.history_length import first_cycle_near
from whoop_api_client.simulator import SimulatorConfig, World, make_member, running
from whoop_api_client.sync import PullResult, synchronise

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return make_member(5, now=NOW, n_nights=60, utc_offset_min=0).world


@pytest.fixture
def store(tmp_path) -> Store:
    made = Store(tmp_path / "home", clock=lambda: NOW)
    yield made
    made.record.close()


def pull_without(
    store: Store, world: World, is_missing: Callable[[str, str], bool] = lambda k, key: False
) -> PullResult:
    """Pull from a WHOOP that lacks some records."""
    kept = tuple(t for t in world.timelines if not is_missing(t.kind, t.key))
    with running(
        replace(world, timelines=kept), SimulatorConfig(rate_per_minute=0, clock_runs=False)
    ) as place:
        settings = settings_for(place, store.home.parent)
        connect(settings, "follow")
        with WhoopClient(open_connection(settings), place.api_base) as client:
            return synchronise(store, client, member_id="me", connection="sim")


def recent(store: Store, kind: str, days: float) -> list[str]:
    """Keys of a kind that began within the last `days`, newest first."""
    facts = store.record.latest(kind, "me").values()
    starts = {f.key: datetime.fromisoformat(f.payload["start"]) for f in facts}
    return sorted(
        (k for k, at in starts.items() if at > NOW - timedelta(days=days)), key=starts.get, reverse=True
    )


def gone(store: Store) -> dict[str, bool]:
    return {key: fact.payload["gone"] for key, fact in store.record.latest("gone", "me").items()}


def test_a_deleted_night_is_marked_once_and_taken_back_when_it_returns(store, world):
    pull_without(store, world)
    sleep = recent(store, "sleep", 5)[1]
    cycle = str(store.record.latest("sleep", "me")[sleep].payload["cycle_id"])
    result = pull_without(
        store, world, lambda kind, key: (kind, key) in {("sleep", sleep), ("recovery", cycle)}
    )
    assert sorted(result.vanished) == sorted([f"sleep:{sleep}", f"recovery:{cycle}"])
    assert result.warnings == []
    assert gone(store) == {f"sleep:{sleep}": True, f"recovery:{cycle}": True}
    assert sleep in store.record.latest("sleep", "me")  # nothing is deleted
    again = pull_without(
        store, world, lambda kind, key: (kind, key) in {("sleep", sleep), ("recovery", cycle)}
    )
    assert again.vanished == []
    assert sum(again.written.values()) == 0
    pull_without(store, world)
    assert gone(store) == {f"sleep:{sleep}": False, f"recovery:{cycle}": False}


def test_at_most_five_are_marked_per_pull(store, world):
    pull_without(store, world)
    nights = set(recent(store, "sleep", 6))
    kept = set(list(nights)[:1])
    lost = nights - kept
    lost_cycles = set(recent(store, "cycle", 6)[1:4])

    def is_missing(kind: str, key: str) -> bool:
        return (kind == "sleep" and key in lost) or (kind == "cycle" and key in lost_cycles)

    expected = len(lost) + len(lost_cycles)
    assert expected > 5
    first = pull_without(store, world, is_missing)
    assert len(first.vanished) == 5
    assert first.vanished_held_back == expected - 5
    assert "at most 5" in first.warnings[0]
    second = pull_without(store, world, is_missing)
    assert len(second.vanished) == min(5, expected - 5)
    assert not set(first.vanished) & set(second.vanished)


def test_a_kind_that_comes_back_empty_is_a_fault_and_not_a_deletion(store, world):
    pull_without(store, world)
    known = len(recent(store, "sleep", 7))
    result = pull_without(store, world, lambda kind, key: kind == "sleep")
    assert result.vanished == []
    assert gone(store) == {}
    assert result.vanished_held_back == known
    assert "no sleep at all" in result.warnings[0]


def test_what_lies_before_the_window_is_not_judged(store, world):
    pull_without(store, world)
    old = next(key for key in recent(store, "sleep", 40) if key not in recent(store, "sleep", 12))
    assert pull_without(store, world, lambda kind, key: key == old).vanished == []


def test_an_old_record_that_was_pending_is_asked_for_by_itself(store, world):
    pull_without(store, world)
    old, other = [key for key in recent(store, "sleep", 40) if key not in recent(store, "sleep", 12)][:2]
    facts = store.record.latest("sleep", "me")
    final = facts[old].payload
    for key in (old, other):
        pending = facts[key].payload | {"score_state": "PENDING_SCORE", "score": None}
        store.record.append("me", "sleep", key, pending, known_at=NOW, basis=SEEN, source="whoop-api")
    result = pull_without(store, world, lambda kind, key: key == other)
    assert store.record.latest("sleep", "me")[old].payload == final
    assert result.vanished == [f"sleep:{other}"]
    assert result.written["sleep"] == 1


def test_a_fuller_look_back_once_a_week(store, world):
    pull_without(store, world)
    old = next(key for key in recent(store, "sleep", 25) if key not in recent(store, "sleep", 12))
    store.clock = lambda: NOW + timedelta(days=7, minutes=1)
    store.record._clock = store.clock
    later = replace(world, default_now=NOW + timedelta(days=7))
    result = pull_without(store, later, lambda kind, key: key == old)
    assert result.vanished == [f"sleep:{old}"]


def test_a_page_that_is_missing_from_an_answer_deletes_nothing(store, world, monkeypatch):
    """The list lacks records that are there when asked for by themselves."""
    pull_without(store, world)
    before = {kind: store.record.latest(kind, "me") for kind in ("cycle", "sleep", "recovery", "workout")}
    whole = WhoopClient.pages

    def without_every_other_record(self, kind, start=None, end=None):
        for page in whole(self, kind, start, end):
            yield replace(page, records=page.records[::2])

    monkeypatch.setattr(WhoopClient, "pages", without_every_other_record)
    result = pull_without(store, world)
    assert result.vanished == []
    assert gone(store) == {}
    assert {kind: store.record.latest(kind, "me") for kind in before} == before


def test_the_length_of_an_account_is_found_in_a_handful_of_questions(store, world):
    asked: list[str] = []
    with running(world, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        settings = settings_for(place, store.home.parent)
        connect(settings, "follow")
        with WhoopClient(open_connection(settings), place.api_base) as client:
            ask = client.ask
            client.ask = lambda question: asked.append(question.path) or ask(question)
            found = first_cycle_near(client, NOW)
            first = min(datetime.fromisoformat(raw["start"]) for raw in client.records("cycle"))
            assert first_cycle_near(client, NOW - timedelta(days=9000)) is None
    assert timedelta(0) <= first - found <= timedelta(days=31)
    assert len(asked) < 20
