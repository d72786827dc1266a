"""Levels that count only as a number: "energy 7/10", "pain four out of ten", "a seven for mood"."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, judged

__all__ = ["read_rating"]

_LINK = phrase("rating", "link")
_BEFORE = phrase("rating", "before")
_THEIRS = phrase("sighting", "theirs")
_BARE_ENDS = phrase("rating", "bare_ends")
_NUMBER = re.compile(
    r"(?P<n>\d+(?:\.\d+)?)(?: ?(?:or|to|-|–) ?(?P<m>\d+(?:\.\d+)?))?"
    r"(?: ?(?:/|out of|of|over) ?(?P<top>5|10|100)\b|(?P<percent> ?(?:%|percent)))?(?![\d:])"
)
_OF_TEN = re.compile(r"\d ?(?:/|out of) ?10\b|\b(?:[6-9]|10)\b(?=\s*(?:[,.;\n]|$))")
_REACH = 44


def read_rating(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The level in its number, brought to 0 … 10; words alone are no level."""
    other = behaviour.pattern("not_words")
    barred = [m.span() for m in other.finditer(note.text)] if other else []
    found = []
    for match in behaviour.pattern("words").finditer(note.text):
        if any(a < match.end() and match.start() < b for a, b in barred):
            continue
        if _THEIRS.search(note.text[max(0, match.start() - _REACH) : match.start()]):
            continue
        level = _after(note, match) or _before(note, match)
        if level is None:
            continue
        value, start, end, confidence = level
        said = Candidate(
            behaviour.name, "scale", start, end, "number said", confidence, amount=value, unit=behaviour.unit
        )
        weighed = judged(note, said)
        if weighed:  # a level is of now, also where it is about tomorrow
            ahead = weighed.is_plan or weighed.day_shift > 0
            found.append(replace(said, day_shift=0) if ahead else weighed)
    return found


_Level = tuple[float, int, int, float]


def _after(note: Note, match: re.Match[str]) -> _Level | None:
    last = min(note.sentence_of(match.start())[1], match.end() + _REACH)
    link = _LINK.match(note.text, match.end(), last)
    number = _NUMBER.match(note.text, link.end() if link else match.end())
    if number is None or number.start() == match.end():
        return None
    bare = number.group("top") is None and number.group("percent") is None
    if bare and not _BARE_ENDS.match(note.text, number.end()):
        return None
    return _level(note, number, match.start(), number.end())


def _before(note: Note, match: re.Match[str]) -> _Level | None:
    first = max(note.sentence_of(match.start())[0], match.start() - _REACH)
    number = _BEFORE.search(note.text[first : match.start()])
    if number is None or not (number.group("top") or number.group("for")):
        return None
    if _belongs_before(note, first + number.start("n")):
        return None
    return _level(note, number, first + number.start("n"), match.end())


def _belongs_before(note: Note, at: int) -> bool:
    """Whether the number is that of another level named before it: "mood 7/10 energy 5/10"."""
    before = note.text[max(0, at - _REACH) : at]
    for other in behaviours().values():
        if other.rule != "rating":
            continue
        for match in other.pattern("words").finditer(before):
            link = _LINK.match(before, match.end())
            if link and link.end() == len(before) and "," not in before[match.end() :]:
                return True
    return False


def _level(note: Note, number: re.Match[str], start: int, end: int) -> _Level | None:
    groups = number.groupdict()
    low = float(groups["n"])
    said = (low + float(groups["m"])) / 2 if groups.get("m") and float(groups["m"]) > low else low
    confidence = 0.9
    if groups.get("percent"):
        most = 100.0
    elif groups.get("top"):
        most = float(groups["top"])
    else:
        most = 10.0 if said > 5 or _OF_TEN.search(note.text) else 5.0
        confidence = 0.8 if said > 5 else 0.75
    return (round(10 * said / most, 2), start, end, confidence) if 0 <= said <= most else None
