"""When the last drink or coffee was: "the last one at half past nine", or the latest time beside a serving."""

from __future__ import annotations

import re
from functools import cache

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.clocks import Clock
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied

__all__ = ["read_last_time"]

_LAST = phrase("last_time", "last")
_STOPPED = phrase("last_time", "stopped")
_OTHER_TOPIC = phrase("last_time", "other_topic")
_MEAL_BESIDE = phrase("last_time", "meal_beside")
_JUST_BEFORE = phrase("last_time", "just_before")
_PARTS = (
    (phrase("last_time", "late_evening"), "22:00"),
    (phrase("last_time", "evening"), "20:00"),
    (phrase("last_time", "late_afternoon"), "17:00"),
    (phrase("last_time", "afternoon"), "15:00"),
    (phrase("last_time", "after_lunch"), "13:30"),
)
"""Parts of the day that are said instead of a time; worth a guess, never more than a draft."""
_SAME_STORY = 220
_CLOCK_REACH = 45


def read_last_time(
    note: Note, behaviour: Behaviour, items: list[tuple[int, int]], everything: list[tuple[int, int]]
) -> Candidate | None:
    """The time of the last serving among ``items`` (canonical spans of one day), or None where none is said.

    ``everything`` are the servings of all days: "the last one" is said of the serving before it.
    A bare "at nine" of a coffee is the morning, a beer's "at one" is after noon: ``evening_from_hour`` says so.
    """
    said = Candidate(behaviour.options["last_time"], "time", *items[0], "", 0.0, unit="HH:MM")
    earliest = int(behaviour.options["evening_from_hour"])
    explicit = _explicit(note, behaviour, items, everything)
    if explicit:
        clock, start = explicit
        return _with(note, said, start, clock.end, clock.resolve(earliest), "last one said", 0.9)
    beside = {c.resolve(earliest): c for start, end in items for c in _clocks_beside(note, start, end)}
    if beside:
        late = max(beside, key=_night_order)
        return _with(note, said, items[0][0], beside[late].end, late, "latest time beside", 0.8)
    for start, end in reversed(items):
        first, last = note.clause_at(start).start, _reach(note, start, end)[1]
        for pattern, time in _PARTS:
            part = pattern.search(note.text[:last], first)
            if part:
                return _with(note, said, *part.span(), time, "part of the day", 0.5)
    return None


def _explicit(
    note: Note, behaviour: Behaviour, items: list[tuple[int, int]], everything: list[tuple[int, int]]
) -> tuple[Clock, int] | None:
    for match in (*_LAST.finditer(note.text), *_STOPPED.finditer(note.text)):
        spoken_of = max((span for span in everything if span[0] < match.start()), default=min(everything))
        near = spoken_of in items and abs(match.start() - spoken_of[1]) < _SAME_STORY
        if not near or _counted_before(note, *match.span()) != behaviour.name:
            continue
        until = min(note.sentence_of(match.start())[1], match.end() + _CLOCK_REACH)
        clock = next((c for c in note.clocks if match.end() <= c.start + 3 and c.start < until), None)
        if clock and not _OTHER_TOPIC.search(_MEAL_BESIDE.sub("", note.text[match.end() : clock.start])):
            return clock, match.start()
    return None


def _counted_before(note: Note, start: int, end: int) -> str:
    """Whose "last one": the counted behaviour named in the words themselves, else the one named last before."""
    best, place = "", -1
    for name, nouns in _nouns().items():
        if nouns.search(note.text[start:end]):
            return name
        last = max((m.start() for m in nouns.finditer(note.text[:start])), default=-1)
        if last > place:
            best, place = name, last
    return best


def _clocks_beside(note: Note, start: int, end: int) -> list[Clock]:
    """Clock times of the serving: after it up to the next topic, or just before it ("at ten a coffee")."""
    first, last = _reach(note, start, end)
    after = [c for c in note.clocks if end <= c.start + 3 and c.start < last]
    before = [
        c
        for c in note.clocks
        if first <= c.start
        and c.end <= start < c.end + 16
        and _JUST_BEFORE.fullmatch(note.text[c.end : start])
    ]
    return after or before


def _reach(note: Note, start: int, end: int) -> tuple[int, int]:
    """The part of the sentence that speaks of the serving: up to the next topic or the next counted thing."""
    first, last = note.sentence_of(start)
    plain = _MEAL_BESIDE.sub(lambda m: "_" * len(m.group()), note.text[:last])
    topic = _OTHER_TOPIC.search(plain, end)
    last = topic.start() if topic else last
    for nouns in _nouns().values():
        following = nouns.search(note.text[:last], end + 1)
        if following and not is_denied(note, *following.span()):
            last = following.start()
    return first, last


@cache
def _nouns() -> dict[str, re.Pattern[str]]:
    """What is counted, by behaviour."""
    counted = [b for b in behaviours().values() if b.rule == "count"]
    keys = ("items", "generic", "loose_alone")
    return {
        b.name: re.compile(rf"\b(?:{'|'.join(b.options[key] for key in keys if b.options[key])})\b")
        for b in counted
    }


def _night_order(time: str) -> int:
    """Minutes since 04:00, so that one at night comes after eleven."""
    hour, minute = (int(part) for part in time.split(":"))
    return ((hour - 4) * 60 + minute) % 1440


def _with(
    note: Note, said: Candidate, start: int, end: int, time: str, rule: str, confidence: float
) -> Candidate:
    sure = confidence * (0.85 if note.clause_at(start).doubt else 1.0)
    return Candidate(said.behaviour, "time", start, end, rule, sure, unit=said.unit, clock_time=time)
