"""What a rule hands back, and the questions that every rule asks about the words around its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from journal_analysis.clauses import Clause, Note

__all__ = ["Candidate", "is_denied", "judged"]

_NEGATOR = re.compile(
    r"(?:\bno\b(?!,| problem| doubt| more than| less than| fewer than| longer)|\bnot\b(?! only| just| to mention| least)|n't\b(?! only| just)|\bnever\b|\bwithout\b|\bnone\b|"
    r"\bnothing\b(?! but)|\bneither\b|\bnor\b|\bskip(?:ped|ping)?\b|\bforg[eo]t(?:ten)?\b|\bavoid(?:ed|ing)?\b|\bcancel(?:l?ed|l?ing)?\b|\bmissed\b|"
    r"\bstay(?:ed|ing)? (?:off|away from)\b|\bg[ai]ve up\b|\binstead of\b|\bpassed on\b|\brefused\b|\bresisted\b|\bturned down\b|"
    r"\bfree of\b|\bcut out\b|\bquit\b|\bstopped\b|(?<![\d.:/])\b0\b(?![.:/]\d)|\bcouldn't\b|\bran out of\b|\b(?:any|no) longer\b)"
)
_STILL_POSITIVE = re.compile(r"\b(?:but|only|except|apart from|besides|just)\b|\band (?:then )?(?:i )?(?:had|have|drank|took|did|went|ate|got|started|am|'m)\b|,(?! ?(?:no|not|or|nor)\b)")
_DENIED_AFTER = re.compile(r"\W{0,3}(?:was |were |is |are |today |tonight )?(?:none|0|nil|nope|no|not today|not at all|not taken|skipped|forgotten)(?=\s*(?:[.,;!]|$))")
_LIST_GOES_ON = re.compile(r"^,? ?(?:\w+ ){0,3}?(?:or|nor)\b|^,? ?(?:[a-z-]+ ?){1,2}$")

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
    clause = note.clause_at(start)
    first = clause.start
    if _LIST_GOES_ON.search(note.text[clause.start : end]) and clause.start > clause.sentence_start:
        first = note.clause_at(clause.start - 1).start  # "no beer, wine or spirits"
        reach += 3
    before = note.text[first:start]
    for match in reversed(list(_NEGATOR.finditer(before))):
        gap = before[match.end() :]
        listed = first != clause.start
        if len(gap.split()) <= reach and not _STILL_POSITIVE.search(gap if not listed else gap.replace(",", "")):
            return True
    return bool(_DENIED_AFTER.match(note.text, end))


def judged(note: Note, candidate: Candidate, *, plans_count: bool = False) -> Candidate | None:
    """Weigh a candidate by its clause: somebody else's or imagined things fall away, doubt lowers confidence.

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
        confidence *= 0.85 if candidate.kind == "no" else 0.6
    plan = candidate.is_plan or clause.plan
    if plan and not plans_count:
        confidence *= 0.8
    return replace(candidate, confidence=round(confidence, 3), is_plan=plan, day_shift=clause.day_shift)
