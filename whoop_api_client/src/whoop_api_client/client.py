"""The WHOOP API v2, member endpoints only: asks politely, reads tolerantly, stores nothing.

The client never keeps tokens: it asks a `TokenProvider` for one before each request, and once more after a 401.
Answers are returned as the plain dicts that came (see `models` for their meaning).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from whoop_api_client.answers import Transient, decoded, error_from, page_from, seconds_until_reset
from whoop_api_client.errors import AuthorizationFailed, NotFound, RateLimited, UnexpectedAnswer
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.urls import require_safe_base

PAGE_SIZE = 25  # WHOOP rejects more with 400
ATTEMPTS = 8
LONGEST_WAIT_S = (
    90.0  # one minute window and a margin; a used-up day (10,000 requests) is not worth sitting out
)
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class TokenProvider(Protocol):
    """Where access tokens come from."""

    def access_token(self) -> str:
        """A token that should work now."""

    def renewed(self, rejected: str) -> str:
        """Another token, after WHOOP rejected this one; raises `ConnectionLost` when there is none."""


@dataclass(frozen=True)
class Page:
    """One answer of a collection; `records` are as received, without those already seen on earlier pages."""

    records: list[dict[str, Any]]
    is_last: bool


class WhoopClient:
    """One member's WHOOP.

    Parameters
    ----------
    tokens : TokenProvider
    api_base : str
        Such as ``https://api.prod.whoop.com/developer``; plain http only for loopback.
    sleep : callable
        Waits so many seconds; tests put a recorder here.
    longest_wait_s : float
        A longer wait that WHOOP asks for becomes `RateLimited` instead.
    """

    def __init__(
        self,
        tokens: TokenProvider,
        api_base: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = ATTEMPTS,
        longest_wait_s: float = LONGEST_WAIT_S,
    ):
        self._tokens = tokens
        self._base = require_safe_base(api_base)
        self._http = httpx.Client(transport=transport, timeout=TIMEOUT, follow_redirects=False)
        self._sleep = sleep
        self._attempts = attempts
        self._longest_wait_s = longest_wait_s
        self._pause_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ):
        self.close()

    def close(self) -> None:
        self._http.close()

    # -- collections ---------------------------------------------------------------------------------------------

    def pages(self, kind: str, start: datetime | None = None, end: datetime | None = None) -> Iterator[Page]:
        """Pages of a collection (``cycle`` ``sleep`` ``recovery`` ``workout``), newest first.

        Parameters
        ----------
        start, end : datetime, aware, optional
            Records that reach into ``[start, end)``; a recovery counts by its sleep.

        Raises
        ------
        RateLimited, ServerUnavailable, AuthorizationFailed, UnexpectedAnswer
        """
        collection = COLLECTIONS[kind]
        filters: dict[str, Any] = {"limit": PAGE_SIZE}
        if start is not None:
            filters["start"] = _stamp(start)
        if end is not None:
            filters["end"] = _stamp(end)
        seen: set[str] = set()
        cursors: set[str] = set()
        cursor: str | None = None
        while True:
            # the filters are repeated beside the cursor: WHOOP's own examples do so
            params = filters | ({"nextToken": cursor} if cursor else {})
            records, cursor = page_from(self._get(collection.path, params), collection)
            fresh = []
            for raw in records:  # new records may push old ones onto the next page
                key = collection.key(raw) if collection.key_field in raw else None
                if key is None or key not in seen:
                    fresh.append(raw)
                if key is not None:
                    seen.add(key)
            yield Page(fresh, is_last=cursor is None)
            if cursor is None:
                return
            if cursor in cursors:
                raise UnexpectedAnswer(
                    f"WHOOP sent the same page mark of {kind} twice; stopped, to not turn in circles."
                )
            cursors.add(cursor)

    def records(
        self, kind: str, start: datetime | None = None, end: datetime | None = None
    ) -> list[dict[str, Any]]:
        """All records of a collection in a window, newest first."""
        return [raw for page in self.pages(kind, start, end) for raw in page.records]

    # -- single records ------------------------------------------------------------------------------------------

    def profile(self) -> dict[str, Any]:
        return self._get("/v2/user/profile/basic")

    def body(self) -> dict[str, Any]:
        return self._get("/v2/user/measurement/body")

    def cycle(self, cycle_id: int | str) -> dict[str, Any]:
        return self._get(f"/v2/cycle/{int(cycle_id)}")

    def cycle_sleep(self, cycle_id: int | str) -> dict[str, Any]:
        return self._get(f"/v2/cycle/{int(cycle_id)}/sleep")

    def cycle_recovery(self, cycle_id: int | str) -> dict[str, Any]:
        """`NotFound` while WHOOP has not computed it yet."""
        return self._get(f"/v2/cycle/{int(cycle_id)}/recovery")

    def sleep(self, sleep_id: str) -> dict[str, Any]:
        return self._get(f"/v2/activity/sleep/{_segment(sleep_id)}")

    def workout(self, workout_id: str) -> dict[str, Any]:
        return self._get(f"/v2/activity/workout/{_segment(workout_id)}")

    def record(self, kind: str, key: str) -> dict[str, Any]:
        """One record by its kind and key (a recovery's key is its cycle's id)."""
        fetch = {
            "cycle": self.cycle,
            "sleep": self.sleep,
            "recovery": self.cycle_recovery,
            "workout": self.workout,
        }
        return fetch[kind](key)

    def v2_id(self, activity_v1_id: int) -> str:
        """The UUID of an activity that an old export knows by number."""
        return str(self._get(f"/v1/activity-mapping/{int(activity_v1_id)}")["v2_activity_id"])

    def revoke(self) -> None:
        """Withdraw this app's access at WHOOP; the tokens are dead afterwards."""
        self._request("DELETE", "/v2/user/access", {})

    # -- one request ---------------------------------------------------------------------------------------------

    def _get(self, path: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._request("GET", path, params or {})

    def _request(self, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            retry=retry_if_exception(lambda error: isinstance(error, Transient)),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._attempt, method, path, params)
        except Transient as last:
            raise last.final from last.__cause__

    def _attempt(self, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
        if self._pause_s > 0:
            pause, self._pause_s = self._pause_s, 0.0
            self._sleep(pause)
        token = self._tokens.access_token()
        response = self._send(method, path, params, token)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            # once per attempt: an access token dies early when another process renewed the pair
            response = self._send(method, path, params, self._tokens.renewed(rejected=token))
            if response.status_code == httpx.codes.UNAUTHORIZED:
                raise AuthorizationFailed(
                    "WHOOP rejects even a fresh access token. Connect again: hrv connect"
                )
        if not response.is_success:
            raise error_from(response, path)
        # the window is used up: wait for the next one rather than run into a 429
        if response.headers.get("X-RateLimit-Remaining", "").strip() == "0":
            self._pause_s = min(seconds_until_reset(response.headers) or 0.0, self._longest_wait_s)
        if response.status_code == httpx.codes.NO_CONTENT:
            return {}
        return decoded(response, path)

    def _send(self, method: str, path: str, params: dict[str, Any], token: str) -> httpx.Response:
        try:
            return self._http.request(
                method, self._base + path, params=params, headers={"Authorization": f"Bearer {token}"}
            )
        except httpx.TransportError as error:
            raise Transient.from_transport(error) from error

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception()
        asked = error.wait_s if isinstance(error, Transient) else None
        if asked is None:
            return min(2.0 ** (state.attempt_number - 1), 30.0) * random.uniform(0.5, 1.0)
        if asked > self._longest_wait_s:
            raise RateLimited(
                f"WHOOP asks to wait {asked / 60:.0f} minutes before the next request. What came so far is kept; "
                "run the same command again after that.",
                retry_after_s=asked,
            )
        # everybody's window opens at the same second: do not all come at once
        return asked + random.uniform(0.1, 1.5)


def _stamp(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError("expected an aware datetime for a WHOOP time filter")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def _segment(record_id: str) -> str:
    # an id goes into a path: anything but a UUID's letters would reach another endpoint
    if not record_id or not all(c.isalnum() or c == "-" for c in record_id):
        raise NotFound(f"{record_id!r} is not the id of a WHOOP activity (expected a UUID).")
    return record_id
