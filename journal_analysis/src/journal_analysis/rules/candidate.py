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
_AND = re.compile(r"\b(?:and|&)\b")
_SKIPS_A_LIST = re.compile(r"skip|forg|miss|avoid|neither|ran out|stay|cut")
"""Denials that reach over "and": "forgot the zinc, the creatine and the magnesium"."""

_WORDS_BACK = 6
_CHARACTERS_BACK = 160


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
    first, ends = clause.start, ""
    while first > clause.sentence_start:
        item = _list_end(note, first, start, end)
        if item is None:
            break
        ends = item
        first = note.clause_at(first - 1).start  # "no beer, wine or spirits"
        reach += 3
    listed = first != clause.start
    first = max(first, start - _CHARACTERS_BACK)
    before = note.text[first:start]
    for match in reversed(list(_NEGATOR.finditer(before))):
        gap = before[match.end() :]
        if listed and ends == "and" and not _SKIPS_A_LIST.match(match.group()):
            continue
        if len(gap.split()) <= reach and not _STILL_POSITIVE.search(gap.replace(",", "") if listed else gap):
            return first + match.start(), end
    after = _DENIED_AFTER.match(note.text, end)
    return (start, after.end()) if after else None


def _list_end(note: Note, first: int, start: int, end: int) -> str | None:
    """ "or" or "and" where the clause that begins at ``first`` is nothing but an item of a list that ends so."""
    clause = note.clause_at(first)
    until = min(clause.end, end) if first <= start < clause.end else clause.end
    if clause.start != first or not _LIST_ITEM.match(note.text[first:until].strip(" .;!?")):
        return None
    rest = note.text[first : clause.sentence_end]
    return "or" if _OR.search(rest) else "and" if _AND.search(rest) else None


def judged(
    note: Note, candidate: Candidate, *, plans_count: bool = False, others_count: bool = False
) -> Candidate | None:
    """Weigh a candidate by its clause: somebody else's, imagined and usual things fall away, doubt lowers confidence.

    ``plans_count`` is for behaviours that are plans by nature (bedtime): their confidence is not lowered;
    ``others_count`` for what is told of somebody else but true for the wearer ("the baby had me up").
    """
    clause: Clause = note.clause_at(candidate.start)
    if (clause.others and not others_count) or (clause.unreal and candidate.kind != "no"):
        return None
    confidence = candidate.confidence * clause.sureness
    if clause.doubt:
        confidence *= 0.76
    if clause.day_is_carried:
        confidence *= 0.85
    if clause.habit and not clause.day_is_said:
        return None
    plan = candidate.is_plan or clause.plan
    if plan and not plans_count:
        confidence *= 0.9
    return replace(candidate, confidence=round(confidence, 3), is_plan=plan, day_shift=clause.day_shift)
