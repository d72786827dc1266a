"""Clock times and durations in a canonical text.

"at half past nine", "9:30 pm", "around 11", "22 15", "noon" are clock times; whether a bare "9" means morning or
evening depends on what it is about, so `Clock.resolve` asks for the earliest hour that makes sense there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import zip_longest

from journal_analysis.phrases import phrase

__all__ = ["Clock", "Duration", "find_clocks", "find_durations", "format_clock"]

_NOT_A_CLOCK = phrase("clocks", "not_a_clock").pattern
_LEAD = phrase("clocks", "lead").pattern
_ABOUT = r"(?:(?:about|around|like|almost|close to|nearly|maybe|roughly|exactly|approximately|say|just) )*"
_PATTERNS = (
    ("past", phrase("clocks", "past")),
    ("half", phrase("clocks", "half")),
    ("digits", phrase("clocks", "digits")),
    ("digits", re.compile(rf"{_LEAD}{_ABOUT}(\d{{1,2}})h(\d{{2}})?\b\s?(am|pm)?")),
    ("four", re.compile(rf"{_LEAD}{_ABOUT}([01]\d|2[0-3])([0-5][05])\b(?: ?h(?:ours)?\b)?{_NOT_A_CLOCK}")),
    ("four", re.compile(r"\b([01]\d|2[0-3])([0-5]\d) ?h(?:ours)?\b")),
    (
        "spoken",
        re.compile(
            rf"(?:{_LEAD}{_ABOUT}|(?<=\bplanned )|(?<=\bset for ))"
            r"(\d{1,2}) (\d{2})\b(?! minutes| min\b| percent)\s?(am|pm)?"
        ),
    ),
    ("spoken", re.compile(r"\b(\d{1,2}) (\d{2})\s?(am|pm)\b")),
    ("spoken", re.compile(r"\b(\d{1,2}) ([0-5][05])()(?= (?:or so|ish|sharp|on the dot|local)\b)")),
    (
        "spoken",
        re.compile(
            r"\b(?:dinner|supper|lights out|bedtime|alarm|the last(?: one| 1)?|"
            r"last (?:one|1|drink|coffee|chai|tea|beer))"
            r"(?: was| is| at)? (\d{1,2}) ([0-5][05])\b()(?!\s*(?:minutes|min\b|hours|km|g\b|mg|ml|percent|%))"
        ),
    ),
    ("spoken", re.compile(r"\b(\d{1,2}) (\d[05])()(?= (?:in the (?:morning|afternoon|evening)|at night)\b)")),
    (
        "spoken",
        re.compile(r"(?:, |\bwas |\bis |\bit's )\b(\d{1,2}) (\d[05])()(?=\s*(?:[,.;!]|$|in the|at night))"),
    ),
    ("hour", re.compile(r"\b(\d{1,2})\s?(am|pm|oclock)\b")),
    (
        "bare",
        re.compile(r"\b(\d{1,2}) (?=(?:in the (?:early |late )?(?:morning|evening|afternoon)|at night)\b)"),
    ),
    ("bare", re.compile(rf"{_LEAD}{_ABOUT}(\d{{1,2}})\b{_NOT_A_CLOCK}")),
    ("bare", re.compile(r"\((\d{1,2})(?=(?: ?(?:,|and|&) ?\d{1,2})+\))")),
    ("bare", re.compile(r"\b(?:dinner|supper|lights out)(?: at)? (\d{1,2})(?=\s*(?:[.,;)]|$|\n))(?![.,]\d)")),
    ("bare", re.compile(rf"\bclose to (\d{{1,2}})\b{_NOT_A_CLOCK}")),
    ("name", re.compile(r"\b(noon|midday|midnight)\b(?! (?:snack|feast|kebab))")),
)
_NEXT = re.compile(
    r"\s?(?:,|and|&|or|, ?and|then|\+|/)\s(?:again |then |at |1 at |another at |the other at )*"
    rf"(\d{{1,2}})(?:[:.](\d\d))?\s?(am|pm)?\b{_NOT_A_CLOCK}"
    r"(?=\s*(?:[,.;!)\n]|$|and\b|in the|at night|both|all))"
)
"""Further times of a list: "at 8, 11 and 3"."""
_LEADING = re.compile(r"\b(before|after|since|until|till|til|by|from|past|towards?)(?: about| around)? ?$")
_PART = phrase("clocks", "part")
_PART_BEFORE = phrase("clocks", "part_before")
_DURATION = phrase("clocks", "duration")
_DURATION_CLOCK = phrase("clocks", "duration_clock")
_METRES_OR_MINUTES = phrase("clocks", "metres_or_minutes")
_REPEATED = phrase("clocks", "repeated")
_EVERY = phrase("clocks", "every")
_A_TIME_TAKEN = re.compile(r"(?:\bin|time(?: of|:| was)?|pace(?: of)?|finished in|pb(?: of)?) $")
_CORRECTED = re.compile(
    r"[,. –-]*(?:no|sorry|actually|i mean|make that|wait|or rather|rather|scratch that)[,. ]+(?:\w+[,. ]+){0,2}"
)
"""Between two clock times: the second stands for the first."""
_BACK = 64
"""Characters before a match in which its lead-in is looked for."""


@dataclass(frozen=True)
class Clock:
    """A clock time at canonical [start, end): minutes after midnight, whether morning or evening is open, and the
    word that leads it in where that makes it a bound ("before", "after", "until", "by")."""

    start: int
    end: int
    minutes: int
    ambiguous: bool
    lead: str = ""

    def resolve(self, earliest_hour: int) -> str:
        """``HH:MM``; where am or pm was not said, the first such time at or after ``earliest_hour``."""
        minutes = self.minutes
        if self.ambiguous:
            first = minutes % 720
            minutes = next(m for m in (first, first + 720, first + 1440) if m >= earliest_hour * 60) % 1440
        return format_clock(minutes)


@dataclass(frozen=True)
class Duration:
    """A length of time at canonical [start, end), min; ``sets`` where it is the whole of repeated pieces."""

    start: int
    end: int
    minutes: float
    sets: int = 1


def find_clocks(text: str) -> list[Clock]:
    """Every clock time of a canonical text, in order, without overlaps (the fuller reading wins)."""
    found: list[Clock] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            _keep(found, _read(kind, match, text))
    for clock in list(found):
        reached: Clock | None = clock
        while reached:
            following = _NEXT.match(text, reached.end)
            reached = _keep(found, _listed(following, reached)) if following else None
    ordered = sorted(found, key=lambda c: c.start)
    told = [
        clock
        for clock, after in zip_longest(ordered, ordered[1:])
        if after is None or not _CORRECTED.fullmatch(text[clock.end : after.start])
    ]
    return [_with_lead(clock, text) for clock in told]


def _keep(found: list[Clock], clock: Clock | None) -> Clock | None:
    if clock is None or any(clock.start < c.end and c.start < clock.end for c in found):
        return None
    found.append(clock)
    return clock


def _listed(match: re.Match[str], before: Clock) -> Clock | None:
    """A further time of a list; it takes morning or evening from its own words only."""
    hour, minute = int(match.group(1)), int(match.group(2) or 0)
    half = match.group(3)
    if hour > 24 or minute > 59 or not hour:
        return None
    minutes = hour * 60 + minute
    if half == "pm" and hour < 12:
        minutes += 720
    elif half == "am" and hour == 12:
        minutes -= 720
    return Clock(match.start(1), match.end(), minutes % 1440, half is None and hour < 13)


def _with_lead(clock: Clock, text: str) -> Clock:
    lead = _LEADING.search(text[max(0, clock.start - _BACK) : clock.start])
    return replace(clock, lead=lead.group(1)) if lead else clock


def find_durations(text: str) -> list[Duration]:
    """Every duration of a canonical text; "2 x 10 minutes" is one of 20 with two ``sets``."""
    found = []
    for match in _DURATION.finditer(text):
        before = text[max(0, match.start() - _BACK) : match.start()]
        low, high, unit, extra = match.groups()
        amount = (float(low) + float(high)) / 2 if high and float(high) > float(low) else float(high or low)
        scale = {"h": 60.0, "s": 1 / 60}.get(unit[0], 1.0)
        minutes = amount * scale + float(extra or 0)
        repeated = _REPEATED.search(before)
        if repeated:
            times = int(repeated.group(1))
            start = match.start() - len(repeated.group())
            found.append(Duration(start, match.end(), minutes * times, sets=times))
        elif not _EVERY.search(before):
            found.append(Duration(match.start(), match.end(), minutes))
    for match in _DURATION_CLOCK.finditer(text):
        found.append(Duration(match.start(), match.end(), 60.0 * int(match.group(1)) + int(match.group(2))))
    for match in _METRES_OR_MINUTES.finditer(text):
        found.append(Duration(match.start(), match.end(), float(match.group(1))))
    return sorted((d for d in found if d.minutes), key=lambda d: d.start)


def format_clock(minutes: int) -> str:
    """``HH:MM`` of minutes after midnight."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _read(kind: str, match: re.Match[str], text: str) -> Clock | None:
    """One match as a clock time, or None where it can't be one."""
    if kind == "name":
        return Clock(match.start(), match.end(), 0 if match.group(1) == "midnight" else 720, False)
    if kind == "digits" and _A_TIME_TAKEN.search(text[max(0, match.start() - _BACK) : match.start()]):
        return None  # "5k in 22:30"
    if kind == "past" and text.endswith("from ", 0, match.start()):
        return None  # "from 5 to 8"
    said = _past(match) if kind == "past" else _hour_and_minute(kind, match)
    if said is None:
        return None
    hour, minutes, half = said
    half = half if half in ("am", "pm") else _part_of_day(text, match, minutes)
    if half == "pm" and hour == 12 and _part_of_night(text, match.end()):
        half = "am"  # twelve at night
    if half == "pm" and minutes < 720:
        minutes += 720
    elif half == "am" and hour == 12:
        minutes -= 720
    leading_zero = kind in ("digits", "four") and match.group(1).startswith("0")
    settled = half is not None or hour >= 13 or hour == 0 or leading_zero or kind == "four"
    start = match.start(1) if kind in ("bare", "four", "spoken") else match.start()
    return Clock(start, match.end(), minutes % 1440, not settled)


