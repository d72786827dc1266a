"""Plans with a clock time: when to bed, when up. What has been (``went to bed at one``) WHOOP knows better."""

from __future__ import annotations

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.rules.candidate import Candidate, judged

__all__ = ["read_bedtime"]

_REACH = 34


def read_bedtime(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """The planned time, from the clock time nearest after (or just before) the words."""
    past, other = behaviour.pattern("past_words"), behaviour.pattern("not_words")
    barred = [m.span() for m in other.finditer(note.text)]
    found = []
    for match in behaviour.pattern("words").finditer(note.text):
        first, last = note.sentence_of(match.start())
        clause = note.clause_at(match.start())
        if any(a <= match.start() < b or a < match.end() <= b for a, b in barred) or past.search(
            note.text[clause.start : match.end()]
        ):
            continue
        clock = next(
            (c for c in note.clocks if match.end() - 2 <= c.start < min(last, match.end() + _REACH)), None
        )
        clock = clock or next(
            (
                c
                for c in reversed(note.clocks)
                if first <= c.start and c.end <= match.start() and match.start() - c.end < 18
            ),
            None,
        )
        if clock is None or past.search(note.text[match.end() : clock.start]):
            continue
        time = clock.resolve(int(behaviour.options["earliest_hour"]))
        if not _makes_sense(behaviour.name, time):
            continue
        start, end = min(match.start(), clock.start), max(match.end(), clock.end)
        weighed = judged(
            note,
            Candidate(
                behaviour.name,
                "time",
                start,
                end,
                "plan with its time",
                0.85,
                unit="HH:MM",
                clock_time=time,
                is_plan=True,
            ),
            plans_count=True,
        )
        if weighed and weighed.day_shift >= 0:
            found.append(weighed)
    return found[-1:]


def _makes_sense(name: str, time: str) -> bool:
    """Bed from 18:00 to 05:00, up from 03:00 to 14:00."""
    if name == "planned_bedtime":
        return time >= "18:00" or time <= "05:00"
    return "03:00" <= time <= "14:00"
