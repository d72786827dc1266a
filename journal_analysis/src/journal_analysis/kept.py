"""A note that the record has already: as it stands there, not as today's rules would read it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from journal_analysis.changes import find_note
from journal_analysis.entries import Entry, entry_keys
from journal_analysis.extraction import JournalFact

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["kept_entry"]


def kept_entry(store: Store, member_id: str, key: str) -> Entry | None:
    """The note of this key with its facts in force, numbered as `show` numbers them; None where there is none."""
    if key not in entry_keys(store, member_id):
        return None
    note = find_note(store, member_id, key)
    told = note.entry.payload
    day = date.fromisoformat(told["day"])
    return Entry(
        key,
        day,
        told["transcript"],
        tuple(_fact_of(f.payload, day) for f in note.facts),
        tuple(f.payload["status"] for f in note.facts),
        already=True,
        state=told["state"],
        language=told.get("language", "en"),
    )


def _fact_of(payload: dict[str, Any], day: date) -> JournalFact:
    about = date.fromisoformat(payload["day"])
    same = ("behaviour", "kind", "amount", "unit", "clock_time", "is_plan", "quote", "confidence", "rule")
    return JournalFact(**{n: payload[n] for n in same}, day=about, day_shift=(about - day).days)
