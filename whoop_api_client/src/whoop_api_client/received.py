"""From a record as WHOOP sent it to facts: checked at the border, stamped with when we could have known it.

* A record that we meet, or that changed since we last looked: ``known_at`` is now, basis ``seen``.
* A record that we meet more than 48 h after WHOOP last changed it is history. Nobody saw it then, so a stated rule
  says when it was known: ``inferred:updated-at``, and for a closed cycle two revisions, ``inferred:cycle-opened``
  (no end, no score) and ``inferred:cycle-end``.
* A malformed or future-dated record is not written; it is returned as a `Quarantined` value and reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from hrv_shared.daytime import parse_offset_min
from hrv_shared.record import SEEN, FactDraft, canonical_json
from whoop_api_client.models import COLLECTIONS, Cycle, Scored

SOURCE = "whoop-api"
LONGEST = timedelta(days=7)
HISTORY_AFTER = timedelta(hours=48)
CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far a record may lie in our future before we doubt it: clocks differ a little."""


@dataclass(frozen=True)
class Quarantined:
    """A record that was not written, and why. Holds no health data."""

    kind: str
    key: str
    reason: str


def drafts_for(
    kind: str, raw: dict[str, Any], held: Mapping[str, FactDraft], *, member_id: str, now: datetime
) -> list[FactDraft] | Quarantined:
    """Facts to write for one received record (the record itself drops what it already has).

    Parameters
    ----------
    held : mapping of key to FactDraft
        What the record holds of this kind, latest revisions.
    now : datetime, aware
        When the answer came.
    """
    checked = examine(kind, raw, now)
    if isinstance(checked, Quarantined):
        return checked
    key = COLLECTIONS[kind].key(raw)

    def draft(payload: dict[str, Any], known_at: datetime, basis: str) -> FactDraft:
        return FactDraft(member_id, kind, key, payload, known_at=known_at, basis=basis, source=SOURCE)

    if key in held or now - checked.updated_at <= HISTORY_AFTER:
        return [draft(raw, now, SEEN)]
    if not isinstance(checked, Cycle) or checked.end is None:
        return [draft(raw, checked.updated_at, "inferred:updated-at")]
    closed = draft(raw, max(checked.end, checked.created_at), "inferred:cycle-end")
    if checked.created_at >= checked.end:  # recorded after it was over: nobody ever saw it open
        return [closed]
    opening = raw | {"end": None, "score": None}
    return [draft(opening, checked.created_at, "inferred:cycle-opened"), closed]


def examine(kind: str, raw: dict[str, Any], now: datetime) -> Scored | Quarantined:
    """The record as a checked model, or why it may not be written."""
    collection = COLLECTIONS[kind]

    def refused(reason: str) -> Quarantined:
        return Quarantined(kind, _shown(raw.get(collection.key_field, "without id")), reason)

    try:
        canonical_json(raw).encode()
    except (ValueError, RecursionError):
        # an endless number, half a surrogate pair, or nesting without end: no such text could be kept
        return refused("holds something that is not plain JSON")
    try:
        checked = collection.model.model_validate(raw)
        offset = getattr(checked, "timezone_offset", None)
        if offset is not None:
            parse_offset_min(offset)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(_shown(part) for part in first["loc"])
        return refused(f"{where}: {first['msg']}")
    except ValueError:
        return refused("timezone_offset: expected a form such as +01:00 or Z")
    start, end = getattr(checked, "start", None), getattr(checked, "end", None)
    if start is not None and end is not None and end < start:
        return refused("end: lies before start")
    if not isinstance(checked, Cycle) and start is not None and end - start > LONGEST:
        return refused("end: lies more than a week after start")
    latest = max(
        instant for instant in (start, end, checked.created_at, checked.updated_at) if instant is not None
    )
    if latest > now + CLOCK_TOLERANCE:
        return refused("lies in the future by this machine's clock")
    return checked


def _shown(value: object) -> str:
    """A key as it may be printed: short, and without what a terminal would obey."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in str(value)[:64])


def is_final(payload: Mapping[str, Any]) -> bool:
    """False while WHOOP will still change the record by itself: an open cycle, or a score that is pending."""
    is_open_cycle = "sleep_id" not in payload and "nap" not in payload and payload.get("end") is None
    return payload.get("score_state") != "PENDING_SCORE" and not is_open_cycle
