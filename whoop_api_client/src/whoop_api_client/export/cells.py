"""One cell of an export row: how WHOOP writes times, numbers and answers, and nothing else.

Each reader raises ValueError with a sentence (expected, came). An empty cell is None.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from hrv_shared.daytime import parse_offset_min

__all__ = ["damage", "number", "offset_min", "same", "stamp", "yes_no"]

_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SPREADSHEET_DATE = re.compile(
    r"[0-9]{1,4}[/.][0-9]{1,2}[/.][0-9]{1,4}( .*)?|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{1,2}:[0-9]{2}"
)
_LONGEST_OFFSET = 24


def stamp(row: dict[str, str], column: str, utc_offset_min: int) -> datetime | None:
    """Read a local wall time in the row's own offset as an instant."""
    text = row.get(column, "").strip()
    return _stamp(column, text, utc_offset_min) if text else None


@lru_cache(maxsize=1 << 15)
def _stamp(column: str, text: str, utc_offset_min: int) -> datetime:
    if not _STAMP.fullmatch(text):
        raise ValueError(f"{column}: expected YYYY-MM-DD HH:MM:SS, got {_short(text)}")
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{column}: there is no such time as {_short(text)}") from None
    try:
        return wall.replace(tzinfo=UTC) - timedelta(minutes=utc_offset_min)
    except OverflowError:
        raise ValueError(f"{column}: expected a time of this century, got {_short(text)}") from None


def offset_min(row: dict[str, str]) -> int | None:
    """Read ``Cycle timezone``: minutes east of UTC."""
    text = row.get("Cycle timezone", "").strip()
    if " " in text or len(text) > _LONGEST_OFFSET:
        raise ValueError(f"Cycle timezone: expected an offset such as UTC-05:00 or UTCZ, got {_short(text)}")
    try:
        return parse_offset_min(text) if text else None
    except ValueError as error:
        raise ValueError(f"Cycle timezone: {error}") from None


def number(row: dict[str, str], column: str) -> float | None:
    """Read a number in its own unit (the column name tells it), checked against what can be."""
    text = row.get(column, "").strip()
    return _number(column, text) if text else None


@lru_cache(maxsize=1 << 15)
def _number(column: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{column}: expected a number such as 72 or 33.9, got {_short(text)}")
    value = float(text)
    low, high = PLAUSIBLE.get(column, (0.0, 1e6))
    if not low <= value <= high:
        raise ValueError(f"{column}: expected a value from {low:g} to {high:g}, got {_short(text)}")
    return value


def yes_no(row: dict[str, str], column: str) -> bool | None:
    """Read ``true`` or ``false``."""
    text = row.get(column, "").strip()
    if not text:
        return None
    if text not in {"true", "false"}:
        raise ValueError(f"{column}: expected true or false, got {_short(text)}")
    return text == "true"


def damage(row: dict[str, str]) -> str | None:
    """Name the trace of a spreadsheet program in a row, if there is one."""
    for column in ("Cycle start time", "Cycle end time"):
        text = row.get(column, "").strip()
        if text and _SPREADSHEET_DATE.fullmatch(text):
            return f"times like 2024-05-14 23:12:40, got {_short(text)}"
    for column in ("Nap", "Answered yes", "GPS enabled"):
        if row.get(column, "").strip() in {"TRUE", "FALSE"}:
            return f"answers written true or false, got {row[column].strip()}"
    return None


def same(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether two rows tell the same: ``72.0`` is 72 and ``33.9`` is 33.90, whichever program wrote them."""
    if one == other:
        return True
    return one.keys() == other.keys() and all(
        one[column] == other[column] or (column in PLAUSIBLE and _equal(one[column], other[column]))
        for column in one
    )


def _equal(one: str, other: str) -> bool:
    one, other = one.strip(), other.strip()
    return bool(_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)) and float(one) == float(other)


PLAUSIBLE: dict[str, tuple[float, float]] = {
    "Recovery score %": (0, 100),
    "Resting heart rate (bpm)": (20, 200),
    "Heart rate variability (ms)": (0, 1000),
    "Skin temp (celsius)": (0, 60),
    "Blood oxygen %": (0, 100),
    "Day Strain": (0, 21),
    "Activity Strain": (0, 21),
    "Energy burned (cal)": (0, 100_000),
    "Max HR (bpm)": (0, 300),
    "Average HR (bpm)": (0, 300),
    "Sleep performance %": (0, 100),
    "Respiratory rate (rpm)": (0, 60),
    "Asleep duration (min)": (0, 4000),
    "In bed duration (min)": (0, 4000),
    "Light sleep duration (min)": (0, 4000),
    "Deep (SWS) duration (min)": (0, 4000),
    "REM duration (min)": (0, 4000),
    "Awake duration (min)": (0, 4000),
    "Sleep need (min)": (0, 4000),
    "Sleep debt (min)": (0, 4000),
    "Sleep efficiency %": (0, 100),
    "Sleep consistency %": (0, 100),
    "Duration (min)": (0, 10_000),
    **{f"HR Zone {n} %": (0, 100) for n in range(1, 6)},
    "Distance (meters)": (0, 1e7),
    "Altitude gain (meters)": (-1e5, 1e5),
    "Altitude change (meters)": (-1e5, 1e5),
}
"""Widest values that can be meant; outside, the row is an error and not a measurement."""


def _short(text: str) -> str:
    """The cell for a message; what could be a sentence of the wearer's (a shifted column of notes) is not repeated."""
    if len(text) <= 30 and (text[0].isdigit() or " " not in text):
        return repr(text)
    return f"a text of {len(text)} characters"
