"""The last meal: its time where one is said, and whether it was late."""

from __future__ import annotations

import re

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied, judged

__all__ = ["read_meal"]

_EVENING_HOUR = 16
_TOPIC = phrase("meal", "topic")


def read_meal(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """`last_meal_time` from a meal with a clock time; `late_meal` from the words, or from a time after 21:00."""
    found: list[Candidate] = []
    times = _times(note, behaviour)
    found += times
    late_from = behaviour.options["late_from"]
    for time in times:
        if not time.is_plan and (time.clock_time >= late_from or time.clock_time < "04:00"):
            found.append(
                Candidate(
                    behaviour.name,
                    "yes",
                    time.start,
                    time.end,
                    f"meal at {late_from} or later",
                    time.confidence,
                    day_shift=time.day_shift,
                )
            )
    not_late = behaviour.pattern("not_yes_words")
    for match in behaviour.pattern("yes_words").finditer(note.text):
        if not_late.match(note.text, match.start()) or not_late.search(
            note.text[match.start() - 6 : match.end() + 1]
        ):
            continue
        denied = is_denied(note, match.start(), match.end())
        early = any(
            not t.is_plan
            and "15:00" < t.clock_time < "20:30"
            and note.sentence_of(t.start) == note.sentence_of(match.start())
            for t in times
        )
        if early and not denied:
            continue
        weighed = judged(
            note,
            Candidate(
                behaviour.name,
                "no" if denied else "yes",
                match.start(),
                match.end(),
                "denied" if denied else "said late",
                0.85,
            ),
        )
        if weighed:
            found.append(weighed)
    return found


def _times(note: Note, behaviour: Behaviour) -> list[Candidate]:
    others = behaviour.pattern("not_words")
    barred = [m.span() for m in others.finditer(note.text)]
    found = []
    for match in behaviour.pattern("words").finditer(note.text):
        if any(a <= match.start() < b for a, b in barred) or re.search(
            r"\b(?:before|after|with|at|for|until) $", note.text[max(0, match.start() - 7) : match.start()]
        ):
            continue
        first, last = note.sentence_of(match.start())
        if is_denied(note, match.start(), match.end()):
            continue
        clock = next(
            (
                c
                for c in note.clocks
                if match.end() - 1 <= c.start < min(last, match.end() + 45)
                and not _TOPIC.search(note.text[match.end() : c.start])
            ),
            None,
        ) or next(
            (
                c
                for c in reversed(note.clocks)
                if first <= c.start
                and c.end <= match.start()
                and match.start() - c.end < 14
                and not re.search(r"[,;]|\b(?:and|then)\b", note.text[c.end : match.start()])
            ),
            None,
        )
        if clock is None or (
            _TOPIC.search(note.text[first : match.start()])
            and re.search(r"\b(?:breakfast|lunch|brunch)\b", note.text[first : match.start()])
        ):
            continue
        time = clock.resolve(_EVENING_HOUR)
        if not (time >= "15:00" or time < "04:00"):
            continue  # a meal earlier in the day is not the last one
        start, end = min(match.start(), clock.start), max(match.end(), clock.end)
        weighed = judged(
            note,
            Candidate(
                behaviour.options["time"],
                "time",
                start,
                end,
                "meal with its time",
                0.85,
                unit="HH:MM",
                clock_time=time,
            ),
        )
        if weighed:
            found.append(weighed)
    return found
