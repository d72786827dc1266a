"""Following webhooks: an event says that something changed, and we read what it names.

* ``sleep.updated``: the sleep and its cycle. ``recovery.updated``: the id is that of the sleep; sleep, cycle, recovery.
  ``workout.updated``: the workout.
* Not there yet (404): read again later, a few times. After that the next pull reads it anyway.
* ``….deleted``: an event proves nothing, so nothing is marked; the trailing window is read again, with its own rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hrv_shared.cli import say
from hrv_shared.clock import Clock, system_clock
from hrv_shared.errors import HrvError
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from whoop_api_client.budget import open_budget
from whoop_api_client.client import WhoopClient
from whoop_api_client.connection import open_connection
from whoop_api_client.errors import NotFound, PullRunning, Stopped
from whoop_api_client.notebook import Notebook
from whoop_api_client.pulling import pull
from whoop_api_client.service.book import Book, Hint
from whoop_api_client.sync import only_pull
from whoop_api_client.tables import refresh
from whoop_api_client.urls import connection_name

__all__ = ["KINDS", "follow_due"]

KINDS = frozenset(
    f"{kind}.{what}" for kind in ("sleep", "recovery", "workout") for what in ("updated", "deleted")
)
WAITS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60))
BUSY_WAIT = timedelta(seconds=30)


def follow_due(
    settings: Settings,
    book: Book,
    *,
    clock: Clock = system_clock,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Follow every hint that is due; each ends as done, given up, or due later."""
    due = book.due_hints(clock())
    deleted = [hint for hint in due if hint.type.endswith(".deleted")]
    updated = [hint for hint in due if hint not in deleted]
    if deleted:
        _attempt(book, deleted, clock, lambda: pull(settings, clock=clock, sleep=sleep))
    if updated:
        _attempt(book, updated, clock, lambda: _read_named(settings, book, updated, clock, sleep))


def _attempt(book: Book, hints: list[Hint], clock: Clock, work: Callable[[], Any]) -> None:
    """Do it for all of them; what fails for all is tried again for all."""
    try:
        work()
    except Stopped:
        raise
    except PullRunning:  # somebody else's pull, which will end; that costs no attempt
        for hint in hints:
            book.postpone_hint(hint, clock() + BUSY_WAIT, counts=False)
    except Exception as error:
        if not isinstance(error, HrvError):  # a bug; its text may hold data
            say(f"hrv serve: following a webhook failed with {type(error).__name__}; tried again later")
        for hint in hints:
            _later(book, hint, clock)
    else:
        for hint in hints:
            if hint.type.endswith(".deleted"):
                book.finish_hint(hint, "done")


def _read_named(
    settings: Settings, book: Book, hints: list[Hint], clock: Clock, sleep: Callable[[float], None]
) -> None:
    member = settings.member_id
    tokens = open_connection(settings, clock=clock, sleep=sleep)
    budget = open_budget(settings, tokens.client_id)
    store = Store.open(settings, clock)
    try:
        with (
            only_pull(store),
            WhoopClient(tokens, settings.whoop_api_base, budget=budget, sleep=sleep) as client,
        ):
            notebook = Notebook(store, member, connection_name(member, settings.whoop_api_base))
            finished, late = _Reading(client, notebook).all(hints)
        if finished:
            refresh(store, member)
    finally:
        store.record.close()
    for hint in finished:
        book.finish_hint(hint, "done")
    for hint in late:
        _later(book, hint, clock)


class _Reading:
    """One batch: what several events name is asked for once."""

    def __init__(self, client: WhoopClient, notebook: Notebook):
        self._client = client
        self._notebook = notebook
        self._asked: dict[tuple[str, str], dict[str, Any]] = {}

    def all(self, hints: list[Hint]) -> tuple[list[Hint], list[Hint]]:
        finished, late = [], []
        for hint in hints:
            try:
                self._one(hint)
                finished.append(hint)
            except NotFound:
                late.append(hint)
        return finished, late

    def _one(self, hint: Hint) -> None:
        kind = hint.type.split(".")[0]
        if kind == "workout":
            self._read("workout", hint.record_id)
            return
        cycle_id = self._read("sleep", hint.record_id).get("cycle_id")
        if cycle_id is None:
            return
        self._read("cycle", str(cycle_id))
        if kind == "recovery":
            self._read("recovery", str(cycle_id))

    def _read(self, kind: str, key: str) -> dict[str, Any]:
        if (kind, key) not in self._asked:
            raw = self._client.record(kind, key)
            self._notebook.write_page(kind, [raw])
            self._asked[kind, key] = raw
        return self._asked[kind, key]


def _later(book: Book, hint: Hint, clock: Clock) -> None:
    if hint.attempts >= len(WAITS):
        book.finish_hint(hint, "given_up")
    else:
        book.postpone_hint(hint, clock() + WAITS[hint.attempts], counts=True)
