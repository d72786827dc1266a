"""Levels: "stress was two out of five", "slept terribly", brought to 0 … 10 (two out of five is four out of ten)."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, judged

__all__ = ["read_scale"]

_BETWEEN = r"(?:(?!\b(?:coffees?|beers?|wine|drinks?|slept|sleep|training|run|hours?|minutes?|energy|mood|today i|magnesium|bed)\b)[^.;!?\d]){0,46}?"
_NUMBER = r"(?P<n>\d+(?:\.\d+)?)(?: ?(?:or|to|-|–) ?(?P<m>\d+))?(?:(?: ?/ ?| out of | of | over )(?P<top>5|10|100)\b)?"
_NO_LEVEL = r"(?!\s*(?:hours?|minutes?|mins?|coffees?|meetings?|drinks?|beers?|am\b|pm\b|oclock|:\d|km|times|people|%|days?|weeks?|calls?|[a-z]+s\b))(?!\d)"
_HEARD = {"for": 4.0, "fore": 4.0, "to": 2.0, "too": 2.0, "won": 1.0, "tree": 3.0, "free": 3.0}
"""Words that a recogniser writes for a spoken number."""
_MISHEARD = phrase("scale", "misheard")
_BEFORE = phrase("scale", "before")


def read_scale(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The level said in a number, else in words."""
    numbers, words = [], []
    words_pattern = behaviour.pattern("words")
    barred = [m.span() for m in behaviour.pattern("not_words").finditer(note.text)]
    for match in words_pattern.finditer(note.text):
        if any(a <= match.start() < b for a, b in barred):
            continue
        level = _level(note, match)
        if level:
            value, start, end, rule, confidence = level
            numbers.append(
                Candidate(
                    behaviour.name, "scale", start, end, rule, confidence, amount=value, unit=behaviour.unit
                )
            )
    for pattern, value in behaviour.options["words_scale"]:
        for match in re.finditer(rf"(?<![a-z-])(?:{pattern})(?![a-z])", note.text):
            words.append(
                Candidate(
                    behaviour.name,
                    "scale",
                    match.start(),
                    match.end(),
                    "level in words",
                    float(behaviour.options["words_confidence"]),
                    amount=float(value),
                    unit=behaviour.unit,
                )
            )
    kept, said = _weighed(note, behaviour, numbers), _weighed(note, behaviour, words)
    if kept or not said:
        return kept
    return said[:1] if len({c.amount for c in said}) <= 1 else [_strongest(said)]


def _weighed(note: Note, behaviour: Behaviour, found: list[Candidate]) -> list[Candidate]:
    kept = [c for c in (judged(note, candidate) for candidate in found) if c]
    if behaviour.options.get("about_last_night"):  # it ended this morning, whatever day the story is set in
        return [c if note.clause_at(c.start).day_is_said else replace(c, day_shift=0) for c in kept]
    return kept


def _level(note: Note, match: re.Match[str]) -> tuple[float, int, int, str, float] | None:
    """(level 0 … 10, start, end, rule, confidence) of the number beside the word, or None."""
    last = note.sentence_of(match.start())[1]
    rest = note.text[match.end() : last]
    number = re.match(_BETWEEN + r"(?<!\d)(?<!\d[.:])" + _NUMBER + _NO_LEVEL, rest)
    if number:
        top = float(number.group("top") or 5)
        said = float(number.group("n"))
        if number.group("m"):
            said = (said + float(number.group("m"))) / 2
        value = _to_ten(said, top, number.group("top") is not None)
        if value is not None:
            sure = 0.9 if number.group("top") or number.end("n") - number.start() < 24 else 0.8
            return value, match.start(), match.end() + number.end(), "number after", sure
    heard = _MISHEARD.match(rest)
    if heard:
        word = heard.group("bare") or heard.group("outof")
        return 2 * _HEARD[word], match.start(), match.end() + heard.end(), "number as misheard", 0.7
    first = note.sentence_of(match.start())[0]
    before = _BEFORE.search(note.text[first : match.start()])
    if before:
        value = _to_ten(
            float(before.group("n")), float(before.group("top") or 5), before.group("top") is not None
        )
        if value is not None:
            return value, first + before.start("n"), match.end(), "number before", 0.85
    return None


def _to_ten(said: float, top: float, top_said: bool) -> float | None:
    """Bring a level to 0 … 10; a bare number counts out of five, or out of ten where it is above five."""
    if not top_said and 5 < said <= 10:
        top = 10.0
    if not 0 <= said <= top:
        return None
    return round(10 * said / top, 2)


def _strongest(said: list[Candidate]) -> Candidate:
    """Of several levels in words the one furthest from the middle, then the first."""
    return max(said, key=lambda c: (abs((c.amount or 0.0) - 6), -c.start))
