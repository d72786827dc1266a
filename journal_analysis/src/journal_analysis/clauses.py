"""What a sentence is about, who did it, whether it was done, and when: the context that every rule shares.

A note is cut into clauses. Each clause knows its sentence, its subject (the speaker or somebody else), whether it
tells a plan, which day it speaks of, and how sure the speaker sounds. Rules look for their words and ask here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from journal_analysis.clocks import Clock, Duration, find_clocks, find_durations
from journal_analysis.phrases import phrase
from journal_analysis.spoken import Canonical, canonical

__all__ = ["Clause", "Note", "read_note"]

_SENTENCE_END = re.compile(r"[.!?;]+(?=\s|$)|\n+")
_CLAUSE_BREAK = phrase("clauses", "clause_break")
_SOMEBODY_ELSE = phrase("clauses", "somebody_else")
_SPEAKER = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|we|we're|we've|we'd|we'll|me|myself|for me)\b")
_NAMED = phrase("clauses", "named")
_LINK = phrase("clauses", "link")
_NAMED_FIRST = phrase("clauses", "named_first")
_NO_NAME = frozenset(
    "i we just then only still finally later tonight today yesterday also never already afterwards after once again "
    "always lunch dinner breakfast work training and but so everyone nobody somehow luckily instead maybe probably "
    "actually "
    "stress sleep evening morning afternoon have not usually normally otherwise obviously sadly unfortunately".split()
)
"""Words that open a sentence with "had" behind them and are nobody's name."""
_CALENDAR = "monday tuesday wednesday thursday friday saturday sunday"

