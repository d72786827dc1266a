"""A simulated hour in which half of all answers are 429: nothing is lost, and never more than 100 requests a minute."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from hrv_shared.store import Store
from simulator_login import settings_for
from whoop_api_client.budget import SharedBudget
from whoop_api_client.client import WhoopClient
from whoop_api_client.connecting import connect
from whoop_api_client.connection import open_connection
from whoop_api_client.errors import RateLimited
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.simulator import RunningSimulator, SimulatorConfig, make_member, running
from whoop_api_client.sync import synchronise

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
HOUR_S = 3600.0
ANSWER_S = 0.05


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    member = make_member(5, now=NOW, n_nights=300, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        yield place


class Storm(httpx.BaseTransport):
    """The real simulator behind a limit that refuses half of all requests; notes when each came, in virtual time."""

    def __init__(self, seed: int):
        self.now_s = 0.0
        self.arrivals: list[float] = []
        self.refused = 0
        self._rng = random.Random(seed)
        self._behind = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.now_s += ANSWER_S
        self.arrivals.append(self.now_s)
        if self._rng.random() < 0.5:
            self.refused += 1
            # a server that says "come back at once": what holds us to the limit is our own count
            at_once = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}
            return httpx.Response(
                429, headers=self._rng.choice([at_once, at_once, at_once, {"Retry-After": "1"}])
            )
        return self._behind.handle_request(request)

    def close(self) -> None:
        self._behind.close()

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def most_in_any_minute(self) -> int:
        most, first = 0, 0
        for last, at in enumerate(self.arrivals):
            while at - self.arrivals[first] >= 60.0:
                first += 1
            most = max(most, last - first + 1)
        return most


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_an_hour_of_storm(simulator, tmp_path, seed):
    settings = settings_for(simulator, tmp_path)
    connect(settings, "follow")
    tokens = open_connection(settings)
    store = Store(tmp_path / "home", clock=simulator.clock.now)
    storm = Storm(seed)
    budget = SharedBudget(
        tmp_path / "budget.sqlite", wall=lambda: 1.78e9 + storm.now_s, monotonic=lambda: storm.now_s
    )
    pulls = given_up = 0
    with WhoopClient(tokens, simulator.api_base, budget=budget, transport=storm, sleep=storm.wait) as client:
        while storm.now_s < HOUR_S:
            try:
                synchronise(store, client, member_id="me", connection="sim", full=pulls in (1, 20))
                pulls += 1
            except RateLimited:
                given_up += 1
            storm.wait(60.0)
    with WhoopClient(tokens, simulator.api_base) as client:
        upstream = {
            kind: {c.key(raw): raw for raw in client.records(kind)} for kind, c in COLLECTIONS.items()
        }
    held = {
        kind: {key: fact.payload for key, fact in store.record.latest(kind, "me").items()}
        for kind in COLLECTIONS
    }
    assert held == upstream
    assert not store.record.latest("gone", "me")
    store.record.close()
    budget.close()
    assert 98 <= storm.most_in_any_minute() <= 100, "the limit must have been reached, and never passed"
    assert 0.4 < storm.refused / len(storm.arrivals) < 0.6
    assert len(storm.arrivals) > 600
    assert pulls > 20
    assert given_up == 0


def test_without_a_budget_the_same_storm_would_be_too_much(simulator):
    """That the limit holds is the budget's doing: asking flat out for a minute is more than 100."""

    class Tokens:
        def access_token(self) -> str:
            return "t"

        def renewed(self, rejected: str) -> str:
            return "t"

    class Calm(Storm):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            self.now_s += ANSWER_S
            self.arrivals.append(self.now_s)
            return httpx.Response(200, json={"user_id": 1})

    calm = Calm(3)
    with WhoopClient(Tokens(), simulator.api_base, transport=calm, sleep=calm.wait) as client:
        while calm.now_s < 60.0 - ANSWER_S:
            client.profile()
    assert calm.most_in_any_minute() > 300
