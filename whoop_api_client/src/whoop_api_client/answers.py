"""Reading what WHOOP's server answered: errors into the tree, pages into records, nothing trusted.

Error bodies may be JSON, plain text, HTML or empty; they are never parsed and never repeated to the user or a log.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import httpx

from whoop_api_client.errors import (
    AccessForbidden,
    BadRequest,
    NotFound,
    RateLimited,
    ServerUnavailable,
    UnexpectedAnswer,
    WhoopError,
)
from whoop_api_client.models import Collection

_LATER = "What came so far is kept; run the same command again later."


class Transient(Exception):
    """Worth another attempt. `final` is what to say when there is none; `wait_s` is what WHOOP asked for."""

    def __init__(self, final: WhoopError, wait_s: float | None = None):
        super().__init__(str(final))
        self.final = final
        self.wait_s = wait_s

    @classmethod
    def from_transport(cls, error: httpx.TransportError) -> Transient:
        what = (
            "did not answer in time" if isinstance(error, httpx.TimeoutException) else "could not be reached"
        )
        return cls(ServerUnavailable(f"WHOOP {what} ({type(error).__name__}). {_LATER}"))


def error_from(response: httpx.Response, path: str) -> Exception:
    """The error that a status other than 2xx stands for (`Transient` when another attempt may help)."""
    status = response.status_code
    if status == 429:
        wait_s = requested_wait_s(response.headers)
        said = f"for {wait_s:.0f} s" if wait_s else "without saying for how long"
        return Transient(RateLimited(f"WHOOP's rate limit holds us off {said}. {_LATER}", wait_s), wait_s)
    if status >= 500 or status == 408:
        return Transient(ServerUnavailable(f"WHOOP answers {status} on every attempt. {_LATER}"), None)
    if status == 403:
        return AccessForbidden(
            f"WHOOP forbids {path} (403): the connection lacks a scope, or the membership is inactive. "
            "Connect again and grant every scope: hrv connect"
        )
    if status == 404:
        return NotFound(f"WHOOP has no {path} (404).")
    if status in {400, 405, 406, 413, 414, 415, 422}:
        return BadRequest(
            f"WHOOP could not read our request for {path} ({status}). This is a bug of ours; report it."
        )
    return UnexpectedAnswer(f"WHOOP answered {status} to {path}; expected 200. Check HRV_WHOOP_API_BASE.")


def requested_wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that a 429 asks us to wait: the longer of its two headers, an absurd `Retry-After` left aside."""
    reset_s = seconds_until_reset(headers)
    after_s = _seconds(headers.get("Retry-After"))
    if reset_s is None:
        return after_s
    if after_s is None or after_s > 2 * 86_400:  # no window of WHOOP's is longer than a day
        return reset_s
    return max(reset_s, after_s)


def seconds_until_reset(headers: Mapping[str, str]) -> float | None:
    """``X-RateLimit-Reset``: seconds until the nearest limit's window is over."""
    return _seconds(headers.get("X-RateLimit-Reset"))


def decoded(response: httpx.Response, path: str) -> dict[str, Any]:
    """The JSON object of a 2xx answer; a cut or foreign body is `Transient`."""
    try:
        body = json.loads(response.content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        kind = response.headers.get("Content-Type", "no content type").split(";")[0]
        return _raise(f"WHOOP's answer to {path} is not JSON ({kind}). {_LATER}")
    if not isinstance(body, dict):
        return _raise(f"WHOOP's answer to {path} is a {type(body).__name__}; expected an object. {_LATER}")
    return body


def page_from(body: dict[str, Any], collection: Collection) -> tuple[list[dict[str, Any]], str | None]:
    """Records and the next page's mark (None at the end: absent, null and empty are the same)."""
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(raw, dict) for raw in records):
        raise UnexpectedAnswer(
            f"WHOOP's page of {collection.kind} has no list of records; the API may have changed. Nothing was written."
        )
    mark = body.get("next_token") or None
    if mark is not None and not isinstance(mark, str):
        raise UnexpectedAnswer(
            f"WHOOP's page mark of {collection.kind} is a {type(mark).__name__}; expected text."
        )
    return records, mark


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:  # Retry-After may be a date; WHOOP's own header is then enough, or the backoff
        return None
    return max(value, 0.0) if math.isfinite(value) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _raise(message: str) -> dict[str, Any]:
    raise Transient(UnexpectedAnswer(message))
