"""Looking at notes, accepting and rejecting what was heard. Nothing is deleted from the record; a revision is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journal_analysis.changes import Note, find_note, revised, take_back, write_change
from journal_analysis.entries import ENTRY, FACT
from journal_analysis.errors import NothingToUndo
from journal_analysis.table import refresh

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["Review", "confirm", "reject", "show", "undo"]


@dataclass(frozen=True)
class Review:
    """What became of a note: its key, what was done, how many facts changed, and recordings removed."""

    key: str
    what: str
    changed: int
    recordings_removed: int = 0


def show(store: Store, member_id: str, last: int = 5, key: str | None = None) -> list[dict[str, Any]]:
    """The newest notes with the facts in force, newest first; or the one note whose key begins with ``key``."""
    if key is not None:
        note = find_note(store, member_id, key)
        return [_shown(note.entry.key, note.entry.payload, [f.payload for f in note.facts])]
    facts: dict[str, dict[str, dict[str, Any]]] = {}
    for fact in store.record.facts(FACT, member_id):
        facts.setdefault(fact.payload["entry_key"], {})[fact.key] = fact.payload
    entries = sorted(
        store.record.latest(ENTRY, member_id).values(), key=lambda e: e.payload["recorded_at"], reverse=True
    )
    return [
        _shown(entry.key, entry.payload, list(facts.get(entry.key, {}).values()))
        for entry in entries[: max(last, 0)]
    ]


def confirm(
    store: Store, member_id: str, key: str, numbers: Sequence[int] | None = None, *, keep_audio: bool = False
) -> Review:
    """Accept facts of a note by their numbers, or the whole note, also one that was undone.

    When nothing of the note waits any more its recording is removed, unless it is to be kept.
    """
    note = find_note(store, member_id, key)
    changed = _decide(store, note, numbers, "confirm", "accepted")
    waiting = {f.payload["status"] for f in find_note(store, member_id, note.entry.key).facts} & {"draft"}
    removed = 0 if keep_audio or waiting else _remove_recordings(store, note.entry.key)
    refresh(store)
    return Review(note.entry.key, "confirm", changed, removed)


def reject(store: Store, member_id: str, key: str, numbers: Sequence[int] | None = None) -> Review:
    """Reject facts of a note by their numbers, or all of them: nothing sees them any more. Its recording stays."""
    note = find_note(store, member_id, key)
    changed = _decide(store, note, numbers, "reject", "rejected")
    refresh(store)
    return Review(note.entry.key, "reject", changed)


def undo(store: Store, member_id: str, key: str) -> Review:
    """Take the last change of a note back (again: the one before it); without any, reject the note as a whole.

    Raises
    ------
    NothingToUndo
        The note was undone already.
    """
    note = find_note(store, member_id, key)
    taken = take_back(store, note)
    if taken is None:
        if note.entry.payload["state"] == "undone":
            raise NothingToUndo(
                f"Note {note.entry.key[:8]} is undone already. Bring it back with: "
                f"hrv journal confirm {note.entry.key[:8]}"
            )
        drafts = [
            revised(f, store.clock(), note.next_change, status="rejected")
            for f in note.facts
            if f.payload["status"] != "rejected"
        ]
        write_change(store, note, "undo", drafts, undoes=0, state="undone")
        taken = "told", len(drafts)
    refresh(store)
    return Review(note.entry.key, f"undo {taken[0]}", taken[1])


def _decide(store: Store, note: Note, numbers: Sequence[int] | None, what: str, status: str) -> int:
    facts = [
        f for f in note.picked(numbers) if f.payload["status"] != status or not f.payload.get("by_wearer")
    ]
    now = store.clock()
    drafts = [revised(f, now, note.next_change, status=status, by_wearer=True) for f in facts]
    state = note.entry.payload["state"] if numbers else {"confirm": "confirmed", "reject": "undone"}[what]
    write_change(store, note, what, drafts, state=state)
    return sum(f.payload["status"] != status for f in facts)


def _shown(key: str, entry: dict[str, Any], facts: list[dict[str, Any]]) -> dict[str, Any]:
    numbered = [{"number": n, **fact} for n, fact in enumerate(facts, start=1)]
    return {"entry": key, **entry, "facts": numbered}


def _remove_recordings(store: Store, key: str) -> int:
    removed = 0
    for recording in store.folder("audio").glob(f"{key}.*"):
        recording.unlink(missing_ok=True)
        removed += 1
    return removed
