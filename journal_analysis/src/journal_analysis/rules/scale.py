"""Levels: "stress was two out of five", "slept terribly", brought to 0 … 10 (two out of five is four out of ten)."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, judged

__all__ = ["read_scale"]

_BETWEEN = phrase("scale", "between").pattern
_NUMBER = (
    r"(?P<n>\d+(?:\.\d+)?)(?: ?(?:or|to|-|–) ?(?P<m>\d+))?"
    r"(?:(?: ?/ ?| out of | of | over )(?P<top>5|10|100)\b)?"
)
_NO_LEVEL = phrase("scale", "no_level").pattern
_HEARD = {"for": 4.0, "fore": 4.0, "to": 2.0, "too": 2.0, "won": 1.0, "tree": 3.0, "free": 3.0}
"""Words that a recogniser writes for a spoken number."""
_MISHEARD = phrase("scale", "misheard")
_BEFORE = phrase("scale", "before")
_NEAR = 24
"""Characters within which a number surely belongs to the word."""


def read_scale(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The level said in a number, else in words."""
    said = Candidate(behaviour.name, "scale", 0, 0, "", 0.0, unit=behaviour.unit)
    barred = [m.span() for m in behaviour.pattern("not_words").finditer(note.text)]
    levels = [
        _level(note, match, said)
        for match in behaviour.pattern("words").finditer(note.text)
        if not any(a <= match.start() < b for a, b in barred)
    ]
    numbers = _weighed(note, behaviour, [level for level in levels if level])
    if numbers:
        return numbers
    sure = float(behaviour.options["words_confidence"])
    words = [
        replace(
            said, start=m.start(), end=m.end(), rule="level in words", confidence=sure, amount=float(value)
        )
        for pattern, value in behaviour.options["words_scale"]
        for m in re.finditer(rf"(?<![a-z-])(?:{pattern})(?![a-z])", note.text)
    ]
    return sorted(_weighed(note, behaviour, words), key=_distance_from_middle)[-1:]


def _weighed(note: Note, behaviour: Behaviour, found: list[Candidate]) -> list[Candidate]:
    kept = [c for c in (judged(note, candidate) for candidate in found) if c]
    if behaviour.options.get("about_last_night"):  # it ended this morning, whatever day the story is set in
        return [c if note.clause_at(c.start).day_is_said else replace(c, day_shift=0) for c in kept]
    return kept


def _level(note: Note, match: re.Match[str], said: Candidate) -> Candidate | None:
    """The number beside the word: behind it, misheard behind it, or before it."""
    first, last = note.sentence_of(match.start())
    start, end = match.span()
    number = re.match(rf"{_BETWEEN}(?<!\d)(?<!\d[.:]){_NUMBER}{_NO_LEVEL}", note.text[end:last])
    if number:
        low, high = float(number.group("n")), float(number.group("m") or number.group("n"))
        value = _to_ten((low + high) / 2, number.group("top"))
        if value is not None:
            near = number.group("top") or number.end("n") < _NEAR
            sure = 0.9 if near else 0.8
            return replace(
                said, start=start, end=end + number.end(), rule="number after", confidence=sure, amount=value
            )
    heard = _MISHEARD.match(note.text[end:last])
    if heard:
        value = 2 * _HEARD[heard.group("bare") or heard.group("outof")]
        return replace(
            said, start=start, end=end + heard.end(), rule="number as misheard", confidence=0.7, amount=value
        )
    before = _BEFORE.search(note.text[first:start])
    value = _to_ten(float(before.group("n")), before.group("top")) if before else None
    if before is None or value is None:
        return None
    at = first + before.start("n")
    return replace(said, start=at, end=end, rule="number before", confidence=0.85, amount=value)


def _to_ten(said: float, top: str | None) -> float | None:
    """Bring a level to 0 … 10; a bare number counts out of five, or out of ten where it is above five."""
    most = float(top) if top else 10.0 if 5 < said <= 10 else 5.0
    return round(10 * said / most, 2) if 0 <= said <= most else None


def _distance_from_middle(level: Candidate) -> tuple[float, int]:
    """Of several levels in words the one furthest from the middle counts, then the first."""
    return abs((level.amount or 0.0) - 6), -level.start
