"""Long journeys: a flight of any length, hours in a car, train or bus, and the hours of a time zone crossed."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.clocks import Duration
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, judged

__all__ = ["read_travel"]

_NOT_THE_JOURNEY = phrase("travel", "not_the_journey")
_OTHER_BETWEEN = phrase("travel", "other_between")
_WAIT_BEFORE = phrase("travel", "wait_before")
_EACH_WAY = phrase("travel", "each_way")
_FAR = phrase("travel", "far")
_SURE, _FAIRLY = 0.85, 0.75
_REACH = 42
_REACH_FLIGHT = 64
"""A flight names two towns before its hours."""
_UNSURE = 0.68
_KM_A_MILE = 1.609
_LONG_KM = 180.0


def read_travel(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The journey with its hours where they are said; one that may be short only counts where it was long."""
    found: list[Candidate | None] = []
    barred = [m.span() for m in behaviour.pattern("not_words").finditer(note.text)]
    least = float(behaviour.options.get("minimum_amount", 0.0))
    for match in behaviour.pattern("words").finditer(note.text):
        if any(a < match.end() and match.start() < b for a, b in barred):
            continue
        if denial_of(note, *match.span(), reach=3):
            found.append(_denied(note, behaviour, match))
            continue
        hours, end = _hours(note, behaviour, match)
        said = Candidate(
            behaviour.name, "yes", match.start(), max(match.end(), end), "journey", _SURE, unit=behaviour.unit
        )
        if hours is not None and hours >= least:
            said = Candidate(
                behaviour.name,
                "amount",
                said.start,
                said.end,
                "journey and its hours",
                _SURE,
                amount=hours,
                unit=said.unit,
            )
        elif hours is None and _has_length(note, match):
            said = replace(said, confidence=_UNSURE)
        if said.kind == "yes" and least and (hours is not None or not _is_long(note, behaviour, match)):
            continue
        found.append(judged(note, said))
    return [c for c in found if c is not None]


def _denied(note: Note, behaviour: Behaviour, match: re.Match[str]) -> Candidate | None:
    """A denial says something of a flight; "no driving" of a long drive only weakly."""
    sure = 0.8 if behaviour.name == "air_travel" else 0.6
    return judged(
        note, Candidate(behaviour.name, "no", *match.span(), "denied", sure, amount=0.0, unit=behaviour.unit)
    )


def _hours(note: Note, behaviour: Behaviour, match: re.Match[str]) -> tuple[float | None, int]:
    """The hours said with the journey, and where their words end."""
    for value in match.groupdict().values():
        if value:
            return float(value), match.end()
    first, last = note.sentence_of(match.start())
    near = [
        d
        for d in note.durations
        if first <= d.start < last
        and _gap(d, match) < (_REACH_FLIGHT if behaviour.name == "air_travel" else _REACH)
        and not _OTHER_BETWEEN.search(note.text[min(d.end, match.end()) : max(d.start, match.start())])
        and not _NOT_THE_JOURNEY.match(note.text, d.end)
        and not _WAIT_BEFORE.search(note.text[max(first, d.start - _REACH) : d.start])
    ]
    if not near:
        return None, match.end()
    nearest = min(near, key=lambda d: _gap(d, match))
    hours = nearest.minutes / 60
    if _EACH_WAY.match(note.text, nearest.end):
        hours *= 2
    return round(hours, 2), max(nearest.end, match.end())


def _has_length(note: Note, match: re.Match[str]) -> bool:
    """Whether the sentence holds a length that was too far from the journey to be taken for its own."""
    first, last = note.sentence_of(match.start())
    return any(first <= d.start < last and d.minutes >= 60 for d in note.durations)


def _gap(duration: Duration, match: re.Match[str]) -> int:
    return max(duration.start - match.end(), match.start() - duration.end, 0)


def _is_long(note: Note, behaviour: Behaviour, match: re.Match[str]) -> bool:
    """Whether the words or the distance say that it was long."""
    clause = note.clause_at(match.start())
    if behaviour.pattern("plain_words").search(
        note.text[max(clause.start, match.start() - 24) : match.end() + 24]
    ):
        return True
    for far in _FAR.finditer(note.text, clause.start, clause.end):
        km = float(far.group(1)) * (_KM_A_MILE if far.group(2).startswith("mi") else 1.0)
        if km >= _LONG_KM:
            return True
    return False
