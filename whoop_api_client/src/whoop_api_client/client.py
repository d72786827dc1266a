"""The WHOOP API v2, member endpoints only: asks politely, reads tolerantly, stores nothing.

`WhoopClient` blocks, `AsyncWhoopClient` does not; both carry out the steps of `exchange` and share the rest. Neither
keeps tokens: they ask a `TokenProvider` for one before each request, and once more after a 401. Answers are the plain
dicts that came; `read` and `every` give them typed (`models`).
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar

import httpx

from whoop_api_client import questions
from whoop_api_client.answers import Transient
from whoop_api_client.exchange import (
    TIMEOUT,
    GiveToken,
    Pace,
    RetryPolicy,
    Send,
    Step,
    TakeTurn,
    Wait,
    exchange,
)
from whoop_api_client.models import COLLECTIONS, Collection, Scored
from whoop_api_client.paging import Page, Walk
from whoop_api_client.questions import Answer, Question, StreamType, typed
from whoop_api_client.urls import require_safe_base

__all__ = ["AsyncWhoopClient", "Budget", "TokenProvider", "WhoopClient"]

M = TypeVar("M", bound=Scored)


class TokenProvider(Protocol):
    """Where access tokens come from."""

    def access_token(self) -> str:
        """A token that should work now."""

    def renewed(self, rejected: str) -> str:
        """Another token, after WHOOP rejected this one; raises `ConnectionLost` when there is none."""


class Budget(Protocol):
    """How many requests are left (see `budget`)."""

    def take(self) -> float:
        """Count one request and return 0, or count nothing and return the seconds to wait."""


class _MemberClient(ABC):
    """What both clients share: every endpoint as one question. `ask` answers, or promises to."""

    def __init__(self, tokens: TokenProvider, api_base: str, budget: Budget | None, policy: RetryPolicy):
        self._tokens = tokens
        self._base = require_safe_base(api_base)
        self._budget = budget
        self._policy = policy
        self._pace = Pace()

    @abstractmethod
    def ask(self, question: Question[Any]) -> Any:
        """The raw answer, a dict (None where the question allows it); awaitable in the asynchronous client.

        Raises
        ------
        RateLimited, ServerUnavailable, AuthorizationFailed, NotFound, UnexpectedAnswer
        """

    def profile(self) -> Any:
        return self.ask(questions.profile())

    def body(self) -> Any:
        return self.ask(questions.body())

    def cycle(self, cycle_id: int | str) -> Any:
        return self.ask(questions.cycle(cycle_id))

    def cycle_sleep(self, cycle_id: int | str) -> Any:
        return self.ask(questions.cycle_sleep(cycle_id))

    def cycle_recovery(self, cycle_id: int | str) -> Any:
        """`NotFound` while WHOOP has not computed it yet."""
        return self.ask(questions.cycle_recovery(cycle_id))

    def sleep(self, sleep_id: str) -> Any:
        return self.ask(questions.sleep(sleep_id))

    def sleep_stream(self, sleep_id: str, types: tuple[StreamType, ...] = ("hr",)) -> Any:
        """None where WHOOP offers no stream (403 or 404 for many accounts)."""
        return self.ask(questions.sleep_stream(sleep_id, types))

    def workout(self, workout_id: str) -> Any:
        return self.ask(questions.workout(workout_id))

    def record(self, kind: str, key: str) -> Any:
        """One record by its kind and key (a recovery's key is its cycle's id)."""
        return self.ask(questions.record(kind, key))

    def activity_mapping(self, activity_v1_id: int) -> Any:
        """The UUID of an activity that an old export knows by number."""
        return self.ask(questions.activity_mapping(activity_v1_id))

    def revoke(self) -> Any:
        """Withdraw this app's access at WHOOP; the tokens are dead afterwards."""
        return self.ask(questions.revoke())

    def _steps(self, question: Question[Any]):
        return exchange(question, self._policy, self._pace)

    def _turn(self) -> float:
        return 0.0 if self._budget is None else self._budget.take()

    def _token(self, step: GiveToken) -> str:
        if step.rejected is None:
            return self._tokens.access_token()
        return self._tokens.renewed(rejected=step.rejected)


