"""Which day the words speak of: "yesterday", "last night", "on Saturday", "Sat:", "two days ago", "tomorrow"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from journal_analysis.phrases import phrase

__all__ = ["DayWords", "carries_on", "day_words", "header_shift", "says_today", "sets_the_scene"]

_CALENDAR = "monday tuesday wednesday thursday friday saturday sunday".split()
_TODAY = phrase("days", "today")
_YESTERDAY = phrase("days", "yesterday")
_BEFORE_YESTERDAY = phrase("days", "before_yesterday")
_DAYS_AGO = phrase("days", "days_ago")
_AFTER_TOMORROW = phrase("days", "after_tomorrow")
_TOMORROW = phrase("days", "tomorrow")
_WEEKDAY = phrase("days", "weekday")
_AHEAD = phrase("days", "ahead")
_PAST = phrase("clauses", "past")
_PLAN = phrase("clauses", "plan")
_HEADER = phrase("days", "header")
_TITLE = phrase("days", "title")
_SCENE = phrase("days", "scene")
_OCCASION = phrase("days", "occasion")
_CARRIES_ON = phrase("days", "carries_on")
_LINK = phrase("clauses", "link")
_SLEPT = phrase("days", "slept")
"""Last night's sleep ended this morning: it belongs to this wake day."""
_I_GO = re.compile(r"\b(?:i|we) (?:drive|fly|go|have|get|take|leave|start|race|run|travel|play|swim|ride)\b")
_EVENT = re.compile(
    r"\b(?:race|marathon|match|flight|exam|tournament|competition|triathlon|trip|intervals|run|ride|gym|physio|back|"
    r"training|session|long run|swim)\b"
)
"""What is told ahead of its day: "race on Sunday"."""
_LEADING_WORDS = 1


@dataclass(frozen=True)
class DayWords:
    """The day that a piece of text names: days from the entry's, whether it leads the piece, whether it is ahead."""

    shift: int
    leads: bool


def says_today(piece: str) -> bool:
    """Whether the words speak of the entry's own day."""
    return _TODAY.search(piece) is not None


def header_shift(sentence: str, entry_day: date | None) -> int | None:
    """Days back that a heading names: "Sat: 2 hours ride", "Yesterday -", "journal for Tuesday"; else None."""
    match = _TITLE.search(sentence[:80]) or _HEADER.match(sentence)
    if not match:
        return None
    day = match.group("day")
    if day == "today":
        return 0
    if day in ("yesterday", "last night"):
        return -1
    if entry_day is None:
        return 0
    back = (entry_day.weekday() - _CALENDAR.index(day)) % 7
    return -back


def sets_the_scene(sentence: str) -> bool:
    """Whether a sentence only says when: what follows in the past tense was then too."""
    return (
        _SCENE.search(sentence) is not None
        and _OCCASION.search(sentence) is not None
        and not says_today(sentence)
    )


def carries_on(sentence: str) -> bool:
    """Whether a sentence goes on with the story of the one before ("then", "later that night", "after that")."""
    return _CARRIES_ON.match(sentence) is not None


def day_words(piece: str, entry_day: date | None) -> DayWords | None:
    """The day that a piece of text names, or None where it names none."""
    for pattern, shift in (
        (_BEFORE_YESTERDAY, -2),
        (_AFTER_TOMORROW, 2),
        (_TOMORROW, 1),
    ):
        match = pattern.search(piece)
        if match:
            return DayWords(shift, _leads(piece, match))
    match = _DAYS_AGO.search(piece)
    if match:
        return DayWords(-int(match.group(1)), _leads(piece, match))
    match = _WEEKDAY.search(piece)
    if match and not _TITLE.search(piece):
        shift = _weekday_shift(match, piece, entry_day)
        return None if shift is None else DayWords(shift, _leads(piece, match))
    match = _YESTERDAY.search(_SLEPT.sub(lambda m: " " * len(m.group()), piece))
    return DayWords(-1, _leads(piece, match)) if match else None


def _weekday_shift(match: re.Match[str], piece: str, entry_day: date | None) -> int | None:
    """A weekday ahead where the words look ahead, else the last such day (today where it is today)."""
    lead = match.group("lead") or ""
    looks_ahead = _AHEAD.match(lead) is not None or (
        _PAST.search(piece) is None and lead.strip() in ("", "on", "this") and _PLAN.search(piece) is not None
    )
    looks_ahead = looks_ahead or (_PAST.search(piece) is None and _I_GO.search(piece) is not None)
    if entry_day is None:
        return None if looks_ahead or not lead else -7
    ahead = (_CALENDAR.index(match.group("day")) - entry_day.weekday()) % 7
    if looks_ahead:
        return ahead or 7 * int(lead.startswith("next"))
    if lead.startswith("last") and not ahead:
        return -7
    if not lead.startswith("last") and _PAST.search(piece) is None and _EVENT.search(piece):
        return ahead
    return ahead - 7 if ahead else 0


def _leads(piece: str, match: re.Match[str]) -> bool:
    return len(re.findall(r"[a-z0-9']+", _LINK.sub("", piece[: match.start()]))) <= _LEADING_WORDS
