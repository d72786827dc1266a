"""When the last drink or coffee was: "the last one at half past nine", or the latest time said beside a serving."""

from __future__ import annotations

import re

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.clocks import Clock
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied

__all__ = ["read_last_time"]

_LAST = phrase("last_time", "last")
_STOPPED = phrase("last_time", "stopped")
_OTHER_TOPIC = phrase("last_time", "other_topic")
_PARTS = (
    (re.compile(r"\b(?:late (?:in the|at) (?:evening|night)|before bed|late[- ]night|at night)\b"), "22:00"),
    (
        re.compile(
            r"\b(?:(?:in|during) the evening|this evening|tonight|after dinner|after work|with dinner|at dinner)\b"
        ),
        "20:00",
    ),
    (re.compile(r"\b(?:late (?:in the )?afternoon)\b"), "17:00"),
    (
        re.compile(
            r"\b(?:in the afternoon|this afternoon|mid-?afternoon|in the (?:early )?afternoon|afternoon (?:coffee|espresso|latte|tea|cappuccino|one))\b"
        ),
        "15:00",
    ),
    (re.compile(r"\b(?:after lunch)\b"), "13:30"),
)
"""Parts of the day that are said instead of a time; worth a guess, never more than a draft."""


def read_last_time(note: Note, behaviour: Behaviour, items: list[tuple[int, int]]) -> Candidate | None:
    """The time of the last serving among ``items`` (canonical spans), or None where none is said."""
    name = behaviour.options["last_time"]
    earliest = int(behaviour.options["evening_from_hour"])
    explicit = _explicit(note, behaviour, items)
    if explicit:
        clock, start = explicit
        return _candidate(
            name, note, start, clock.end, clock.resolve(_sensible(clock, earliest)), "last one said", 0.9
        )
    beside = [clock for start, end in items for clock in _clocks_beside(note, start, end)]
    if beside:
        times = {clock.resolve(_sensible(clock, earliest)): clock for clock in beside}
        late = max(times, key=_night_order)
        return _candidate(name, note, items[0][0], times[late].end, late, "latest time beside", 0.8)
    for start, end in reversed(items):
        first, last = note.clause_at(start).start, _reach(note, start, end)[1]
        for pattern, time in _PARTS:
            part = pattern.search(note.text[:last], first)
            if part:
                return _candidate(name, note, part.start(), part.end(), time, "part of the day", 0.5)
    return None


def _explicit(note: Note, behaviour: Behaviour, items: list[tuple[int, int]]) -> tuple[Clock, int] | None:
    for pattern in (_LAST, _STOPPED):
        for match in pattern.finditer(note.text):
            spoken_of = _count_spoken_of(note, match.start(), match.end())
            if spoken_of != behaviour.name or not any(abs(match.start() - e) < 220 for _, e in items):
                continue
            end = note.sentence_of(match.start())[1]
            clock = next(
                (
                    c
                    for c in note.clocks
                    if match.end() <= c.start + 3 and c.start < min(end, match.end() + 45)
                ),
                None,
            )
            if clock and not _OTHER_TOPIC.search(
                note.text[match.end() : clock.start].replace("with dinner", "").replace("after dinner", "")
            ):
                return clock, match.start()
    return None


def _count_spoken_of(note: Note, start: int, end: int) -> str:
    """Whose "last one": the counted behaviour named in the words themselves, else the one named last before."""
    best, place = "", -1
    for behaviour in behaviours().values():
        if behaviour.rule != "count":
            continue
        nouns = re.compile(
            rf"\b(?:{behaviour.options['items']}|{behaviour.options['generic']}|{behaviour.options['loose_alone'] or '(?!)'}".replace(
                "\n", ""
            )
            + r")\b"
        )
        if nouns.search(note.text[start:end]):
            return behaviour.name
        places = [m.start() for m in nouns.finditer(note.text[:start])]
        if places and places[-1] > place:
            best, place = behaviour.name, places[-1]
    return best


def _clocks_beside(note: Note, start: int, end: int) -> list[Clock]:
    """Clock times that belong to the item: after it up to the next topic, or just before it ("at ten a coffee")."""
    first, last = _reach(note, start, end)
    after = [c for c in note.clocks if end <= c.start + 3 and c.start < last]
    before = [
        c
        for c in note.clocks
        if c.end <= start
        and start - c.end < 16
        and c.start >= first
        and re.fullmatch(r" ?,?(?: ?(?:oclock|in the \w+|i had|i drank|had))* ?", note.text[c.end : start])
    ]
    return after or before


def _reach(note: Note, start: int, end: int) -> tuple[int, int]:
    """The part of the sentence that speaks of the item: up to the next topic or the next counted thing."""
    first, last = note.sentence_of(start)
    topic = _OTHER_TOPIC.search(
        re.sub(
            r"(?:with|after|at|before) (?:dinner|lunch|breakfast|bed|work|my run)|from work",
            lambda m: "_" * len(m.group()),
            note.text[:last],
        ),
        end,
    )
    last = min([last, *([topic.start()] if topic else [])])
    for behaviour in behaviours().values():
        if behaviour.rule == "count":
            nouns = re.compile(rf"\b(?:{behaviour.options['items']})\b".replace("\n", ""))
            after = nouns.search(note.text[:last], end + 1)
            if after and not is_denied(note, after.start(), after.end()):
                last = min(last, after.start())
    return first, last


def _sensible(clock: Clock, earliest: int) -> int:
    """A bare "at nine" of a coffee is the morning, "at four" the afternoon; a beer's "at one" is after noon."""
    return earliest


def _night_order(time: str) -> int:
    """Minutes since 04:00, so that one at night comes after eleven."""
    hour, minute = (int(part) for part in time.split(":"))
    return ((hour - 4) * 60 + minute) % 1440


def _candidate(
    name: str, note: Note, start: int, end: int, time: str, rule: str, confidence: float
) -> Candidate:
    clause = note.clause_at(start)
    return Candidate(
        name,
        "time",
        start,
        end,
        rule,
        confidence * (0.85 if clause.doubt else 1.0),
        unit="HH:MM",
        clock_time=time,
    )
