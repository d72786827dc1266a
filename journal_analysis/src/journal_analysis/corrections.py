"""Correcting a note: one fact of it, or its words. What the wearer decided stands over what rules read later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hrv_shared.record import SEEN, FactDraft
from journal_analysis.behaviours import behaviours
from journal_analysis.changes import find_note, revised, write_change
from journal_analysis.entries import fact_drafts
from journal_analysis.errors import BadCorrection
from journal_analysis.notes import checked_text
from journal_analysis.reading import read_facts
from journal_analysis.review import Review, let_recording_go
from journal_analysis.table import refresh
from journal_analysis.telling import Spoken

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["Correction", "correct", "edit"]


FARTHEST_DAYS = 366
"""A note speaks of no day farther from its own."""


@dataclass(frozen=True)
class Correction:
    """What is right instead; what is None stays as it is.

    Attributes
    ----------
    amount : float, optional
        In the fact's own unit (scales: 0 to 10); 0 says that there was none.
    denied : bool
        It did not happen.
    clock_time : str, optional
        ``HH:MM`` local.
    day : date, optional
        The wake day that it is about.
    is_plan : bool, optional
    """

    amount: float | None = None
    denied: bool = False
    clock_time: str | None = None
    day: date | None = None
    is_plan: bool | None = None


def correct(
    store: Store, member_id: str, key: str, number: int, right: Correction, *, keep_audio: bool = False
) -> Review:
    """Put one fact of a note right; it counts from now on.

    When nothing of the note waits any more its recording is removed, unless it is to be kept.

    Raises
    ------
    UnknownEntry, UnknownFact
    BadCorrection
        The correction does not fit the fact (an amount for a clock time, 14 on a scale of 10 …) or is empty.
    """
    note = find_note(store, member_id, key)
    (fact,) = note.picked([number])
    told = date.fromisoformat(note.entry.payload["day"])
    if right.day is not None and abs((right.day - told).days) > FARTHEST_DAYS:
        raise BadCorrection(
            f"Expected --day within {FARTHEST_DAYS} days of the note's own ({told}), got {right.day}."
        )
    changed = _corrected(fact.payload, right)
    draft = revised(fact, store.clock(), note.next_change, **changed, status="accepted", by_wearer=True)
    done = write_change(store, note, "correct", [draft])
    removed = 0 if keep_audio else let_recording_go(store, member_id, note.entry.key)
    refresh(store)
    return Review(note.entry.key, "correct", done, removed)


def edit(store: Store, member_id: str, key: str, text: str, *, auto_accept: bool = True) -> Review:
    """Put the words of a note right and read its facts anew; facts that the wearer decided on stay as they are."""
    text = checked_text(text)
    note = find_note(store, member_id, key)
    now, number = store.clock(), note.next_change
    told = note.entry.payload
    day = date.fromisoformat(told["day"])
    spoken = Spoken(datetime.fromisoformat(told["recorded_at"]), told["utc_offset_min"], day)
    reading = read_facts(text, spoken)
    held = {f.key: f for f in note.facts}
    decided = {k for k, f in held.items() if f.payload.get("by_wearer")}
    drafts: list[FactDraft] = []
    read = fact_drafts(
        member_id, note.entry.key, reading.facts, day, known_at=now, basis=SEEN, source=note.entry.source,
        auto_accept=auto_accept,
    )  # fmt: skip
    for draft in read:
        if draft.key in decided:
            continue
        known_at = max(now, held[draft.key].known_at) if draft.key in held else now
        drafts.append(replace(draft, payload={**draft.payload, "change": number}, known_at=known_at))
    for old in set(held) - decided - {d.key for d in read}:
        drafts.append(revised(held[old], now, number, status="rejected"))
    done = write_change(
        store, note, "edit", drafts, transcript=text.strip(), state="kept", language=reading.language
    )
    refresh(store)
    return Review(note.entry.key, "edit", done)


def _corrected(payload: dict[str, Any], right: Correction) -> dict[str, Any]:
    """The payload's new values, checked against what the behaviour can hold."""
    if right == Correction():
        raise BadCorrection(
            "Expected what is right instead: --amount, --no, --time, --day, --plan or --done. Got none of them."
        )
    known = behaviours()[payload["behaviour"]]
    new: dict[str, Any] = {}
    if right.clock_time is not None:
        if known.kind != "time":
            raise BadCorrection(
                f"{payload['behaviour']} has no clock time. Correct it with --amount or --no."
            )
        new |= {"kind": "time", "clock_time": right.clock_time}
    if right.denied or right.amount == 0 and known.kind == "amount":
        if known.kind in ("time", "scale"):
            raise BadCorrection(f"{payload['behaviour']} can't be denied; reject the fact instead.")
        new |= {"kind": "no", "amount": 0.0 if known.kind == "amount" else None, "unit": known.unit}
    elif right.amount is not None:
        if known.kind not in ("amount", "scale"):
            raise BadCorrection(f"{payload['behaviour']} has no amount. Correct it with --no or reject it.")
        most = 10.0 if known.kind == "scale" else 1e6
        if not 0 <= right.amount <= most:
            raise BadCorrection(f"Expected 0 to {most:g} {known.unit}, got {right.amount:g}.")
        new |= {"kind": known.kind, "amount": float(right.amount), "unit": known.unit}
    if right.day is not None:
        new |= {"day": right.day.isoformat(), "night": (right.day + timedelta(days=1)).isoformat()}
    if right.is_plan is not None:
        new["is_plan"] = right.is_plan
    return new
