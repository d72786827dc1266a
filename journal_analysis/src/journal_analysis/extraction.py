"""From a note to facts: every rule reads it, statements about the same thing are weighed, each fact says why it is one.

Unknown is not no: only what was said becomes a fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from journal_analysis.behaviours import behaviours
from journal_analysis.clauses import Note, read_note
from journal_analysis.rules import RULES, Candidate

__all__ = ["ACCEPTED_FROM", "JournalFact", "extract"]

ACCEPTED_FROM = 0.7
"""Confidence from which a fact counts without the wearer's confirmation."""

_STRENGTH = {"amount": 4, "scale": 4, "time": 4, "yes": 3, "no": 2}
"""Which of two statements about one thing stands: a number over a bare yes, a yes over a no."""


@dataclass(frozen=True)
class JournalFact:
    """One thing that the wearer said about one day.

    Attributes
    ----------
    behaviour : str
        Name in the journal ontology.
    kind : str
        ``yes``, ``no``, ``amount``, ``time`` or ``scale``.
    amount : float, optional
        In ``unit``; 0 where an amount was denied ("no alcohol"), None where it was not said.
    clock_time : str
        ``HH:MM`` local, for a ``time``.
    day_shift : int
        Days from the entry's wake day.
    day : date, optional
        The wake day that it is about, where the entry's day is known.
    quote : str
        The words it rests on.
    rule : str
        How it was read.
    """

    behaviour: str
    kind: str
    amount: float | None
    unit: str
    clock_time: str
    is_plan: bool
    day_shift: int
    day: date | None
    quote: str
    confidence: float
    rule: str

    @property
    def status(self) -> str:
        """``accepted`` from `ACCEPTED_FROM` on, else ``draft``."""
        return "accepted" if self.confidence >= ACCEPTED_FROM else "draft"


def extract(text: str, entry_day: date | None = None) -> list[JournalFact]:
    """Read the facts of a transcript or typed note.

    Parameters
    ----------
    text : str
        English, as spoken or typed.
    entry_day : date, optional
        The wake day on which it was told; with it facts get their day and weekday names are understood.

    Returns
    -------
    list of JournalFact
        In the order in which they were said, one for each behaviour, day and plan.
    """
    note = read_note(text, entry_day)
    if not note.text.strip():
        return []
    candidates = [c for b in behaviours().values() if b.rule in RULES for c in RULES[b.rule](note, b)]
    chosen: dict[tuple[str, int, bool], Candidate] = {}
    for candidate in candidates:
        key = (candidate.behaviour, candidate.day_shift, candidate.is_plan)
        if key not in chosen or _rank(candidate) > _rank(chosen[key]):
            chosen[key] = candidate
    ordered = sorted(chosen.values(), key=lambda c: (c.start, c.behaviour))
    return [_fact(note, c, entry_day) for c in ordered]


def _rank(candidate: Candidate) -> tuple[float, ...]:
    """Stronger kind first; the later of two times, the later of two equal statements."""
    if candidate.kind == "time":
        hour, minute = (int(part) for part in candidate.clock_time.split(":"))
        return (
            _STRENGTH["time"],
            float(candidate.confidence >= ACCEPTED_FROM),
            ((hour - 4) * 60 + minute) % 1440,
            candidate.start,
        )
    return (_STRENGTH[candidate.kind], candidate.confidence, float(candidate.start))


def _fact(note: Note, candidate: Candidate, entry_day: date | None) -> JournalFact:
    return JournalFact(
        behaviour=candidate.behaviour,
        kind=candidate.kind,
        amount=candidate.amount,
        unit=candidate.unit,
        clock_time=candidate.clock_time,
        is_plan=candidate.is_plan,
        day_shift=candidate.day_shift,
        day=entry_day + timedelta(days=candidate.day_shift) if entry_day else None,
        quote=candidate.words or note.canonical.quote(candidate.start, candidate.end),
        confidence=candidate.confidence,
        rule=candidate.rule,
    )
