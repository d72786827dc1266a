"""One question to WHOOP without any input or output: what to do next, whatever came back.

`exchange` is a generator. It yields steps (wait, take a turn, give a token, send) and gets their results; the
blocking and the asynchronous client carry the steps out, each in its own way, and share everything else.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx

from whoop_api_client.answers import Transient, decoded, error_from, seconds_until_reset
from whoop_api_client.errors import AuthorizationFailed, RateLimited
from whoop_api_client.questions import Question

TIMEOUT = httpx.Timeout(30.0, connect=10.0)


@dataclass(frozen=True)
class RetryPolicy:
    """How long to be patient.

    Attributes
    ----------
    attempts : int
        For 5xx, time-outs, cut and foreign answers.
    longest_wait_s : float
        A longer wait that WHOOP asks for becomes `RateLimited`: one minute's window and a margin; a used-up day is
        not worth sitting out.
    patience_s : float
        So long may all 429 of one question hold us off together.
    """

    attempts: int = 8
    longest_wait_s: float = 90.0
    patience_s: float = 900.0


@dataclass
class Pace:
    """What one client has learned about the current window: wait so long before the next request."""

    pause_s: float = 0.0


@dataclass(frozen=True)
class Wait:
    """Wait; result None."""

    seconds: float


@dataclass(frozen=True)
class TakeTurn:
    """Count a request against the shared budget; result: seconds to wait before asking again, 0 when counted."""


@dataclass(frozen=True)
class GiveToken:
    """Result: an access token, another one than `rejected`."""

    rejected: str | None = None


@dataclass(frozen=True)
class Send:
    """Send; result: the response, or `Transient` when the line failed."""

    question: Question[Any]
    token: str

    def request(self, http: httpx.Client | httpx.AsyncClient, base: str) -> httpx.Request:
        """The request as the client's own kind of httpx builds it."""
        asked = self.question
        return http.build_request(
            asked.method, base + asked.path, params=dict(asked.params),
            headers={"Authorization": f"Bearer {self.token}"},
        )  # fmt: skip


Step = Wait | TakeTurn | GiveToken | Send
Steps = Generator[Step, Any, dict[str, Any] | None]


def exchange(question: Question[Any], policy: RetryPolicy, pace: Pace) -> Steps:
    """Ask until there is an answer, or an error that another attempt would not mend.

    Returns
    -------
    dict or None
        The raw answer; None on a status of ``question.none_on``.

    Raises
    ------
    WhoopError
    """
    failures, refusals, held_off_s = 0, 0, 0.0
    while True:
        try:
            return (yield from _attempt(question, policy, pace))
        except Transient as hiccup:
            if isinstance(hiccup.final, RateLimited):
                refusals += 1
                wait_s = _wait_at_limit(hiccup, policy, refusals, held_off_s)
                held_off_s += wait_s
            else:
                failures += 1
                if failures >= policy.attempts:
                    raise hiccup.final from None  # the chain would carry the request, and it the token
                wait_s = _backoff(failures)
        yield Wait(wait_s)


def _attempt(question: Question[Any], policy: RetryPolicy, pace: Pace) -> Steps:
    if pace.pause_s > 0:
        pause_s, pace.pause_s = pace.pause_s, 0.0
        yield Wait(pause_s)
    token = yield GiveToken()
    response = yield from _send(Send(question, token), policy)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        # once per attempt: an access token dies early when another process renewed the pair
        response = yield from _send(Send(question, (yield GiveToken(rejected=token))), policy)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise AuthorizationFailed("WHOOP rejects even a fresh access token. Connect again: hrv connect")
    if response.status_code in question.none_on:
        return None
    if not response.is_success:
        raise error_from(response, question.path)
    # the window is used up: wait for the next one rather than run into a 429
    if response.headers.get("X-RateLimit-Remaining", "").strip() == "0":
        pace.pause_s = min(seconds_until_reset(response.headers) or 0.0, policy.longest_wait_s)
    return {} if response.status_code == httpx.codes.NO_CONTENT else decoded(response, question.path)


def _send(send: Send, policy: RetryPolicy) -> Generator[Step, Any, httpx.Response]:
    while (wait_s := (yield TakeTurn())) > 0:
        if wait_s > policy.longest_wait_s:
            raise _too_long(wait_s)
        yield Wait(wait_s + random.uniform(0.01, 0.5))
    response = yield send
    if isinstance(response, Transient):
        raise response
    return response


def _wait_at_limit(hiccup: Transient, policy: RetryPolicy, refusals: int, held_off_s: float) -> float:
    if hiccup.wait_s is not None and hiccup.wait_s > policy.longest_wait_s:
        raise _too_long(hiccup.wait_s)
    if held_off_s >= policy.patience_s:
        raise hiccup.final from None
    if hiccup.wait_s is None:
        return _backoff(refusals)
    # everybody's window opens at the same second: do not all come at once
    return hiccup.wait_s + random.uniform(0.1, 1.5)


def _backoff(failures: int) -> float:
    return min(2.0 ** (failures - 1), 30.0) * random.uniform(0.5, 1.0)


def _too_long(wait_s: float) -> RateLimited:
    return RateLimited(
        f"WHOOP's limits ask to wait {wait_s / 60:.0f} minutes before the next request. What came so far is kept; run "
        "the same command again after that.",
        retry_after_s=wait_s,
    )
