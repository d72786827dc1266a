"""The client against the real simulator over HTTP: every endpoint, trouble on the line, limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from whoop_api_client import models
from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import AuthorizationFailed, NotFound
from whoop_api_client.oauth import SCOPES
from whoop_api_client.simulator import Fault, RunningSimulator, SimulatorConfig, make_member, running

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
NIGHTS = 60


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    member = make_member(3, now=NOW, n_nights=NIGHTS, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        yield place


class FixedToken:
    def __init__(self, token: str):
        self.token = token

    def access_token(self) -> str:
        return self.token

    def renewed(self, rejected: str) -> str:
        return self.token


@pytest.fixture(scope="module")
def token(simulator) -> str:
    query = {
        "response_type": "code",
        "client_id": simulator.client_id,
        "redirect_uri": "http://localhost:1/callback",
        "scope": " ".join(SCOPES),
        "state": "12345678",
    }
    home = httpx.get(simulator.auth_url, params=query).headers["location"]
    form = {
        "grant_type": "authorization_code",
        "code": httpx.URL(home).params["code"],
        "redirect_uri": query["redirect_uri"],
        "client_id": simulator.client_id,
        "client_secret": simulator.client_secret,
    }
    return httpx.post(simulator.token_url, data=form).json()["access_token"]


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(simulator, token, waits) -> Iterator[WhoopClient]:
    with WhoopClient(FixedToken(token), simulator.api_base, sleep=waits.append) as client:
        yield client
    simulator.faults.clear()


def test_every_collection_is_complete_and_newest_first(client):
    cycles = client.records("cycle")
    assert len(cycles) > NIGHTS * 0.8
    starts = [raw["start"] for raw in cycles]
    assert starts == sorted(starts, reverse=True)
    for kind, collection in models.COLLECTIONS.items():
        records = client.records(kind)
        assert records, kind
        assert len({collection.key(raw) for raw in records}) == len(records)
        for raw in records:
            collection.model.model_validate(raw)


def test_single_records_are_those_of_the_collections(client):
    recovery = next(raw for raw in client.records("recovery") if raw["score_state"] == "SCORED")
    cycle = client.cycle(recovery["cycle_id"])
    sleep = client.cycle_sleep(cycle["id"])
    assert client.cycle_recovery(cycle["id"]) == recovery
    assert sleep["id"] == recovery["sleep_id"]
    assert client.sleep(sleep["id"]) == sleep
    assert cycle["start"] == sleep["start"]
    workout = client.records("workout")[0]
    assert client.workout(workout["id"]) == workout
    assert client.profile()["user_id"] == cycle["user_id"]
    assert client.body()["height_meter"] > 1


def test_a_window_holds_what_reaches_into_it(client):
    start, end = NOW - timedelta(days=20), NOW - timedelta(days=10)
    inside = {raw["id"] for raw in client.records("cycle", start, end)}
    by_hand = {
        raw["id"]
        for raw in client.records("cycle")
        if datetime.fromisoformat(raw["start"]) < end
        and (raw["end"] is None or datetime.fromisoformat(raw["end"]) >= start)
    }
    assert inside == by_hand
    assert 9 <= len(inside) <= 12


def test_a_record_that_does_not_exist(client):
    with pytest.raises(NotFound):
        client.cycle_recovery(1)


@pytest.mark.parametrize("kind", ["status_500", "status_503", "html", "empty", "cut", "lost"])
def test_trouble_in_the_middle_of_paging_loses_nothing(simulator, client, waits, kind):
    untroubled = client.records("sleep")
    simulator.faults.add(Fault(kind, count=3, path_contains="/v2/activity/sleep"))
    assert client.records("sleep") == untroubled
    assert len(waits) == 3


def test_a_storm_of_429_loses_nothing_and_is_waited_for(simulator, client, waits):
    untroubled = client.records("cycle")
    waits.clear()
    simulator.faults.add(Fault("rate_limited", count=6, path_contains="/v2/cycle", seconds=33))
    assert client.records("cycle") == untroubled
    assert len(waits) == 6
    assert all(33 < wait < 35 for wait in waits)


def test_a_wrong_token_is_an_authorization_failure(simulator):
    with (
        WhoopClient(FixedToken("nonsense"), simulator.api_base) as client,
        pytest.raises(AuthorizationFailed),
    ):
        client.profile()


def test_the_real_rate_limit_holds_us_off_without_an_error(token):
    """120 questions against 100 a minute: the client asks to wait, which is noted here instead of done."""
    member = make_member(3, now=NOW, n_nights=20, utc_offset_min=0)
    waits: list[float] = []

    def note_and_stop_at_the_second(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:  # the pause announced by "Remaining: 0", then the 429 that came all the same
            raise TimeoutError("would wait")

    with running(member, SimulatorConfig(clock_runs=False)) as place:
        home = httpx.get(
            place.auth_url,
            params={
                "response_type": "code", "client_id": place.client_id, "scope": "offline read:profile",
                "redirect_uri": "http://localhost:1/callback", "state": "12345678",
            },
        ).headers["location"]  # fmt: skip
        form = {
            "grant_type": "authorization_code", "code": httpx.URL(home).params["code"],
            "redirect_uri": "http://localhost:1/callback", "client_id": place.client_id,
            "client_secret": place.client_secret,
        }  # fmt: skip
        fresh = httpx.post(place.token_url, data=form).json()["access_token"]
        answers = []
        began = time.monotonic()
        with (
            WhoopClient(FixedToken(fresh), place.api_base, sleep=note_and_stop_at_the_second) as client,
            pytest.raises(TimeoutError),
        ):
            while len(answers) < 120:
                answers.append(client.profile())
        assert len(answers) == 100
        assert time.monotonic() - began < 20
    assert 0 < waits[0] <= 60
    assert 0 < waits[1] <= 62
