"""Plans with a clock time: when to bed, when up. What has been (``went to bed at one``) WHOOP knows better."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.clocks import Clock
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied, judged

__all__ = ["read_bedtime"]

_REACH, _REACH_BACK = 40, 22
_BARE = phrase("bedtime", "bare")
_TOPIC = phrase("bedtime", "topic")
_SURE, _SHORT = 0.85, 5


def read_bedtime(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The planned time, from the clock time nearest after (or just before) the words."""
    past, other = behaviour.pattern("past_words"), behaviour.pattern("not_words")
    needs_plan = behaviour.pattern("plan_words")
    barred = [m.span() for m in other.finditer(note.text)]
    found: list[Candidate] = []
    for match in behaviour.pattern("words").finditer(note.text):
        clause = note.clause_at(match.start())
        if any(a < match.end() and match.start() < b for a, b in barred):
            continue
        if past.search(note.text, clause.start, match.end()) or is_denied(note, *match.span(), reach=3):
            continue
        clock = _clock_of(note, match, past)
        if clock is None or (
            needs_plan and needs_plan.fullmatch(match.group()) and not _planned(note, match, clock)
        ):
            continue
        time = clock.resolve(int(behaviour.options["earliest_hour"]))
        if not _makes_sense(behaviour.name, time):
            continue
        said = Candidate(
            behaviour.name, "time", min(match.start(), clock.start), max(match.end(), clock.end),
            "plan with its time", _SURE, unit="HH:MM", clock_time=time, is_plan=True,
        )  # fmt: skip
        weighed = judged(note, said, plans_count=True)
        if weighed is None or weighed.day_shift < 0:
            continue
        if behaviour.options.get("next_day") and weighed.day_shift == 0:
            weighed = replace(weighed, day_shift=1)
        found.append(weighed)
    return found[-1:]


def _planned(note: Note, match: re.Match[str], clock: Clock) -> bool:
    return note.clause_at(match.start()).plan or note.clause_at(clock.start).plan


def _clock_of(note: Note, match: re.Match[str], past: re.Pattern[str]) -> Clock | None:
    """The clock time after the words, a bare number right after them ("bed: 10"), or a time just before them."""
    first, last = note.sentence_of(match.start())
    for clock in note.clocks:
        if not match.end() - 2 <= clock.start < min(last, match.end() + _REACH):
            continue
        between = note.text[match.end() : clock.start]
        if _TOPIC.search(between) or past.search(between) or clock.lead in ("since", "from"):
            break
        return clock
    bare = _BARE.match(note.text, match.end())
    if (
        bare
        and not any(c.start <= bare.start(1) < c.end for c in note.clocks)
        and 1 <= int(bare.group(1)) <= 12
    ):
        return Clock(bare.start(1), bare.end(1), int(bare.group(1)) * 60 % 1440, True)
    for clock in reversed(note.clocks):
        if first <= clock.start and clock.end <= match.start() < clock.end + _REACH_BACK:
            return None if _TOPIC.search(note.text[clock.end : match.start()]) else clock
    return None


def _makes_sense(name: str, time: str) -> bool:
    """Bed from 18:00 to 05:00, up from 03:00 to 14:00."""
    if name == "planned_bedtime":
        return time >= "18:00" or time <= "05:00"
    return "02:00" <= time <= "14:00"
