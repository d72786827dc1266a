"""After a back-fill: does what we hold hang together? A page that an answer left out shows as a hole, and is asked for.

A sleep names its cycle, a recovery its cycle and its sleep, a scored night has a recovery, and cycles follow each other
without a gap. What is named and not held is asked for by itself, a stretch without cycles is read again. Workouts hang
on nothing: a page of theirs that was left out is only found by ``hrv pull --full``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import NotFound
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.notebook import Notebook

GAP = timedelta(hours=1)
"""WHOOP's cycles touch; so much between two of them is a stretch that we may have missed."""
STRETCHES = 40
ASKED = 200


def fill_holes(book: Notebook, client: WhoopClient) -> None:
    """Ask for what must exist and is not held: at most `STRETCHES` stretches and `ASKED` single records."""
    for start, end in _stretches(book)[:STRETCHES]:
        for kind, collection in COLLECTIONS.items():
            records = [
                raw
                for raw in client.records(kind, start, end)
                if collection.key_field in raw and collection.key(raw) not in book.held(kind)
            ]
            book.write_page(kind, records)
    asked: set[tuple[str, str]] = set()
    while named := [hole for hole in _named(book) if hole not in asked]:
        for kind, key in named:
            if len(asked) == ASKED:
                return
            asked.add((kind, key))
            try:
                book.write_page(kind, [client.record(kind, key)])
            except NotFound:
                continue  # a scored night without a recovery: it happens


def _stretches(book: Notebook) -> list[tuple[datetime, datetime]]:
    """Times between two cycles, newest first."""
    spans = sorted(
        (start, book.instant(fact.payload.get("end")))
        for fact in book.held("cycle").values()
        if (start := book.anchor("cycle", fact.payload)) is not None
    )
    pairs = zip(spans, spans[1:], strict=False)
    gaps = [(end, start) for (_, end), (start, _) in pairs if end is not None and start - end > GAP]
    return gaps[::-1]


def _named(book: Notebook) -> list[tuple[str, str]]:
    """What the records name and we do not hold: cycles, then sleeps, then recoveries."""
    cycles, sleeps, recoveries = (book.held(kind) for kind in ("cycle", "sleep", "recovery"))
    wanted: dict[tuple[str, str], Any] = {}
    for fact in (*sleeps.values(), *recoveries.values()):
        cycle = fact.payload.get("cycle_id")
        if cycle is not None and str(cycle) not in cycles:
            wanted["cycle", str(cycle)] = None
    for fact in recoveries.values():
        if fact.payload["sleep_id"] not in sleeps:
            wanted["sleep", fact.payload["sleep_id"]] = None
    for fact in sleeps.values():
        night = fact.payload
        is_scored_night = not night["nap"] and night["score_state"] == "SCORED"
        if is_scored_night and night.get("cycle_id") is not None and str(night["cycle_id"]) not in recoveries:
            wanted["recovery", str(night["cycle_id"])] = None
    return list(wanted)
