"""Paging: marks, repeated filters, doubled records, ends of every spelling."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import UnexpectedAnswer
from whoop_api_client.exchange import RetryPolicy


class Tokens:
    def access_token(self) -> str:
        return "token"

    def renewed(self, rejected: str) -> str:
        raise AssertionError("nobody rejected a token")


def client_of(*bodies):
    asked: list[dict[str, str]] = []
    answers = iter(bodies)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return httpx.Response(200, content=json.dumps(next(answers)))

    transport = httpx.MockTransport(answer)
    return WhoopClient(
        Tokens(),
        "https://whoop.example",
        transport=transport,
        sleep=lambda s: None,
        policy=RetryPolicy(attempts=1),
    ), asked


@pytest.mark.parametrize("end", [{}, {"next_token": None}, {"next_token": ""}])
def test_the_last_page_may_end_in_three_ways(end):
    client, asked = client_of({"records": [{"id": 2}], "next_token": "x"}, {"records": [{"id": 1}], **end})
    assert client.records("cycle") == [{"id": 2}, {"id": 1}]
    assert len(asked) == 2


def test_filters_are_repeated_beside_the_mark_in_utc_with_milliseconds():
    client, asked = client_of({"records": [], "next_token": "x="}, {"records": []})
    local = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    client.records("sleep", local, datetime(2026, 3, 2, tzinfo=UTC))
    filters = {"limit": "25", "start": "2026-02-28T23:30:00.000Z", "end": "2026-03-02T00:00:00.000Z"}
    assert asked == [filters, filters | {"nextToken": "x="}]


def test_a_naive_time_is_refused_rather_than_guessed():
    client, _ = client_of({"records": []})
    with pytest.raises(ValueError, match="aware"):
        client.records("sleep", datetime(2026, 3, 1))


def test_a_record_pushed_onto_the_next_page_comes_once():
    client, _ = client_of(
        {"records": [{"id": "c"}, {"id": "b"}], "next_token": "x"}, {"records": [{"id": "b"}, {"id": "a"}]}
    )
    assert [raw["id"] for raw in client.records("workout")] == ["c", "b", "a"]


def test_recoveries_are_told_apart_by_their_cycle():
    client, _ = client_of({"records": [{"cycle_id": 7, "n": 1}, {"cycle_id": 7, "n": 2}, {"cycle_id": 6}]})
    assert client.records("recovery") == [{"cycle_id": 7, "n": 1}, {"cycle_id": 6}]


def test_a_server_that_turns_in_circles_is_left():
    body = {"records": [], "next_token": "same"}
    client, _ = client_of(body, body, body)
    with pytest.raises(UnexpectedAnswer, match="twice"):
        client.records("cycle")


@pytest.mark.parametrize("body", [{}, {"records": None}, {"records": [1]}, {"records": [], "next_token": 5}])
def test_a_page_of_another_shape_is_refused(body):
    client, _ = client_of(body)
    with pytest.raises(UnexpectedAnswer):
        client.records("cycle")
