"""The wearer's notes as they are known at an instant."""

from __future__ import annotations

from datetime import date, datetime

from hrv_shared.record import Fact
from hrv_shared.store import Store

__all__ = ["notes_told"]


def notes_told(store: Store, member_id: str, as_of: datetime, day: date | None = None) -> list[Fact]:
    """Those about a day (by default the newest day), known by then, oldest first; an undone one was not said."""
    entries = store.record.latest("journal_entry", member_id, as_of).values()
    told = [e for e in entries if e.payload.get("transcript") and e.payload.get("state") != "undone"]
    wanted = day.isoformat() if day else max((e.payload.get("day", "") for e in told), default="")
    return sorted((e for e in told if e.payload.get("day") == wanted), key=lambda e: (e.known_at, e.key))
