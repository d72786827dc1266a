"""Looking at notes, accepting and rejecting what was heard. Nothing is deleted from the record; a revision is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from journal_analysis.changes import REJECT_ALL, Note, find_note, revised, take_back, write_change
from journal_analysis.entries import ENTRY, FACT
from journal_analysis.errors import NothingToUndo
from journal_analysis.table import refresh

if TYPE_CHECKING:
    from hrv_shared.record import Fact
    from hrv_shared.store import Store

__all__ = ["Review", "confirm", "let_recording_go", "reject", "show", "undo"]


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
    """Accept facts of a note by their numbers, or all that count or wait; of one that was undone, what fell with it.

    What an edit or the wearer rejected stays rejected, unless its number is given. When nothing of the note waits any
    more its recording is removed, unless it is to be kept.
    """
    note = find_note(store, member_id, key)
    undone = note.entry.payload["state"] == "undone"
    meant = [
        f for f in note.picked(numbers)
        if numbers or f.payload["status"] != "rejected" or (undone and note.fell_as_a_whole(f))
    ]  # fmt: skip
    changed = _decide(store, note, meant, "confirm", "accepted", {} if numbers else {"state": "confirmed"})
    removed = 0 if keep_audio else let_recording_go(store, member_id, note.entry.key)
    refresh(store)
    return Review(note.entry.key, "confirm", changed, removed)


def reject(
    store: Store, member_id: str, key: str, numbers: Sequence[int] | None = None, *, keep_audio: bool = False
) -> Review:
    """Reject facts of a note by their numbers, or all of them: nothing sees them any more.

    When by numbers nothing is left waiting the recording is removed, unless it is to be kept; that of a note rejected
    as a whole stays.
    """
    note = find_note(store, member_id, key)
    meant = [f for f in note.picked(numbers) if numbers or f.payload["status"] != "rejected"]
    what, state = ("reject", {}) if numbers else (REJECT_ALL, {"state": "undone"})
    changed = _decide(store, note, meant, what, "rejected", state)
    removed = let_recording_go(store, member_id, note.entry.key) if numbers and not keep_audio else 0
    refresh(store)
    return Review(note.entry.key, "reject", changed, removed)


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


def let_recording_go(store: Store, member_id: str, key: str) -> int:
    """Remove the recording of a note of which nothing waits any more; how many files that were."""
    if any(f.payload["status"] == "draft" for f in find_note(store, member_id, key).facts):
        return 0
    recordings = list(store.folder("audio").glob(f"{key}.*"))
    for recording in recordings:
        recording.unlink(missing_ok=True)
    return len(recordings)


def _decide(
    store: Store, note: Note, facts: Sequence[Fact], what: str, status: str, state: dict[str, str]
) -> int:
    now = store.clock()
    drafts = [revised(f, now, note.next_change, status=status, by_wearer=True) for f in facts]
    write_change(store, note, what, drafts, **state)
    return sum(f.payload["status"] != status for f in facts)


def _shown(key: str, entry: dict[str, Any], facts: list[dict[str, Any]]) -> dict[str, Any]:
    numbered = [{"number": n, **fact} for n, fact in enumerate(facts, start=1)]
    return {"entry": key, **entry, "facts": numbered}
