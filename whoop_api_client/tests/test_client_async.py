"""The blocking and the asynchronous client are one client: same answers, same steps, same typed reading."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from simulator_login import settings_for
from whoop_api_client import models, questions
from whoop_api_client.client import AsyncWhoopClient, WhoopClient
from whoop_api_client.connecting import connect
from whoop_api_client.connection import Connection, open_connection
from whoop_api_client.errors import NotFound, UnexpectedAnswer
from whoop_api_client.simulator import Fault, RunningSimulator, SimulatorConfig, make_member, running

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
BASE = "https://whoop.example/developer"


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    member = make_member(3, now=NOW, n_nights=60, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        yield place


@pytest.fixture(scope="module")
def tokens(simulator, tmp_path_factory) -> Connection:
    folder = tmp_path_factory.mktemp("async")
    settings = settings_for(simulator, folder)
    connect(settings, "follow")
    return open_connection(settings)


def test_both_have_the_same_methods():
    def public(kind: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_")}

    assert public(AsyncWhoopClient) - {"aclose"} == public(WhoopClient) - {"close"}


def test_every_endpoint_answers_both_alike(simulator, tokens):
    with WhoopClient(tokens, simulator.api_base) as client:
        recovery = next(raw for raw in client.records("recovery") if raw["score_state"] == "SCORED")
        workout = client.records("workout")[0]
        cycle_id, sleep_id = recovery["cycle_id"], recovery["sleep_id"]
        calls = {
            "profile": (), "body": (), "cycle": (cycle_id,), "cycle_sleep": (cycle_id,),
            "cycle_recovery": (cycle_id,), "sleep": (sleep_id,), "sleep_stream": (sleep_id, ("hr", "skin_temp")),
            "workout": (workout["id"],), "record": ("recovery", str(cycle_id)),
        }  # fmt: skip
        blocking = {name: getattr(client, name)(*arguments) for name, arguments in calls.items()}
        blocking |= {kind: client.records(kind) for kind in models.COLLECTIONS}

    async def ask_all() -> dict:
        async with AsyncWhoopClient(tokens, simulator.api_base) as client:
            answers = await asyncio.gather(*(getattr(client, name)(*args) for name, args in calls.items()))
            collections = await asyncio.gather(*(client.records(kind) for kind in models.COLLECTIONS))
            return dict(zip((*calls, *models.COLLECTIONS), (*answers, *collections), strict=True))

    assert asyncio.run(ask_all()) == blocking


def test_an_old_number_becomes_a_uuid(simulator, tokens):
    with WhoopClient(tokens, simulator.api_base) as client, pytest.raises(NotFound):
        client.activity_mapping(5)
    assert scripted({"v2_activity_id": "a-b"}).read(questions.activity_mapping(5)).v2_activity_id == "a-b"


def test_trouble_on_the_line_is_one_and_the_same_to_both(simulator, tokens):
    """Faults in the middle of paging: both wait as often, and lose nothing."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    async def ask() -> list[dict]:
        async with AsyncWhoopClient(tokens, simulator.api_base, sleep=note) as client:
            return await client.records("cycle")

    untroubled = asyncio.run(ask())
    assert waits == []
    for kind in ("rate_limited", "status_503", "cut", "html"):
        simulator.faults.add(Fault(kind, path_contains="/v2/cycle", seconds=33))
    assert asyncio.run(ask()) == untroubled
    assert len(waits) == 4
    assert sum(33 < wait < 35 for wait in waits) == 1


def test_typed_answers_keep_unknown_keys_and_read_absent_as_null():
    raw = {
        "id": 7, "user_id": 1, "created_at": "2026-05-01T06:00:00.000Z", "updated_at": "2026-05-01T06:00:00.000Z",
        "start": "2026-04-30T22:00:00.000Z", "timezone_offset": "+02:00", "score_state": "SCORED",
        "score": {"strain": 5, "kilojoule": 8288.297, "something_new": 3}, "step_count": 9000,
    }  # fmt: skip
    cycle = scripted(raw).read(questions.cycle(7))
    assert cycle == scripted(raw | {"end": None}).read(questions.cycle(7))
    assert (cycle.end, cycle.score.average_heart_rate) == (None, None)
    assert (cycle.step_count, cycle.score.something_new) == (9000, 3)
    assert cycle.start == datetime(2026, 4, 30, 22, tzinfo=UTC)


def test_typed_records_of_a_collection(simulator, tokens):
    async def every() -> list[models.Recovery]:
        async with AsyncWhoopClient(tokens, simulator.api_base) as client:
            return [recovery async for recovery in client.every(models.RECOVERIES, NOW - timedelta(days=9))]

    with WhoopClient(tokens, simulator.api_base) as client:
        blocking = list(client.every(models.RECOVERIES, NOW - timedelta(days=9)))
    assert asyncio.run(every()) == blocking
    assert 7 <= len(blocking) <= 10
    assert all(isinstance(recovery, models.Recovery) for recovery in blocking)


def test_an_answer_without_what_it_must_have_names_the_field_and_no_value():
    with pytest.raises(UnexpectedAnswer, match="user_id") as told:
        scripted({"user_id": "canary"}).read(questions.profile())
    assert "canary" not in str(told.value)


@pytest.mark.parametrize("status", [403, 404])
def test_an_account_without_a_sleep_stream(status):
    client = scripted({"error": "deactivated_user"}, status)
    assert client.sleep_stream("a-b") is None
    assert client.read(questions.sleep_stream("a-b")) is None


def test_a_sleep_stream_that_is_there():
    body = {"stream": [{"timestamp": "2026-05-01T01:00:00.000Z", "hr": 51}], "algorithm_version": "1"}
    asked: list[httpx.URL] = []
    stream = scripted(body, asked=asked).read(questions.sleep_stream("a-b", ("hr", "skin_temp")))
    assert (stream.stream[0].hr, stream.stream[0].skin_temp) == (51, None)
    assert asked[0].params.get_list("types") == ["hr", "skin_temp"]


class _Tokens:
    def access_token(self) -> str:
        return "token"

    def renewed(self, rejected: str) -> str:
        raise AssertionError("nobody rejected a token")


def scripted(body: dict, status: int = 200, asked: list[httpx.URL] | None = None) -> WhoopClient:
    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request.url)
        return httpx.Response(status, content=json.dumps(body))

    return WhoopClient(_Tokens(), BASE, transport=httpx.MockTransport(answer), sleep=lambda s: None)
