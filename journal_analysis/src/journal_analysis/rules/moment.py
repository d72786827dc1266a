"""When something began or ended: "left the sauna at nine", "napped at two", "my shift starts at seven"."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.clocks import Clock
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, judged

__all__ = ["read_moment"]

_TOPIC = phrase("moment", "topic")
_DRINKS = phrase("moment", "drinks")
_LATE = re.compile(r"\b(?:late|evening|tonight|after work|after dinner)\b")
_EVENING = 16
_REACH = 24
_BEGAN = re.compile(r"\b(?:started|began|clocked|was)\b")
_BEGINS = re.compile(r"\b(?:starts?|begins?|kicks off|tomorrow|starting|clocking)\b")


def read_moment(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The clock time right behind the words; a shift that "starts" is a plan."""
    other = behaviour.pattern("not_words")
    barred = [m.span() for m in other.finditer(note.text)] if other else []
    found = []
    for option, confidence in (("words", 0.85), ("looser", 0.75)):
        pattern = behaviour.pattern(option)
        for match in pattern.finditer(note.text) if pattern else ():
            if any(a < match.end() and match.start() < b for a, b in barred):
                continue
            clock = _clock_behind(note, match.end())
            if clock is None or not _is_about_it(note, behaviour, match) or denial_of(note, *match.span()):
                continue
            said = Candidate(
                behaviour.name,
                "time",
                match.start(),
                max(clock.end, match.end()),
                "its time",
                confidence,
                unit="HH:MM",
                clock_time=clock.resolve(_earliest_hour(note, behaviour, match)),
            )
            weighed = judged(note, said, plans_count=True)
            if weighed:
                found.append(_as_plan(weighed, match.group()))
    return found


def _earliest_hour(note: Note, behaviour: Behaviour, match: re.Match[str]) -> int:
    first, last = note.sentence_of(match.start())
    return _EVENING if _LATE.search(note.text[first:last]) else int(behaviour.options["earliest_hour"])


def _clock_behind(note: Note, end: int) -> Clock | None:
    clock = next((c for c in note.clocks if end - 6 <= c.start < end + _REACH), None)
    if clock is None or clock.end <= end:
        return None
    between = note.text[end : clock.start]
    return None if re.search(r"[.;\n]", between) or _TOPIC.search(between) else clock


def _is_about_it(note: Note, behaviour: Behaviour, match: re.Match[str]) -> bool:
    """Whether "the last one" is one of these, and "starts at" is said of a shift."""
    first, last = note.sentence_of(match.start())
    needs = behaviour.options.get("needs")
    if needs and not re.search(rf"\b(?:{needs})", note.text[first:last]):
        return False
    context = behaviour.options.get("context")
    if not context:
        return True
    mine = [m.end() for m in re.finditer(rf"\b(?:{context})", note.text[: match.end()])]
    drinks = [m.end() for m in _DRINKS.finditer(note.text[: match.end()])]
    return bool(mine) and mine[-1] > max(drinks, default=-1) and match.end() - mine[-1] < 120


def _as_plan(candidate: Candidate, words: str) -> Candidate:
    if candidate.behaviour != "shift_start_time" or _BEGAN.search(words):
        return candidate
    return replace(candidate, is_plan=True) if _BEGINS.search(words) else candidate
