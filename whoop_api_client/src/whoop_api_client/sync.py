"""Bringing the record up to date with WHOOP: everything once, then a trailing window.

A page is durable before the next one is asked for (pages that come faster than five a second: together), and with it
how far back the first pull has come, so that it may be killed anywhere. WHOOP has no "changed since": each later pull
re-reads seven days (once a week thirty), from the last finished pull at the latest, and what is still open or pending
beyond that, one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from filelock import FileLock, Timeout

from hrv_shared.daytime import format_instant, parse_instant
from hrv_shared.store import Store
from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import NotFound, PullRunning
from whoop_api_client.history_length import first_cycle_near
from whoop_api_client.holes import fill_holes
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.notebook import Notebook
from whoop_api_client.paging import Page
from whoop_api_client.received import Quarantined, is_final
from whoop_api_client.vanished import mark_vanished

WINDOW = timedelta(days=7)
LONG_WINDOW = timedelta(days=30)
LONG_EVERY = timedelta(days=7)
MARGIN = timedelta(days=2)
"""Added around every question: WHOOP's filters test intervals, and a recovery counts by its sleep."""
SINGLES_PER_RUN = 25

Progress = Callable[[str, int, datetime | None], None]
"""Called after each page: kind, records so far, and how far back they reach."""


@dataclass
class PullResult:
    """What a pull did. Counts only; no health data."""

    member_id: str
    mode: str  # "backfill" | "window" | "backfill+window" | "day"
    window_from: str | None = None
    received: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    vanished_held_back: int = 0
    warnings: list[str] = field(default_factory=list)
    tables: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        shown = asdict(self)
        shown["quarantined_count"] = len(self.quarantined)
        shown["quarantined"] = shown["quarantined"][:20]
        return shown


def synchronise(
    store: Store,
    client: WhoopClient,
    *,
    member_id: str,
    connection: str,
    full: bool = False,
    on_page: Progress = lambda kind, count, back_to: None,
    on_first: Callable[[datetime | None], None] = lambda first_at: None,
) -> PullResult:
    """Write what is new at WHOOP into the record.

    Parameters
    ----------
    connection : str
        `urls.connection_name`: cursors belong to one member at one WHOOP.
    full : bool
        Read the whole history again, also when it was read before.
    on_first : callable
        Told before a back-fill how far back the account goes, to a month; None when there is nothing to back-fill.

    Raises
    ------
    PullRunning
        Another process pulls into this store.
    WrongAccount
        The records of this member belong to another WHOOP account.
    WhoopError
        Whatever stopped it; every finished page is kept and the next pull carries on.
    """
    with only_pull(store):
        book = Notebook(store, member_id, connection)
        book.write_account(client)
        if full and not _unfinished(book):
            book.remember(**dict.fromkeys((*(f"backfill.{kind}" for kind in COLLECTIONS), "holes_filled")))
        on_first(first_cycle_near(client, book.now()) if _unfinished(book) else None)
        return _synchronise(book, client, on_page)


def _synchronise(book: Notebook, client: WhoopClient, on_page: Progress) -> PullResult:
    now = book.now()
    todo = _unfinished(book)
    resumed = bool(todo) and book.recall("began_at") is not None
    if todo and not resumed:
        book.remember(began_at=format_instant(now))
    for kind in todo:
        try:
            _backfill(book, client, kind, on_page)
        finally:
            book.flush()
    if book.recall("holes_filled") is None:
        fill_holes(book, client)
        book.remember(holes_filled=format_instant(now))
    if todo and not resumed:
        # a first pull has just read everything
        result = book.count_into(PullResult(book.member_id, "backfill"))
    else:
        result = _window(book, client, now, on_page, mode="backfill+window" if todo else "window")
    if todo:
        book.remember(last_long_at=format_instant(now), began_at=None)
    book.remember(last_pull_at=format_instant(now))
    return result


def _backfill(book: Notebook, client: WhoopClient, kind: str, on_page: Progress) -> None:
    """Newest first down to the beginning; the cursor is how far down we are."""
    cursor = json.loads(book.recall(f"backfill.{kind}") or "{}")
    before = parse_instant(cursor["before"]) + MARGIN if "before" in cursor else None
    reached, count = None, 0
    for page in client.pages(kind, end=before):

        def stand(oldest: datetime | None, page: Page = page, reached: datetime | None = reached) -> dict:
            back_to = min(filter(None, (reached, oldest)), default=None)
            if page.is_last:
                return {f"backfill.{kind}": json.dumps({"done": True})}
            return {f"backfill.{kind}": json.dumps({"before": format_instant(back_to)})} if back_to else {}

        oldest = book.write_page(kind, page.records, stand, may_wait=not page.is_last)
        reached = min(filter(None, (reached, oldest)), default=None)
        count += len(page.records)
        on_page(kind, count, reached)


def _window(book: Notebook, client: WhoopClient, now: datetime, on_page: Progress, mode: str) -> PullResult:
    since = min(
        now, *(parse_instant(at) for name in ("last_pull_at", "began_at") if (at := book.recall(name)))
    )
    last_long = book.recall("last_long_at")
    is_long = last_long is None or now - parse_instant(last_long) > LONG_EVERY
    start = since - (LONG_WINDOW if is_long else WINDOW)
    answered: dict[str, set[str]] = {}
    for kind, collection in COLLECTIONS.items():
        answered[kind] = set()
        # one instant for all kinds would be nicer, but WHOOP's default end, its own now, spares us clock trouble
        for page in client.pages(kind, start=start - MARGIN):
            oldest = book.write_page(kind, page.records)
            answered[kind] |= {collection.key(raw) for raw in page.records if collection.key_field in raw}
            on_page(kind, len(answered[kind]), oldest)
    missing = _read_singles(book, client, start, answered)
    result = PullResult(book.member_id, mode, format_instant(start))
    mark_vanished(book, client, result, answered, missing, start, now)
    book.count_into(result)
    if is_long:
        book.remember(last_long_at=format_instant(now))
    return result


def _read_singles(
    book: Notebook, client: WhoopClient, start: datetime, answered: dict[str, set[str]]
) -> list[tuple[str, str]]:
    """Re-read what is not final, older than the window and not answered yet. Returns what WHOOP no longer has."""
    missing = []
    waiting = [
        (anchor, kind, key)
        for kind in COLLECTIONS
        for key, fact in book.held(kind).items()
        if key not in answered[kind] and not is_final(fact.payload) and not book.is_gone(kind, key)
        and (anchor := book.anchor(kind, fact.payload)) is not None and anchor < start
    ]  # fmt: skip
    for _, kind, key in sorted(waiting, reverse=True)[:SINGLES_PER_RUN]:
        try:
            book.write_page(kind, [client.record(kind, key)])
        except NotFound:
            missing.append((kind, key))
    return missing


def _unfinished(book: Notebook) -> list[str]:
    return [
        kind for kind in COLLECTIONS if not json.loads(book.recall(f"backfill.{kind}") or "{}").get("done")
    ]


@contextmanager
def only_pull(store: Store) -> Iterator[None]:
    """Hold this store's pull lock; the operating system drops it when the process dies.

    Raises
    ------
    PullRunning
        Another process holds it.
    """
    try:
        with FileLock(store.home / "pull.lock", timeout=0):
            yield
    except Timeout:
        raise PullRunning(
            "Another pull into this store is running. Wait for it, then run the command again."
        ) from None
