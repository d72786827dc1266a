"""Being ill: yes by its symptoms, no where the wearer says to be well or over it."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, judged

__all__ = ["read_illness"]

_OVER = phrase("illness", "over")
_NOT_OVER = phrase("illness", "not_over")
_BEFORE = phrase("illness", "over_before")
_SURE, _WEAK = 0.85, 0.6
_REACH = 40


def read_illness(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """`sick`: a denied symptom alone ("no fever") says nothing about the rest."""
    found: list[Candidate | None] = []
    barred = [
        m.span()
        for option in ("not_words", "no_words")
        for m in behaviour.pattern(option).finditer(note.text)
    ]
    whole, weak, veto = (behaviour.pattern(option) for option in ("whole", "weak_words", "veto"))
    for match in behaviour.pattern("words").finditer(note.text):
        if any(a < match.end() and match.start() < b for a, b in barred):
            continue
        first, last = note.sentence_of(match.start())
        is_whole = whole.fullmatch(match.group()) is not None
        denied = denial_of(note, *match.span())
        if denied or _is_over(note, match):
            if is_whole:
                span = denied or match.span()
                words = note.canonical.quote(*span)
                found.append(
                    judged(note, Candidate(behaviour.name, "no", *match.span(), "denied", _SURE, words=words))
                )
            continue
        if veto.search(note.text[first:last]) and not _stands_against(note, veto, match):
            continue
        sure = _WEAK if weak.fullmatch(match.group()) else _SURE
        found.append(judged(note, Candidate(behaviour.name, "yes", *match.span(), "named", sure)))
    for match in behaviour.pattern("no_words").finditer(note.text):
        well = Candidate(behaviour.name, "no", match.end() - 1, match.end(), "said to be well", _SURE)
        words = note.canonical.quote(*match.span())
        found.append(judged(note, replace(well, words=words)))
    kept = [c for c in found if c is not None and not c.is_plan]
    well = {c.day_shift for c in kept if c.rule == "said to be well"}
    clauses = {note.clause_at(c.start).start for c in kept if c.kind == "no"}
    return [
        c
        for c in kept
        if c.kind == "no" or c.day_shift not in well or note.clause_at(c.start).start in clauses
    ]


def _is_over(note: Note, match: re.Match[str]) -> bool:
    """Whether a symptom is spoken of as past: "the cold is gone", "no longer sick", "got over the flu"."""
    clause = note.clause_at(match.start())
    after = note.text[match.end() : min(clause.end, match.end() + _REACH)]
    before = note.text[max(clause.start, match.start() - _REACH) : match.start()]
    if _BEFORE.search(before):
        return True
    return _OVER.search(after) is not None and _NOT_OVER.search(before + after) is None


def _stands_against(note: Note, veto: re.Pattern[str], match: re.Match[str]) -> bool:
    """Whether the allergy or hangover of the sentence is itself denied: "not allergies, a real cold"."""
    first, last = note.sentence_of(match.start())
    return all(denial_of(note, *m.span()) is not None for m in veto.finditer(note.text, first, last))
