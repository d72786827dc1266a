"""What the wearer decides about a note, as revisions: nothing is overwritten, and each change can be taken back.

A change gets the next number of its note. It stands in the entry's revision (``change``: number, what, and of which
change it is the undoing) and in every fact that it touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hrv_shared.record import SEEN, Fact, FactDraft
from journal_analysis.entries import ENTRY, FACT
from journal_analysis.errors import UnknownEntry, UnknownFact

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["REJECT_ALL", "Note", "find_note", "revised", "take_back", "write_change"]

REJECT_ALL = "reject all"
"""The change by which a whole note is rejected; a fact's own rejection is ``reject``."""

_SHORTEST_KEY = 4


@dataclass(frozen=True)
class Note:
    """One note of the record: its entry in force, its facts in force in the order of telling, all its revisions."""

    entry: Fact
    facts: tuple[Fact, ...]
    entry_revisions: tuple[Fact, ...]
    fact_revisions: tuple[Fact, ...]

    @property
    def next_change(self) -> int:
        """The number of the next change."""
        return max((_change(e)["number"] for e in self.entry_revisions), default=0) + 1

    def picked(self, numbers: Sequence[int] | None) -> list[Fact]:
        """Its facts by their numbers (1 is the first told), or all of them.

        Raises
        ------
        UnknownFact
        """
        if not numbers:
            return list(self.facts)
        wrong = [n for n in numbers if not 1 <= n <= len(self.facts)]
        if wrong:
            raise UnknownFact(
                f"Expected a fact's number from 1 to {len(self.facts)}, got {wrong[0]}. "
                f"See them with: hrv journal show {self.entry.key[:8]}"
            )
        return [self.facts[n - 1] for n in dict.fromkeys(numbers)]

    def fell_as_a_whole(self, fact: Fact) -> bool:
        """Whether a fact is rejected only because its whole note was: undone, or rejected without numbers."""
        changes = {_change(e)["number"]: _change(e) for e in self.entry_revisions}
        history = [f for f in self.fact_revisions if f.key == fact.key]
        while history and history[-1].payload["status"] == "rejected":
            change = changes.get(history[-1].payload.get("change") or 0, {"what": "told", "undoes": None})
            if not change["undoes"]:
                return change["undoes"] == 0 or change["what"] == REJECT_ALL
            history = [f for f in history if (f.payload.get("change") or 0) < change["undoes"]]
        return False


def find_note(store: Store, member_id: str, key: str) -> Note:
    """The note whose key begins so.

    Raises
    ------
    UnknownEntry
        None does, several do, or the beginning is shorter than four characters.
    """
    wanted = key.strip().lower()
    entries: dict[str, list[Fact]] = {}
    for entry in store.record.facts(ENTRY, member_id):
        if entry.key.startswith(wanted):
            entries.setdefault(entry.key, []).append(entry)
    if len(wanted) < _SHORTEST_KEY or len(entries) != 1:
        reason = "several notes begin so" if entries else "there is none"
        raise UnknownEntry(
            f"Expected the key of one note (at least {_SHORTEST_KEY} characters), got {key!r}: {reason}. "
            "See them with: hrv journal show"
        )
    ((found, revisions),) = entries.items()
    facts = [f for f in store.record.facts(FACT, member_id) if f.payload["entry_key"] == found]
    in_force: dict[str, Fact] = {}
    for fact in facts:
        in_force[fact.key] = fact
    return Note(revisions[-1], tuple(in_force.values()), tuple(revisions), tuple(facts))


def revised(fact: Fact, now: datetime, number: int, **change: Any) -> FactDraft:
    """A revision of a fact or an entry, made by change ``number``."""
    known_at = max(now, fact.known_at)  # a clock set back must not put the correction before what it corrects
    payload = {**fact.payload, **change}
    if fact.kind == FACT:
        payload["change"] = number
    return FactDraft(fact.member_id, fact.kind, fact.key, payload, known_at, SEEN, fact.source)


def write_change(
    store: Store,
    note: Note,
    what: str,
    facts: Sequence[FactDraft],
    *,
    undoes: int | None = None,
    **entry_change: Any,
) -> int:
    """Write what a change does to a note in one transaction; ``entry_change`` goes into the entry's payload.

    Returns how many facts it changes. What changes nothing is not written: it would use up an undo.
    """
    number = note.next_change
    held = {f.key: f.payload for f in note.facts}
    facts = [d for d in facts if _said(d.payload) != _said(held.get(d.key, {}))]
    same = all(note.entry.payload.get(name) == value for name, value in entry_change.items())
    if not facts and same and undoes is None:
        return 0
    change = {"number": number, "what": what, "undoes": undoes}
    entry = revised(note.entry, store.clock(), number, change=change, **entry_change)
    store.record.append_many([entry, *facts])
    return len(facts)


def take_back(store: Store, note: Note) -> tuple[str, int] | None:
    """Undo the last change that still stands: (what it was, how many facts went back), or None where none does."""
    done = [_change(e) for e in note.entry_revisions if _change(e)["number"]]
    undone = {c["undoes"] for c in done}
    standing = [c for c in done if c["undoes"] is None and c["number"] not in undone]
    if not standing:
        return None
    last = standing[-1]
    before = [e for e in note.entry_revisions if _change(e)["number"] < last["number"]][-1]
    number, now = note.next_change, store.clock()
    drafts = []
    for fact in note.facts:
        history = [f for f in note.fact_revisions if f.key == fact.key]
        if all(f.payload.get("change") != last["number"] for f in history):
            continue
        earlier = [f for f in history if (f.payload.get("change") or 0) < last["number"]]
        back = earlier[-1].payload if earlier else {**fact.payload, "status": "rejected"}
        drafts.append(replace(revised(fact, now, number), payload={**back, "change": number}))
    same = {n: before.payload[n] for n in ("transcript", "state", "language") if n in before.payload}
    return str(last["what"]), write_change(store, note, "undo", drafts, undoes=last["number"], **same)


def _said(payload: dict[str, Any]) -> dict[str, Any]:
    """What a fact says, whichever change wrote it."""
    return {name: value for name, value in payload.items() if name != "change"}


def _change(entry: Fact) -> dict[str, Any]:
    return entry.payload.get("change") or {"number": 0, "what": "told", "undoes": None}
