"""The belief states of the last days, and what changed from each to the next, in words."""

from __future__ import annotations

from typing import Any

from hrv_shared.store import Store
from llm_agent.belief import KIND, Belief
from llm_agent.belief_edits import read_edits

__all__ = ["belief_history"]


def belief_history(store: Store, member_id: str, book: str, last: int) -> list[dict[str, Any]]:
    """The last states of a book, oldest first; what was forgotten or erased since is not told again.

    Returns
    -------
    list of dict
        as_of, digest, changes (list of sentences).
    """
    edits = read_edits(store, member_id, store.clock())
    states: dict[str, dict[str, Any]] = {}
    for fact in store.record.facts(KIND, member_id):
        if fact.key == book and (edits.erased_at is None or fact.known_at > edits.erased_at):
            states[fact.payload["as_of"]] = fact.payload
    ordered = [states[as_of] for as_of in sorted(states)]
    told = []
    for before, after in zip([None, *ordered], ordered, strict=False):
        changes = ["the first state"] if before is None else _changes(before, after, set(edits.forgotten))
        told.append({"as_of": after["as_of"], "digest": Belief(after).digest(), "changes": changes})
    return told[-last:]


def _changes(before: dict[str, Any], after: dict[str, Any], forgotten: set[str]) -> list[str]:
    found = []
    old, new = ({s["name"]: s for s in state["stressors"]} for state in (before, after))
    found += [f"new: {new[name]['text']}" for name in new if name not in old and name not in forgotten]
    found += [f"over: {old[name]['text']}" for name in old if name not in new and name not in forgotten]
    found += [
        f"{new[name]['text']} now until {new[name]['until_day']}"
        for name in new
        if name in old and name not in forgotten and new[name]["until_day"] != old[name]["until_day"]
    ]
    nights = after["own_errors"]["n"] - before["own_errors"]["n"]
    if nights:
        found.append(f"{abs(nights)} own nights {'more' if nights > 0 else 'fewer'}")
    if before["level"]["position"] != after["level"]["position"]:
        found.append(f"level {before['level']['position']} -> {after['level']['position']}")
    known = [{e["behaviour"] for e in state["effects"]} - forgotten for state in (before, after)]
    found += [f"effect known: {name}" for name in sorted(known[1] - known[0])]
    found += [f"effect no longer known: {name}" for name in sorted(known[0] - known[1])]
    return found