def _past(match: re.Match[str]) -> tuple[int, int, str | None] | None:
    """(hour, minutes, am or pm) of "half past nine", "ten to eight", "quarter past noon"."""
    part, direction, hour_text, half = match.groups()
    part = part.removeprefix("a ")
    if (part == "half" and direction != "past") or (direction == "of" and part != "quarter"):
        return None
    if part[0].isdigit() and direction in ("after", "before"):
        return None
    shift = {"half": 30, "quarter": 15}.get(part) or int(part.split()[0])
    named = {"noon": 12, "midnight": 24}.get(hour_text)
    hour = named or int(hour_text)
    minutes = hour * 60 + (shift if direction in ("past", "after") else -shift)
    if shift > 59 or hour > 24:
        return None
    if named:
        return 13, minutes, None  # neither morning nor evening is open
    return hour, minutes % 1440, half


def _hour_and_minute(kind: str, match: re.Match[str]) -> tuple[int, int, str | None] | None:
    """(hour, minutes, am or pm) of "9:30 pm", "nine thirty", "at nine", "half nine"."""
    hour = int(match.group(1))
    minute = int(match.group(2) or 0) if kind in ("digits", "spoken", "four") else 30 * (kind == "half")
    half = {"digits": 3, "spoken": 3, "hour": 2, "half": 2}.get(kind)
    if hour > 24 or minute > 59 or (kind == "spoken" and minute % 5) or (kind == "bare" and hour == 0):
        return None
    return hour, hour * 60 + minute, match.group(half) if half else None


def _part_of_day(text: str, match: re.Match[str], minutes: int) -> str | None:
    after = _PART.match(text, match.end())
    before = None if after else _PART_BEFORE.search(text[max(0, match.start() - _BACK) : match.start()])
    if not after and not before:
        return None
    part = (after or before).group(1)
    if "morning" in part:
        return "am"
    if part in ("night", "last night", "tonight") and minutes % 720 < 300:
        return "am"  # "one at night" is after midnight
    return "pm"


def _part_of_night(text: str, end: int) -> bool:
    """Whether "at night" follows."""
    after = _PART.match(text, end)
    return bool(after and after.group(1) in ("night", "tonight"))
