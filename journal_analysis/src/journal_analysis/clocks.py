"""Clock times and durations in a canonical text.

"at half past nine", "9:30 pm", "around 11", "22 15", "noon" are clock times; whether a bare "9" means morning or
evening depends on what it is about, so `Clock.resolve` asks for the earliest hour that makes sense there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from journal_analysis.phrases import phrase

__all__ = ["Clock", "Duration", "find_clocks", "find_durations", "format_clock"]

_NOT_A_CLOCK = phrase("clocks", "not_a_clock").pattern
_LEAD = phrase("clocks", "lead").pattern
_ABOUT = r"(?:about |around |like |almost |close to |nearly |maybe |roughly |exactly )*"
_PATTERNS = (
    ("past", phrase("clocks", "past")),
    ("digits", phrase("clocks", "digits")),
    (
        "spoken",
        re.compile(rf"(?:{_LEAD}|(?<=\bplanned ))(\d{{1,2}}) (\d{{2}})\b(?! minutes| percent)\s?(am|pm)?"),
    ),
    ("spoken", re.compile(r"\b(\d{1,2}) (\d{2})\s?(am|pm)\b")),
    ("hour", re.compile(r"\b(\d{1,2})\s?(am|pm|oclock)\b")),
    ("bare", re.compile(rf"{_LEAD}{_ABOUT}(\d{{1,2}})\b{_NOT_A_CLOCK}")),
    ("bare", re.compile(rf"\bclose to (\d{{1,2}})\b{_NOT_A_CLOCK}")),
    (
        "bare",
        re.compile(
            rf"\b(?:am|pm|oclock|\d) (?:and|or) (?:at )?(\d{{1,2}})\b{_NOT_A_CLOCK}(?= in the|\.|,|$)"
        ),
    ),
    ("name", re.compile(r"\b(noon|midday|midnight)\b(?! snack)")),
)
_PART = phrase("clocks", "part")
_PART_BEFORE = phrase("clocks", "part_before")
_DURATION = phrase("clocks", "duration")
_REPEATED = phrase("clocks", "repeated")


@dataclass(frozen=True)
class Clock:
    """A clock time at canonical [start, end): minutes after midnight, and whether morning or evening is open."""

    start: int
    end: int
    minutes: int
    ambiguous: bool

    def resolve(self, earliest_hour: int) -> str:
        """``HH:MM``; where am or pm was not said, the first such time at or after ``earliest_hour``."""
        minutes = self.minutes
        if self.ambiguous:
            first = minutes % 720
            minutes = next(m for m in (first, first + 720, first + 1440) if m >= earliest_hour * 60) % 1440
        return format_clock(minutes)


@dataclass(frozen=True)
class Duration:
    """A length of time at canonical [start, end), min."""

    start: int
    end: int
    minutes: float


def find_clocks(text: str) -> list[Clock]:
    """Every clock time of a canonical text, in order, without overlaps (the fuller reading wins)."""
    found: list[Clock] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            clock = _read(kind, match, text)
            if clock and not any(clock.start < c.end and c.start < clock.end for c in found):
                found.append(clock)
    return sorted(found, key=lambda c: c.start)


def find_durations(text: str) -> list[Duration]:
    """Every duration of a canonical text; the pieces of repeated sets ("4 by 8 minutes") are left out."""
    found = []
    for match in _DURATION.finditer(text):
        if _REPEATED.search(text[: match.start()]):
            continue
        amount, unit, extra = float(match.group(1)), match.group(2), match.group(3)
        minutes = amount * 60 if unit.startswith("h") else amount
        found.append(Duration(match.start(), match.end(), minutes + float(extra or 0)))
    return found


def format_clock(minutes: int) -> str:
    """``HH:MM`` of minutes after midnight."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _read(kind: str, match: re.Match[str], text: str) -> Clock | None:
    """One match as a clock time, or None where it can't be one."""
    if kind == "name":
        return Clock(match.start(), match.end(), 0 if match.group(1) == "midnight" else 720, False)
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
    leading_zero = kind == "digits" and match.group(1).startswith("0")
    settled = half is not None or hour >= 13 or hour == 0 or leading_zero
    return Clock(
        match.start(1) if kind == "bare" else match.start(), match.end(), minutes % 1440, not settled
    )


def _past(match: re.Match[str]) -> tuple[int, int, str | None] | None:
    """(hour, minutes, am or pm) of "half past nine", "ten to eight", "quarter past noon"."""
    part, direction, hour_text, half = match.groups()
    if (part == "half" and direction != "past") or (part.isdigit() and direction in ("after", "before")):
        return None
    shift = {"half": 30, "quarter": 15}.get(part) or int(part)
    named = {"noon": 12, "midnight": 24}.get(hour_text)
    hour = named or int(hour_text)
    minutes = hour * 60 + (shift if direction in ("past", "after") else -shift)
    if shift > 59 or hour > 24:
        return None
    if named:
        return 13, minutes, None  # neither morning nor evening is open
    return hour, minutes % 1440, half


def _hour_and_minute(kind: str, match: re.Match[str]) -> tuple[int, int, str | None] | None:
    """(hour, minutes, am or pm) of "9:30 pm", "nine thirty", "at nine"."""
    hour = int(match.group(1))
    minute = int(match.group(2)) if kind in ("digits", "spoken") else 0
    half = {"digits": 3, "spoken": 3, "hour": 2}.get(kind)
    if hour > 24 or minute > 59 or (kind == "spoken" and minute % 5) or (kind == "bare" and hour == 0):
        return None
    return hour, hour * 60 + minute, match.group(half) if half else None


def _part_of_day(text: str, match: re.Match[str], minutes: int) -> str | None:
    after = _PART.match(text, match.end())
    before = None if after else _PART_BEFORE.search(text[: match.start()])
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