class WhoopClient(_MemberClient):
    """One member's WHOOP, blocking.

    Parameters
    ----------
    tokens : TokenProvider
    api_base : str
        Such as ``https://api.prod.whoop.com/developer``; plain http only for loopback.
    budget : Budget, optional
        Without one, only WHOOP's own 429 slows us.
    sleep : callable
        Waits so many seconds; tests put a recorder here.
    """

    def __init__(
        self,
        tokens: TokenProvider,
        api_base: str,
        *,
        budget: Budget | None = None,
        policy: RetryPolicy | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        super().__init__(tokens, api_base, budget, policy or RetryPolicy())
        self._http = httpx.Client(transport=transport, timeout=TIMEOUT, follow_redirects=False)
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def ask(self, question: Question[Any]) -> Any:
        steps, result = self._steps(question), None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as done:
                return done.value
            result = self._carry_out(step)

    def read(self, question: Question[Answer]) -> Answer | None:
        """The typed answer; None where the question allows it."""
        return question.read(self.ask(question))

    def pages(self, kind: str, start: datetime | None = None, end: datetime | None = None) -> Iterator[Page]:
        """Pages of a collection (``cycle`` ``sleep`` ``recovery`` ``workout``), newest first.

        Parameters
        ----------
        start, end : datetime, aware, optional
            Records that reach into ``[start, end)``; a recovery counts by its sleep.
        """
        walk = Walk(COLLECTIONS[kind], start, end)
        while not walk.is_done:
            yield walk.take(self.ask(walk.question()))

    def records(
        self, kind: str, start: datetime | None = None, end: datetime | None = None
    ) -> list[dict[str, Any]]:
        """All records of a collection in a window, as received, newest first."""
        return [raw for page in self.pages(kind, start, end) for raw in page.records]

    def every(
        self, collection: Collection[M], start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[M]:
        """The same, typed: ``client.every(models.RECOVERIES)``."""
        for page in self.pages(collection.kind, start, end):
            for raw in page.records:
                yield typed(collection.model, raw, collection.path)

    def _carry_out(self, step: Step) -> Any:
        match step:
            case Wait(seconds):
                return self._sleep(seconds)
            case TakeTurn():
                return self._turn()
            case GiveToken():
                return self._token(step)
            case Send():
                try:
                    return self._http.send(step.request(self._http, self._base))
                except httpx.TransportError as error:
                    return Transient.from_transport(error)


class AsyncWhoopClient(_MemberClient):
    """One member's WHOOP for asynchronous programs: the same methods, to be awaited.

    Tokens and budget are asked for in a thread, because both may wait for a lock of another process.
    """

    def __init__(
        self,
        tokens: TokenProvider,
        api_base: str,
        *,
        budget: Budget | None = None,
        policy: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ):
        super().__init__(tokens, api_base, budget, policy or RetryPolicy())
        self._http = httpx.AsyncClient(transport=transport, timeout=TIMEOUT, follow_redirects=False)
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def ask(self, question: Question[Any]) -> Any:
        steps, result = self._steps(question), None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as done:
                return done.value
            result = await self._carry_out(step)

    async def read(self, question: Question[Answer]) -> Answer | None:
        """The typed answer; None where the question allows it."""
        return question.read(await self.ask(question))

    async def pages(
        self, kind: str, start: datetime | None = None, end: datetime | None = None
    ) -> AsyncIterator[Page]:
        """Pages of a collection, newest first; see `WhoopClient.pages`."""
        walk = Walk(COLLECTIONS[kind], start, end)
        while not walk.is_done:
            yield walk.take(await self.ask(walk.question()))

    async def records(
        self, kind: str, start: datetime | None = None, end: datetime | None = None
    ) -> list[dict[str, Any]]:
        """All records of a collection in a window, as received, newest first."""
        return [raw async for page in self.pages(kind, start, end) for raw in page.records]

    async def every(
        self, collection: Collection[M], start: datetime | None = None, end: datetime | None = None
    ) -> AsyncIterator[M]:
        """The same, typed."""
        async for page in self.pages(collection.kind, start, end):
            for raw in page.records:
                yield typed(collection.model, raw, collection.path)

    async def _carry_out(self, step: Step) -> Any:
        match step:
            case Wait(seconds):
                return await self._sleep(seconds)
            case TakeTurn():
                return await asyncio.to_thread(self._turn)
            case GiveToken():
                return await asyncio.to_thread(self._token, step)
            case Send():
                try:
                    return await self._http.send(step.request(self._http, self._base))
                except httpx.TransportError as error:
                    return Transient.from_transport(error)
