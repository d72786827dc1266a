"""The last meal: its time where one is said, and whether it was late."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.clocks import Clock
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied, judged

__all__ = ["read_meal"]

_DINNER_FROM, _FOOD_FROM = 16, 13
"""The earliest hour that a bare "at five" means for a dinner, and for food by its name."""
_LAST_FROM, _NIGHT_ENDS = "15:00", "04:00"
_TOPIC = phrase("meal", "topic")
_DAY_MEAL = phrase("meal", "day_meal")
_LED_IN = phrase("meal", "led_in")
_OTHER_SUBJECT = phrase("meal", "other_subject")
_BOUND_BEFORE = re.compile(r"(?:nothing|none|no \w+|not \w+) $")
_BOUNDS = frozenset({"before", "after", "since", "from", "past"})
_UNTIL = re.compile(
    r"(?:\bnot|n't) (?:\w+ ){0,4}?"
    r"(?:eat|(?:dinner|supper|food|a meal|a bite)|eaten)\b[^.;,]{0,20}\b(?:until|till|til|before)\b"
)
"""What is no denial: "we did not eat until ten"."""
_SURE, _UNSURE = 0.85, 0.68
_FEW = 5
"""Words between a meal and its time from which the time may be another's: to be confirmed."""
_REACH, _REACH_BACK = 52, 16


def read_meal(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """`last_meal_time` from a meal with a clock time; `late_meal` from the words, or from a time after 21:00."""
    times = _times(note, behaviour)
    late_from = behaviour.options["late_from"]
    found: list[Candidate | None] = [*times]
    for time in times:
        if time.clock_time >= late_from or time.clock_time < _NIGHT_ENDS:
            found.append(
                Candidate(
                    behaviour.name, "yes", time.start, time.end, f"meal at {late_from} or later", time.confidence,
                    day_shift=time.day_shift, is_plan=time.is_plan,
                )
            )  # fmt: skip
    found += _said_late(note, behaviour, times)
    found += _said_not_late(note, behaviour)
    return [c for c in found if c is not None]


def _said_late(note: Note, behaviour: Behaviour, times: list[Candidate]) -> list[Candidate | None]:
    not_late = behaviour.pattern("not_yes_words")
    found: list[Candidate | None] = []
    for match in behaviour.pattern("yes_words").finditer(note.text):
        if not_late.search(note.text, max(0, match.start() - 6), min(len(note.text), match.end() + 1)):
            continue
        denied = is_denied(note, *match.span())
        early = any(
            _LAST_FROM <= t.clock_time < "20:30"
            and note.sentence_of(t.start) == note.sentence_of(match.start())
            for t in times
        )
        if early and not denied:
            continue
        kind, rule = ("no", "denied") if denied else ("yes", "said late")
        found.append(judged(note, Candidate(behaviour.name, kind, *match.span(), rule, _SURE)))
    return found


def _said_not_late(note: Note, behaviour: Behaviour) -> list[Candidate | None]:
    """ "Nothing after six": unless that was said of drinks, or of the time before the evening."""
    found: list[Candidate | None] = []
    for match in behaviour.pattern("no_words").finditer(note.text):
        first, _ = note.sentence_of(match.start())
        plain = behaviour.pattern("food_words").search(match.group()) is not None
        story = note.sentence_of(first - 1)[0] if first else 0
        before = note.text[
            first if _OTHER_SUBJECT.search(note.text, first, match.start()) else story : match.start()
        ]
        if not plain and not behaviour.pattern("words").search(before):
            continue
        clock = next((c for c in note.clocks if match.start() < c.start < match.end() + 12), None)
        if clock is not None and clock.resolve(_FOOD_FROM) < _LAST_FROM:
            continue
        found.append(judged(note, Candidate(behaviour.name, "no", *match.span(), "said nothing late", _SURE)))
    return found


def _times(note: Note, behaviour: Behaviour) -> list[Candidate]:
    barred = [m.span() for m in behaviour.pattern("not_words").finditer(note.text)]
    dinner = behaviour.pattern("dinner_words")
    found = []
    for match in behaviour.pattern("words").finditer(note.text):
        if any(a <= match.start() < b for a, b in barred):
            continue
        if _LED_IN.search(note.text[max(0, match.start() - 28) : match.start()]):
            continue
        clause = note.clause_at(match.start())
        until = _UNTIL.search(note.text, clause.start, clause.end)
        if (is_denied(note, *match.span()) and not until) or _DAY_MEAL.search(
            note.text, clause.start, clause.end
        ):
            continue
        clock = _clock_of(note, match)
        if clock is None:
            continue
        time = clock.resolve(_DINNER_FROM if dinner.fullmatch(match.group()) else _FOOD_FROM)
        if not (time >= _LAST_FROM or time < _NIGHT_ENDS):
            continue  # a meal earlier in the day is not the last one
        start, end = min(match.start(), clock.start), max(match.end(), clock.end)
        said = Candidate(
            behaviour.options["time"],
            "time",
            start,
            end,
            "meal with its time",
            _SURE,
            unit="HH:MM",
            clock_time=time,
        )
        if note.clause_at(clock.start).others:
            continue
        apart = note.text[min(match.end(), clock.end) : max(match.start(), clock.start)]
        if len(apart.split()) > _FEW or (apart.count(",") and clock.end <= match.start()):
            said = replace(said, confidence=_UNSURE)
        weighed = judged(note, said)
        if weighed:
            found.append(weighed)
    return found


def _clock_of(note: Note, match: re.Match[str]) -> Clock | None:
    """The clock time behind the meal with nothing else between, else right before it."""
    first, last = note.sentence_of(match.start())
    after = [
        c
        for c in note.clocks
        if match.end() - 1 <= c.start < min(last, match.end() + _REACH)
        and c.lead not in _BOUNDS
        and not _TOPIC.search(note.text[match.end() : c.start])
        and not _BOUND_BEFORE.search(note.text[max(0, c.start - 24) : c.start])
    ]
    if after:
        return after[0]
    before = [
        c
        for c in note.clocks
        if first <= c.start
        and c.end <= match.start() < c.end + _REACH_BACK
        and c.lead not in _BOUNDS
        and not re.search(r"[;.]|\b(?:and|then)\b", note.text[c.end : match.start()])
        and not _TOPIC.search(note.text[c.end : match.start()])
        and not _claimed(note, first, c)
    ]
    return before[-1] if before else None


def _claimed(note: Note, first: int, clock: Clock) -> bool:
    """Whether a time belongs to what is said before it: "last coffee at 4, pizza"."""
    return (
        "," in note.text[clock.end : clock.end + 2]
        and _TOPIC.search(note.text, first, clock.start) is not None
    )
