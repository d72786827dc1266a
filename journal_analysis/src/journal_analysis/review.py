"""Looking at notes and correcting them. Nothing is deleted from the record; a revision is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hrv_shared.record import SEEN, Fact, FactDraft
from journal_analysis.entries import ENTRY, FACT
from journal_analysis.errors import UnknownEntry
from journal_analysis.table import rebuild

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["Review", "confirm", "show", "undo"]

_SHORTEST_KEY = 4


@dataclass(frozen=True)
class Review:
    """A note after it was confirmed or undone: its key, how many facts changed, and recordings removed."""

    key: str
    changed: int
    recordings_removed: int


def show(store: Store, member_id: str, last: int = 5) -> list[dict[str, Any]]:
    """The newest notes with the facts in force, newest first."""
    facts = store.record.latest(FACT, member_id)
    entries = sorted(
        store.record.latest(ENTRY, member_id).values(), key=lambda e: e.payload["recorded_at"], reverse=True
    )
    shown = []
    for entry in entries[: max(last, 0)]:
        own = [f.payload for f in facts.values() if f.payload["entry_key"] == entry.key]
        shown.append({"entry": entry.key, **entry.payload, "facts": own})
    return shown


def confirm(store: Store, member_id: str, key: str, *, keep_audio: bool = False) -> Review:
    """Accept every fact of a note, also one that was undone. Its recording is removed unless it is to be kept."""
    return _decide(store, member_id, key, "accepted", "confirmed", remove_audio=not keep_audio)


def undo(store: Store, member_id: str, key: str) -> Review:
    """Reject every fact of a note: nothing sees them any more. Its recording stays."""
    return _decide(store, member_id, key, "rejected", "undone", remove_audio=False)


def _decide(store: Store, member_id: str, key: str, status: str, state: str, *, remove_audio: bool) -> Review:
    entry = _find(store, member_id, key)
    now = store.clock()
    facts = [f for f in store.record.latest(FACT, member_id).values() if f.payload["entry_key"] == entry.key]
    changed = [f for f in facts if f.payload["status"] != status]
    drafts = [_revised(f, now, status=status) for f in changed]
    store.record.append_many([_revised(entry, now, state=state), *drafts])
    removed = 0
    if remove_audio:
        for recording in store.folder("audio").glob(f"{entry.key}.*"):
            recording.unlink(missing_ok=True)
            removed += 1
    rebuild(store)
    return Review(entry.key, len(changed), removed)


def _revised(fact: Fact, now: Any, **change: str) -> FactDraft:
    known_at = max(now, fact.known_at)  # a clock set back must not put the correction before what it corrects
    return FactDraft(
        fact.member_id, fact.kind, fact.key, {**fact.payload, **change}, known_at, SEEN, fact.source
    )


def _find(store: Store, member_id: str, key: str) -> Fact:
    entries = store.record.latest(ENTRY, member_id)
    found = (
        [e for k, e in entries.items() if k.startswith(key.strip().lower())]
        if len(key.strip()) >= _SHORTEST_KEY
        else []
    )
    if len(found) == 1:
        return found[0]
    reason = "several notes begin so" if found else "there is none"
    raise UnknownEntry(
        f"Expected the key of one note (at least {_SHORTEST_KEY} characters), got {key!r}: {reason}. "
        "See them with: python -m journal_analysis show"
    )
