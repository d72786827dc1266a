"""Refreshed tables are rebuilt ones also for rare workouts, lost nights, moved starts and news of any age."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache

import pytest

from hrv_shared.daytime import parse_instant
from hrv_shared.record import SEEN, FactDraft
from test_tables_refresh import BEGAN, Daily
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.notebook import Notebook
from whoop_api_client.simulator import World, make_member
from whoop_api_client.tables.refresh import refresh

OFFSETS_MIN = (-480, 0, 60, 330)
STEPS = 5


@cache
def world(which: int) -> World:
    return make_member(
        which, now=BEGAN, n_nights=140, utc_offset_min=OFFSETS_MIN[which], future_nights=5
    ).world


class Sparse:
    """A store that got only a share of an account's records; `happen` lets one thing happen to one of them."""

    def __init__(self, folder, seed: int):
        self.rng = random.Random(seed)
        self.daily = Daily(folder, world(seed % len(OFFSETS_MIN)))
        shares = {
            "cycle": self.rng.choice((0.6, 1.0, 1.0)),
            "sleep": self.rng.choice((0.02, 0.5, 1.0, 1.0)),
            "workout": self.rng.choice((0.0, 0.02, 0.05, 1.0)),
            "recovery": self.rng.choice((0.7, 1.0)),
        }
        book = Notebook(self.daily.store, "me", "sim")
        self.held_back: dict[str, list[dict]] = {}
        for kind in COLLECTIONS:
            told: dict[bool, list[dict]] = {True: [], False: []}
            for raw in self.daily.world.records(kind, BEGAN):
                told[self.rng.random() < shares[kind]].append(raw)
            book.write_page(kind, told[True])
            self.held_back[kind] = told[False]

    def happen(self) -> None:
        kind = self.rng.choice(list(COLLECTIONS))
        what = self.rng.choice(("rescored", "moved", "gone", "late"))
        now = self.daily.now
        since = (now - timedelta(days=self.rng.choice((3, 20, 45, 80, 140)))).isoformat()
        held = [fact.payload for _, fact in sorted(self.daily.store.record.latest(kind, "me").items())]
        recent = [raw for raw in (self.held_back[kind] if what == "late" else held)
                  if raw.get("start", raw["created_at"]) > since]  # fmt: skip
        if not recent:
            return
        raw, known_at = self.rng.choice(recent), now
        key = COLLECTIONS[kind].key(raw)
        if what == "gone":
            kind, key, raw = (
                "gone",
                f"{kind}:{key}",
                {"kind": kind, "key": key, "gone": self.rng.random() < 0.7},
            )
        elif what == "rescored":
            raw = raw | {"score_state": self.rng.choice(("UNSCORABLE", "PENDING_SCORE")), "score": None}
        elif what == "moved" and "start" in raw:
            by_s = self.rng.choice((-1, 1, -3600, 9 * 3600, 2 * 86_400, -20 * 86_400))
            raw = raw | {"start": (parse_instant(raw["start"]) + timedelta(seconds=by_s)).isoformat()}
        elif what == "late":
            known_at = self.rng.choice((now, parse_instant(raw["updated_at"])))
        draft = FactDraft("me", kind, key, raw, known_at=known_at, basis=SEEN, source="whoop-api")
        self.daily.store.record.append_many([draft])


# the few: of the first hundred, two that tell a wrong first workout, or a wrong count of vintages, from the right one
@pytest.mark.parametrize(
    "seeds", [(1, 9), pytest.param(range(10, 400), marks=pytest.mark.slow)], ids=["few", "many"]
)
@pytest.mark.timeout(1200)
def test_whatever_happens_refreshed_is_rebuilt(tmp_path, seeds):
    for seed in seeds:
        sparse = Sparse(tmp_path / str(seed), seed)
        daily = sparse.daily
        refresh(daily.store, "me")
        for step in range(STEPS):
            daily.now += timedelta(hours=sparse.rng.choice((1, 9, 24, 9 * 24)))
            for _ in range(sparse.rng.choice((1, 1, 3))):
                sparse.happen()
            refresh(daily.store, "me")
            refreshed, rebuilt = daily.tables(), daily.rebuilt()
            assert refreshed == rebuilt, f"seed {seed}, step {step}"
        daily.store.record.close()
