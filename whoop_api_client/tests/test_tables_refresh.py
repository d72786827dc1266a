"""After each pull, the refreshed tables are those that a rebuild of everything would make, byte for byte."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hrv_shared.record import SEEN, FactDraft
from hrv_shared.store import Store
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.notebook import Notebook
from whoop_api_client.simulator import World, make_member
from whoop_api_client.tables import rebuild
from whoop_api_client.tables.rebuild import OWN_TABLES
from whoop_api_client.tables.refresh import refresh

BEGAN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PULLS = 8
PULLS_BY_HAND = 120


class Daily:
    """A store into which a simulated account is read at one instant after another, without a wire between."""

    def __init__(self, folder: Path, world: World):
        self.now = BEGAN
        self.store = Store(folder / "home", clock=lambda: self.now)
        self.apart = Store(folder / "apart", clock=lambda: self.now)
        self.world = world

    def pull(self, window_days: int | None = 7) -> int:
        book = Notebook(self.store, "me", "sim")
        before = self.store.record.last_seq("me")
        for kind in COLLECTIONS:
            records = self.world.records(kind, self.now)
            if window_days is not None:
                since = (self.now - timedelta(days=window_days)).isoformat()
                records = [raw for raw in records if raw.get("start", raw["created_at"]) >= since]
            book.write_page(kind, records)
        return self.store.record.last_seq("me") - before

    def tables(self) -> dict[str, bytes]:
        return {name: self.store.table_path(name).read_bytes() for name in OWN_TABLES}

    def rebuilt(self) -> dict[str, bytes]:
        """Of the same record, all anew, in another place."""
        self.apart.__dict__["record"] = self.store.record
        rebuild(self.apart, "me")
        return {name: self.apart.table_path(name).read_bytes() for name in OWN_TABLES}


@pytest.fixture
def full_rebuilds(monkeypatch) -> list[str]:
    """Counts how often everything was made anew."""
    import sys

    module, made = sys.modules["whoop_api_client.tables.refresh"], []
    monkeypatch.setattr(
        module, "rebuild", lambda store, member: made.append(member) or rebuild(store, member)
    )
    return made


@pytest.mark.parametrize(
    ("seed", "pulls"),
    [(3, PULLS), *(pytest.param(seed, PULLS_BY_HAND, marks=pytest.mark.slow) for seed in range(8, 14))],
)
def test_pull_after_pull(tmp_path, full_rebuilds, seed, pulls):
    rng = random.Random(seed)
    member = make_member(seed, now=BEGAN, n_nights=110, utc_offset_min=60, future_nights=pulls + 5)
    daily = Daily(tmp_path, member.world)
    daily.pull(window_days=None)
    refresh(daily.store, "me")
    assert len(full_rebuilds) == 1
    changed = 0
    for _ in range(pulls):
        daily.now += timedelta(hours=rng.choice((1, 3, 9, 14, 24)))
        changed += daily.pull(rng.choice((7, 30))) > 0
        counts = refresh(daily.store, "me")
        assert daily.tables() == daily.rebuilt()
        assert counts == {name: daily.store.read_table(name).height for name in OWN_TABLES}
    assert changed > pulls / 3
    assert len(full_rebuilds) == 1, "the short way was not taken"
    daily.store.record.close()


@pytest.fixture(scope="module")
def world() -> World:
    return make_member(4, now=BEGAN, n_nights=110, utc_offset_min=60, future_nights=9).world


@pytest.fixture
def daily(tmp_path, world) -> Daily:
    made = Daily(tmp_path, world)
    made.pull(window_days=None)
    refresh(made.store, "me")
    yield made
    made.store.record.close()


def news(daily: Daily, kind: str, key: str, payload: dict, known_at: datetime) -> None:
    draft = FactDraft("me", kind, key, payload, known_at=known_at, basis=SEEN, source="whoop-api")
    assert daily.store.record.append_many([draft]) == 1


def held(daily: Daily, kind: str, age_days: float) -> tuple[str, dict]:
    """The first record of a kind that began at least so long ago."""
    at = (daily.now - timedelta(days=age_days)).isoformat()
    facts = daily.store.record.latest(kind, "me").values()
    fact = max((f for f in facts if f.payload["start"] < at), key=lambda f: f.payload["start"])
    return fact.key, fact.payload


@pytest.mark.parametrize("age_days", [2, 44, 100])
@pytest.mark.parametrize("kind", ["cycle", "sleep", "workout"])
def test_news_of_any_age(daily, kind, age_days):
    key, payload = held(daily, kind, age_days)
    news(daily, kind, key, payload | {"score_state": "UNSCORABLE", "score": None}, daily.now)
    refresh(daily.store, "me")
    assert daily.tables() == daily.rebuilt()


@pytest.mark.parametrize("age_days", [1, 80])
def test_what_vanishes_and_comes_back(daily, age_days):
    for kind in ("sleep", "cycle", "workout"):
        key, _ = held(daily, kind, age_days)
        for gone in (True, False):
            news(daily, "gone", f"{kind}:{key}", {"kind": kind, "key": key, "gone": gone}, daily.now)
            refresh(daily.store, "me")
            assert daily.tables() == daily.rebuilt()


def test_news_that_claim_to_be_old(daily):
    """An import: written now, known by a rule since long ago."""
    key, payload = held(daily, "sleep", 90)
    news(daily, "sleep", key, payload | {"nap": True}, daily.now - timedelta(days=89))
    refresh(daily.store, "me")
    assert daily.tables() == daily.rebuilt()


def test_a_strap_that_lay_aside_for_months(tmp_path, world):
    daily = Daily(tmp_path, world)
    daily.pull(window_days=None)
    daily.now += timedelta(days=100)
    refresh(daily.store, "me")
    _, payload = held(daily, "workout", 1)
    start = daily.now - timedelta(hours=3)
    times = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    news(daily, "workout", "a-new-one", payload | times | {"id": "a-new-one"}, daily.now)
    refresh(daily.store, "me")
    assert daily.tables() == daily.rebuilt()
    daily.store.record.close()


@pytest.mark.parametrize("harm", ["deleted", "older", "rebuilt"])
def test_tables_that_somebody_else_touched(daily, full_rebuilds, harm):
    before = daily.store.table_path("days").read_bytes()
    daily.now += timedelta(days=1)
    daily.pull()
    if harm == "deleted":
        daily.store.table_path("sleeps").unlink()
    elif harm == "older":
        refresh(daily.store, "me")
        daily.store.table_path("days").write_bytes(before)
    else:
        rebuild(daily.store)
    refresh(daily.store, "me")
    assert daily.tables() == daily.rebuilt()
    assert len(full_rebuilds) == 1
