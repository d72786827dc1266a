"""What a rule hands back, and the questions that every rule asks about the words around its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from journal_analysis.clauses import Clause, Note
from journal_analysis.phrases import phrase

__all__ = ["Candidate", "denial_of", "is_denied", "judged"]

_NEGATOR = phrase("denial", "negator")
_STILL_POSITIVE = phrase("denial", "still_positive")
_DENIED_AFTER = phrase("denial", "denied_after")
_LIST_ITEM = re.compile(r"^,? ?(?:and |or |nor )?(?:[a-z'-]+ ?){1,3}$")
_OR = re.compile(r"\b(?:or|nor)\b")

_WORDS_BACK = 6


@dataclass(frozen=True)
class Candidate:
    """One statement that a rule found at canonical [start, end), before statements are weighed against each other.

    ``kind`` is yes, no, amount, time or scale; ``confidence`` 0 … 1; ``day_shift`` counts from the entry's day.
    """

    behaviour: str
    kind: str
    start: int
    end: int
    rule: str
    confidence: float
    amount: float | None = None
    unit: str = ""
    clock_time: str = ""
    is_plan: bool = False
    day_shift: int = 0
    words: str = ""


def is_denied(note: Note, start: int, end: int, reach: int = _WORDS_BACK) -> bool:
    """Whether the words at canonical [start, end) are denied: "no …", "didn't have any …", "…: none"."""
    return denial_of(note, start, end, reach) is not None


def denial_of(note: Note, start: int, end: int, reach: int = _WORDS_BACK) -> tuple[int, int] | None:
    """The canonical span of the words together with their denial, or None where they are not denied."""
    clause = note.clause_at(start)
    first, listed = clause.start, False
    while _is_list_item(note, first, start, end) and first > clause.sentence_start:
        first, listed = note.clause_at(first - 1).start, True  # "no beer, wine or spirits"
        reach += 3
    before = note.text[first:start]
    for match in reversed(list(_NEGATOR.finditer(before))):
        gap = before[match.end() :]
        if len(gap.split()) <= reach and not _STILL_POSITIVE.search(gap.replace(",", "") if listed else gap):
            return first + match.start(), end
    after = _DENIED_AFTER.match(note.text, end)
    return (start, after.end()) if after else None


def _is_list_item(note: Note, first: int, start: int, end: int) -> bool:
    """Whether the clause that begins at ``first`` is nothing but an item of a list that ends with "or"."""
    clause = note.clause_at(first)
    if clause.start != first:
        return False
    words = (
        note.text[first : min(clause.end, end)]
        if first <= start < clause.end
        else note.text[first : clause.end]
    )
    if not _LIST_ITEM.match(words.strip(" .;!?")):
        return False
    rest = note.text[first : clause.sentence_end]
    return _OR.search(rest) is not None


def judged(note: Note, candidate: Candidate, *, plans_count: bool = False) -> Candidate | None:
    """Weigh a candidate by its clause: somebody else's, imagined and usual things fall away, doubt lowers confidence.

    ``plans_count`` is for behaviours that are plans by nature (bedtime): their confidence is not lowered.
    """
    clause: Clause = note.clause_at(candidate.start)
    if clause.others or (clause.unreal and candidate.kind != "no"):
        return None
    confidence = candidate.confidence
    if clause.doubt:
        confidence *= 0.8
    if clause.day_is_carried:
        confidence *= 0.85
    if clause.habit and not clause.day_is_said:
        return None
    plan = candidate.is_plan or clause.plan
    if plan and not plans_count:
        confidence *= 0.9
    return replace(candidate, confidence=round(confidence, 3), is_plan=plan, day_shift=clause.day_shift)
