"""Levels: "stress was two out of five", "slept terribly", brought to 0 … 10 (two out of five is four out of ten)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, judged

__all__ = ["read_scale"]

_BETWEEN = phrase("scale", "between").pattern
_NUMBER = (
    r"(?P<n>\d+(?:\.\d+)?)(?: ?(?:or|to|-|–) ?(?P<m>\d+(?:\.\d+)?))?"
    r"(?:(?: ?/ ?| out of (?:a )?(?:possible )?| of | over | on (?:a )?(?:scale )?(?:of |to )?)(?:1 to |1-)?"
    r"(?P<top>5|10|100)\b)?"
)
_NO_LEVEL = phrase("scale", "no_level").pattern
_AFTER = re.compile(rf"{_BETWEEN}(?<!\d)(?<!\d[.:]){_NUMBER}{_NO_LEVEL}")
_TOP_FIRST = re.compile(
    r"(?: level)?,? (?:on a scale )?out of (?P<top>5|10),? (?:i'd say |about |a |was |is |say )*"
    r"(?P<n>\d+(?:\.\d)?)(?P<m>(?!))?"
)
_HEARD = {"for": 4.0, "fore": 4.0, "to": 2.0, "too": 2.0, "won": 1.0, "tree": 3.0, "free": 3.0}
"""Words that a recogniser writes for a spoken number."""
_MISHEARD = phrase("scale", "misheard")
_BEFORE = phrase("scale", "before")
_CORRECTED_BY = phrase("scale", "corrected_by")
_NEAR = 24
"""Characters within which a number surely belongs to the word."""
_BACK = 60


def read_scale(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The level said in a number, else in words."""
    said = Candidate(behaviour.name, "scale", 0, 0, "", 0.0, unit=behaviour.unit)
    barred = [m.span() for m in behaviour.pattern("not_words").finditer(note.text)]
    levels = [
        _level(note, behaviour, match, said)
        for match in behaviour.pattern("words").finditer(note.text)
        if not any(a <= match.start() < b for a, b in barred)
    ]
    numbers = _weighed(note, behaviour, [level for level in levels if level])
    in_words = _in_words(note, behaviour, said, barred)
    told = {c.day_shift for c in numbers}
    return numbers + [c for c in in_words if c.day_shift not in told]


def _in_words(
    note: Note, behaviour: Behaviour, said: Candidate, barred: list[tuple[int, int]]
) -> list[Candidate]:
    """Of overlapping levels in words the longest ("a bit stressed" over "stressed"); of several a day the clearest."""
    sure = float(behaviour.options["words_confidence"])
    words = [
        replace(said, start=m.start(), end=m.end(), rule="level in words", confidence=sure, amount=value)
        for pattern, value in _words_scale(behaviour.name)
        for m in pattern.finditer(note.text)
        if not any(a < m.end() and m.start() < b for a, b in barred)
    ]
    longest: list[Candidate] = []
    for level in sorted(words, key=lambda c: c.start - c.end):
        if not any(level.start < k.end and k.start < level.end for k in longest):
            longest.append(level)
    weighed = _weighed(note, behaviour, longest)
    best: dict[int, Candidate] = {}
    for level in sorted(weighed, key=lambda c: (c.confidence, _distance_from_middle(c))):
        best[level.day_shift] = level
    if len({c.amount for c in weighed}) > 1:  # "stressful morning, low stress later": one of them, unsure
        return [replace(c, confidence=round(c.confidence * 0.85, 3)) for c in best.values()]
    return list(best.values())


def _weighed(note: Note, behaviour: Behaviour, found: list[Candidate]) -> list[Candidate]:
    kept = [c for c in (judged(note, candidate) for candidate in found) if c]
    kept = [c for c in kept if not c.is_plan]
    if behaviour.options.get("about_last_night"):  # it ended this morning, whatever day the story is set in
        return [c if _names_another_night(note, c) else replace(c, day_shift=0) for c in kept]
    return kept


def _names_another_night(note: Note, level: Candidate) -> bool:
    clause = note.clause_at(level.start)
    said = note.text[clause.sentence_start : clause.end]
    return clause.day_is_said and clause.day_shift < 0 and "last night" not in said


def _level(note: Note, behaviour: Behaviour, match: re.Match[str], said: Candidate) -> Candidate | None:
    """The number beside the word: behind it, misheard behind it, or before it."""
    first, last = note.sentence_of(match.start())
    start, end = match.span()
    needs_top = bool(behaviour.options.get("number_needs_top")) and not match.group().endswith(
        ("quality", "score")
    )
    number = _TOP_FIRST.match(note.text, end, last) or _AFTER.match(note.text, end, last)
    if number and (number.group("top") or not _is_clock(note, number.start("n"))):
        corrected = _CORRECTED_BY.match(note.text, number.end(), last)
        top = (corrected and corrected.group(2)) or number.group("top")
        low, high = float(number.group("n")), float(number.group("m") or number.group("n"))
        if corrected:
            low = high = float(corrected.group(1))
        value = _to_ten((low + high) / 2, top)
        if value is not None and (top or not needs_top):
            near = top or number.start("n") - end < _NEAR
            sure, until = (0.9 if near else 0.7), (corrected or number).end()
            return replace(said, start=start, end=until, rule="number after", confidence=sure, amount=value)
    heard = None if needs_top else _MISHEARD.match(note.text[end:last])
    if heard:
        value = 2 * _HEARD[heard.group("bare") or heard.group("outof")]
        return replace(
            said, start=start, end=end + heard.end(), rule="number as misheard", confidence=0.7, amount=value
        )
    before = _BEFORE.search(note.text[max(first, start - _BACK) : start])
    value = (
        _to_ten(float(before.group("n")), before.group("top"))
        if before and before.group("n") != "0"
        else None
    )
    if before is None or value is None or (needs_top and not before.group("top")):
        return None
    at = max(first, start - _BACK) + before.start("n")
    return replace(said, start=at, end=end, rule="number before", confidence=0.85, amount=value)


def _is_clock(note: Note, position: int) -> bool:
    """Whether a number is plainly a time of day ("7 am", "21:30"), not just behind "about"."""
    return any(
        c.start <= position < c.end and re.search(r"[:apo]", note.text[c.start : c.end]) for c in note.clocks
    )


def _to_ten(said: float, top: str | None) -> float | None:
    """Bring a level to 0 … 10; a bare number counts out of five, or out of ten where it is above five."""
    most = float(top) if top else 10.0 if 5 < said <= 10 else 5.0
    return round(10 * said / most, 2) if 0 <= said <= most else None


def _distance_from_middle(level: Candidate) -> tuple[float, int]:
    """Of several levels in words the one furthest from the middle counts, then the first."""
    return abs((level.amount or 0.0) - 6), -level.start


@cache
def _words_scale(name: str) -> list[tuple[re.Pattern[str], float]]:
    return [
        (re.compile(rf"(?<![a-z-])(?:{pattern})(?![a-z])".replace("\n", "")), float(value))
        for pattern, value in behaviours()[name].options.get("words_scale", ())
    ]