_PLAN = phrase("clauses", "plan")
_PLAN_UNDONE = phrase("clauses", "plan_undone")
_PLAN_FRONT = phrase("clauses", "plan_front")
_CONDITIONAL = phrase("clauses", "conditional")
_DOUBT = phrase("clauses", "doubt")
_TODAY = phrase("clauses", "today")
_PRESENT = re.compile(r"\b(?:is|am|are|i'm|it's|feel|feeling)\b")
_YESTERDAY = phrase("clauses", "yesterday")
_SCENE = re.compile(r"^[^\d]*\byesterday\b[^\d]*$")
"""A sentence that only sets the scene ("we had a party yesterday"): what follows in the past tense was then too."""
_BEFORE_YESTERDAY = re.compile(r"\b(?:day before yesterday|2 (?:days|nights|evenings) ago)\b")
_DAYS_AGO = re.compile(r"\b(\d) (?:days|nights) ago\b")
_WEEKDAY = phrase("clauses", "weekday")
_HEADER = phrase("clauses", "header")
_SLEPT = phrase("clauses", "slept")
"""Last night's sleep ended this morning: it belongs to this wake day."""
_USUALLY = phrase("clauses", "usually")


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence at canonical [start, end) and what can be said of it as a whole."""

    start: int
    end: int
    sentence: int
    sentence_start: int
    sentence_end: int
    others: bool
    plan: bool
    unreal: bool
    doubt: bool
    habit: bool
    day_shift: int
    day_is_said: bool
    day_is_carried: bool


@dataclass(frozen=True)
class Note:
    """A text made ready for the rules: canonical form, clauses, clock times and durations."""

    canonical: Canonical
    clauses: tuple[Clause, ...]
    clocks: tuple[Clock, ...]
    durations: tuple[Duration, ...]

    @property
    def text(self) -> str:
        """The canonical text."""
        return self.canonical.text

    def clause_at(self, position: int) -> Clause:
        """The clause that holds a canonical position."""
        return next((c for c in self.clauses if c.start <= position < c.end), self.clauses[-1])

    def sentence_of(self, position: int) -> tuple[int, int]:
        """Canonical [start, end) of the sentence that holds a position."""
        clause = self.clause_at(position)
        return clause.sentence_start, clause.sentence_end


def read_note(original: str, entry_day: date | None = None) -> Note:
    """Cut a text into clauses and settle subject, plan and day of each.

    Parameters
    ----------
    original : str
        Transcript or typed text.
    entry_day : date, optional
        The wake day of the entry; weekday names ("on Saturday") are only understood with it.
    """
    text = canonical(original)
    sentences = _sentences(text.text)
    base_shift = _header_shift(text.text, entry_day)
    clauses: list[Clause] = []
    carried = 0
    for number, (start, end) in enumerate(sentences):
        sentence = text.text[start:end]
        said = _day_shift(sentence, entry_day)
        shift = said if said is not None else base_shift
        is_carried = False
        if said is None and carried and not _TODAY.search(sentence) and not _PRESENT.search(sentence):
            shift, is_carried = carried, True
        elif carried and (_TODAY.search(sentence) or _PRESENT.search(sentence)):
            carried = 0
        if said is not None and _SCENE.search(sentence) and not _TODAY.search(sentence):
            carried = said
        clauses += _clauses_of(text, number, start, end, shift, said is not None, is_carried, entry_day)
    if not clauses:
        clauses = [Clause(0, len(text.text), 0, 0, len(text.text), *([False] * 5), base_shift, False, False)]
    return Note(text, tuple(clauses), tuple(find_clocks(text.text)), tuple(find_durations(text.text)))


def _sentences(text: str) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        bounds.append((start, match.end()))
        start = match.end()
    bounds.append((start, len(text)))
    return [(a, b) for a, b in bounds if text[a:b].strip()]


def _clauses_of(
    text: Canonical,
    number: int,
    start: int,
    end: int,
    shift: int,
    said: bool,
    carried: bool,
    entry_day: date | None,
) -> list[Clause]:
    sentence = text.text[start:end]
    cuts = [start] + [start + m.start() for m in _CLAUSE_BREAK.finditer(sentence) if m.start() > 0] + [end]
    clauses, others, plan = [], False, False
    for first, last in zip(cuts, cuts[1:], strict=False):
        piece = text.text[first:last]
        spoken_piece = _LINK.sub("", piece)
        named = _NAMED.search(" " + text.quote(first, last)) if first > start else None
        opening = _NAMED_FIRST.search(text.quote(first, last)) if first == start else None
        if (
            _SOMEBODY_ELSE.search(spoken_piece)
            or (named and named.group(1).lower() not in _CALENDAR)
            or (
                opening
                and opening.group(1).lower() not in _NO_NAME
                and opening.group(1).lower() not in _CALENDAR
            )
        ):
            others = True
        elif _SPEAKER.search(spoken_piece):
            others = False
        if _PLAN_UNDONE.search(piece) or re.search(r"\b(?:did|had|was|were|drank|ate|took|went)\b", piece):
            plan = False
        if _PLAN.search(_PLAN_FRONT.sub("", piece)) and not _PLAN_UNDONE.search(piece):
            plan = True
        own = _day_shift(piece, entry_day)
        todays = own is None and _TODAY.search(piece)
        day_shift = own if own is not None else (0 if todays else shift)
        clauses.append(
            Clause(
                first, last, number, start, end,
                others=others,
                plan=plan,
                unreal=bool(_CONDITIONAL.search(piece))
                or bool(_PLAN_UNDONE.search(piece) and "as planned" not in piece),
                doubt=bool(_DOUBT.search(piece)),
                habit=bool(_USUALLY.search(piece)),
                day_shift=day_shift,
                day_is_said=said or own is not None or bool(todays),
                day_is_carried=carried and not todays,
            )
        )  # fmt: skip
    return clauses


def _header_shift(text: str, entry_day: date | None) -> int:
    """Days back that the opening names: "journal for Tuesday" told on Wednesday morning is the day before."""
    match = _HEADER.search(text[:80])
    if not match:
        return 0
    if match.group(1):
        return -1
    if entry_day is None:
        return 0
    back = (entry_day.weekday() - _CALENDAR.split().index(match.group(2))) % 7
    return -back if back <= 2 else 0


def _day_shift(piece: str, entry_day: date | None) -> int | None:
    """Days from the entry's day to the day that the words name, or None where they name none."""
    if _BEFORE_YESTERDAY.search(piece):
        return -2
    ago = _DAYS_AGO.search(piece)
    if ago:
        return -int(ago.group(1))
    if re.search(r"\bday after tomorrow\b", piece):
        return 2
    if re.search(r"\btomorrow\b", piece):
        return 1
    weekday = _WEEKDAY.search(piece)
    if weekday and not _HEADER.search(piece):
        if entry_day is None:
            return None if re.match(r"this|for", weekday.group()) else -7
        ahead = (_CALENDAR.split().index(weekday.group(1)) - entry_day.weekday()) % 7
        if re.match(r"next|until|for", weekday.group()) or _PLAN.search(piece):
            return ahead
        return ahead - 7 if ahead else (0 if weekday.group().startswith(("on", "this")) else -7)
    if _YESTERDAY.search(_SLEPT.sub("", piece)):
        return -1
    return None


def shifted(entry_day: date, shift: int) -> date:
    """The day that a clause speaks of."""
    return entry_day + timedelta(days=shift)
