"""From the words of a note to its facts: what is left of the text once a program's is out, in which language it is, and
how sure each fact is once the telling is known (its time of day, how surely each word was heard)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from journal_analysis.extraction import JournalFact, extract
from journal_analysis.languages import language_of_text
from journal_analysis.machine_text import blanked
from journal_analysis.strangers import is_strangers_story
from journal_analysis.telling import Spoken
from journal_analysis.transcript import Transcript, uncertain_spans

if TYPE_CHECKING:
    from datetime import date

__all__ = ["ASKED", "Reading", "read_facts"]

ASKED = 0.45
"""Confidence of a fact that must be asked and not counted: below `extraction.ACCEPTED_FROM` and what the models use."""

_MOST = {
    "drinks": 40,
    "minutes": 1440,
    "hours": 24,
    "min": 1440,
    "h": 24,
    "servings": 40,
    "cups": 40,
    "0-10": 10,
}
_MOST_OF_ANYTHING = 100_000
_SMALL_WORDS = frozenset(
    "a an the and or of to in on at i my we so then just like um uh er was were is had it that".split()
)
_MORNING_UNTIL_MIN, _ROLLOVER_MIN = 12 * 60, 4 * 60
_SURELY_AHEAD_MIN = 180


@dataclass(frozen=True)
class Reading:
    """The facts of a note, and its language (ISO 639-1); a note that is not English has no facts."""

    facts: tuple[JournalFact, ...]
    language: str


def read_facts(text: str, spoken: Spoken | None, heard: Transcript | None = None) -> Reading:
    """Read a note; a stranger's story has no facts, whatever happens in it.

    Parameters
    ----------
    text : str
        As typed or transcribed.
    spoken : Spoken, optional
        When it was told; without it weekday names mean nothing.
    heard : Transcript, optional
        With the probability of each word; a fact that rests on words heard unsurely is asked and not counted.
    """
    day = spoken.day if spoken else None
    read = [_plausible(f) for f in extract(blanked(text), day) if _is_finite(f)]
    language = language_of_text(text, found=len(read), heard=heard.language if heard else None)
    if language != "en":
        return Reading((), language)
    if is_strangers_story(text):
        return Reading((), language)
    facts = _told_of_yesterday(read, spoken.minutes_of_day, spoken.day) if spoken else read
    if heard is not None:
        doubtful = uncertain_spans(text, heard.words)
        facts = [_asked(f, "heard unsurely") if _rests_on(f.quote, text, doubtful) else f for f in facts]
    return Reading(tuple(facts), language)


def _is_finite(fact: JournalFact) -> bool:
    return fact.amount is None or math.isfinite(fact.amount)


def _plausible(fact: JournalFact) -> JournalFact:
    """An amount that nobody has in a day is asked."""
    most = _MOST.get(fact.unit, _MOST_OF_ANYTHING)
    return _asked(fact, "more than likely") if (fact.amount or 0.0) > most else fact


def _asked(fact: JournalFact, why: str) -> JournalFact:
    return replace(fact, confidence=min(fact.confidence, ASKED), rule=f"{fact.rule}; {why}")


def _rests_on(quote: str, text: str, doubtful: Sequence[tuple[int, int]]) -> bool:
    """Whether a word of weight within the quote was heard unsurely, wherever the quote stands."""
    if not doubtful or not quote:
        return False
    spans = [(m.start(), m.end()) for m in re.finditer(re.escape(quote), text)] or [(0, len(text))]
    return all(
        any(a < e and s < b and _has_weight(text[max(a, s) : min(b, e)]) for s, e in doubtful)
        for a, b in spans
    )


def _has_weight(piece: str) -> bool:
    return any(word not in _SMALL_WORDS for word in re.findall(r"[a-z0-9']+", piece.lower()))


def _told_of_yesterday(facts: list[JournalFact], told_min: int, day: date) -> list[JournalFact]:
    """In a morning note "last drink at ten in the evening" is of the evening before: what was done can't lie ahead."""
    if not _ROLLOVER_MIN <= told_min < _MORNING_UNTIL_MIN:
        return facts
    ahead = {f.behaviour for f in facts if f.day_shift == 0 and not f.is_plan and _lies_ahead(f, told_min)}
    ahead |= {name.removesuffix("_last_time") for name in ahead}
    moved = {(f.behaviour, f.is_plan) for f in facts if f.day_shift == -1}
    return [
        replace(f, day_shift=-1, day=day - timedelta(days=1))
        if f.behaviour in ahead and f.day_shift == 0 and not f.is_plan and (f.behaviour, False) not in moved
        else f
        for f in facts
    ]


def _lies_ahead(fact: JournalFact, told_min: int) -> bool:
    if fact.kind != "time" or fact.behaviour.startswith("planned_"):
        return False
    hour, minute = (int(part) for part in fact.clock_time.split(":"))
    since_rollover = (hour * 60 + minute - _ROLLOVER_MIN) % 1440
    return since_rollover > told_min - _ROLLOVER_MIN + _SURELY_AHEAD_MIN
