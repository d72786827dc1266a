"""How the client behaves when WHOOP does not: 429, 5xx, cut and foreign bodies, dead tokens."""

from __future__ import annotations

import json

import httpx
import pytest

from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import (
    AccessForbidden,
    AuthorizationFailed,
    BadRequest,
    NotFound,
    RateLimited,
    ServerUnavailable,
    UnexpectedAnswer,
    UnsafeAddress,
)

BASE = "https://whoop.example/developer"
PLAIN_401 = httpx.Response(401, text="Authorization was not valid")


class Tokens:
    """Counts renewals; each gives another token."""

    def __init__(self):
        self.renewals = 0

    def access_token(self) -> str:
        return f"token-{self.renewals}"

    def renewed(self, rejected: str) -> str:
        assert rejected == f"token-{self.renewals}"
        self.renewals += 1
        return f"token-{self.renewals}"


class Script:
    """A server that answers from a list, the last answer for ever, and remembers the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.tokens = Tokens()
        self.client = WhoopClient(
            self.tokens, BASE, transport=httpx.MockTransport(self._answer), sleep=self.waits.append
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        # a response object may be given out several times
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def ok(body) -> httpx.Response:
    return httpx.Response(200, content=json.dumps(body))


def test_a_429_waits_as_long_as_the_header_says_and_a_little_more():
    script = Script(httpx.Response(429, headers={"X-RateLimit-Reset": "17"}), ok({"user_id": 1}))
    assert script.client.profile() == {"user_id": 1}
    assert len(script.waits) == 1
    assert 17 < script.waits[0] < 19


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"Retry-After": "5"}, 5, 7),
        ({"X-RateLimit-Reset": "3", "Retry-After": "20"}, 20, 22),
        ({"X-RateLimit-Reset": "3", "Retry-After": "999999999"}, 3, 5),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.5, 1),
        ({"X-RateLimit-Reset": "nan"}, 0.5, 1),
        ({"X-RateLimit-Reset": "-4"}, 0, 2),
        ({}, 0.5, 1),
    ],
)
def test_the_wait_honours_both_headers_and_survives_nonsense(headers, low, high):
    script = Script(httpx.Response(429, headers=headers), ok({}))
    script.client.profile()
    assert low <= script.waits[0] <= high


def test_a_used_up_day_is_said_at_once_instead_of_waited_for():
    script = Script(httpx.Response(429, headers={"X-RateLimit-Reset": "40000"}))
    with pytest.raises(RateLimited, match="667 minutes") as told:
        script.client.profile()
    assert told.value.retry_after_s == 40000
    assert script.waits == []
    assert len(script.requests) == 1


def test_a_used_up_minute_pauses_before_the_next_request_not_after_it():
    remaining_none = httpx.Response(
        200, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "12"}, text="{}"
    )
    script = Script(remaining_none, ok({}))
    script.client.profile()
    assert script.waits == []
    script.client.profile()
    assert script.waits == [12.0]
    script.client.profile()
    assert script.waits == [12.0]


@pytest.mark.parametrize(
    "hiccup",
    [
        httpx.Response(500),
        httpx.Response(503, html="<h1>down</h1>"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.Response(200, text='{"user_id": 1'),
        httpx.Response(200, html="<h1>captive portal</h1>"),
        httpx.Response(200, text='{"user_id": NaN}'),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(200, text="[]"),
        httpx.Response(200, text=""),
    ],
    ids=lambda h: type(h).__name__ if isinstance(h, Exception) else f"{h.status_code}-{h.text[:12]}",
)
def test_a_hiccup_is_tried_again(hiccup):
    script = Script(hiccup, hiccup, ok({"user_id": 1}))
    assert script.client.profile() == {"user_id": 1}
    assert len(script.waits) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), ServerUnavailable),
        (httpx.ConnectError("refused"), ServerUnavailable),
        (httpx.Response(200, text="<html>"), UnexpectedAnswer),
    ],
)
def test_attempts_are_counted_and_waits_capped(answer, error):
    script = Script(answer)
    with pytest.raises(error, match="again"):
        script.client.profile()
    assert len(script.requests) == 8
    assert max(script.waits) <= 30


@pytest.mark.parametrize("headers", [{}, {"X-RateLimit-Reset": "30"}])
def test_refusals_at_the_limit_are_sat_out_for_a_quarter_of_an_hour(headers):
    script = Script(httpx.Response(429, headers=headers))
    with pytest.raises(RateLimited, match="again"):
        script.client.profile()
    assert 900 <= sum(script.waits) <= 932


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(400, html="<p>bad"), BadRequest),
        (httpx.Response(403, json={"error": "deactivated_user"}), AccessForbidden),
        (httpx.Response(404), NotFound),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), UnexpectedAnswer),
        (httpx.Response(418, text="secret-token-in-body"), UnexpectedAnswer),
    ],
)
def test_what_cannot_get_better_is_not_tried_again(answer, error):
    script = Script(answer)
    with pytest.raises(error) as told:
        script.client.profile()
    assert len(script.requests) == 1
    assert "secret" not in str(told.value)


def test_a_dead_access_token_is_renewed_once_and_the_request_repeated():
    script = Script(PLAIN_401, ok({"user_id": 1}))
    assert script.client.profile() == {"user_id": 1}
    assert [r.headers["Authorization"] for r in script.requests] == ["Bearer token-0", "Bearer token-1"]


def test_a_token_that_stays_dead_ends_it():
    script = Script(PLAIN_401)
    with pytest.raises(AuthorizationFailed, match="hrv connect"):
        script.client.profile()
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    "base", ["http://api.prod.whoop.com/developer", "ftp://x", "https://", "https://u:p@whoop.com"]
)
def test_tokens_never_travel_in_clear_or_to_odd_addresses(base):
    with pytest.raises(UnsafeAddress):
        WhoopClient(Tokens(), base)


@pytest.mark.parametrize("key", ["../../v2/user/access", "a/b", "", "a?b=c", "%2e%2e"])
def test_an_id_cannot_reach_another_endpoint(key):
    script = Script(ok({}))
    with pytest.raises(NotFound):
        script.client.sleep(key)
    assert script.requests == []
