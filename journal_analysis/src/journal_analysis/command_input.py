"""What a command was given, read: the store, instants, clock times and days, and the words of a note."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from journal_analysis.errors import BadCorrection, BadEntry

if TYPE_CHECKING:
    from hrv_shared.settings import Settings
    from hrv_shared.store import Store

__all__ = ["clock_time_of", "day_of", "instant_of", "one_line", "open_store", "text_of"]

_MOST_BYTES = 1_000_000


def open_store(member: str | None) -> tuple[Store, Settings, str]:
    """The store of the settings, the settings, and whose data."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store

    settings = load_settings()
    return Store.open(settings), settings, member or settings.member_id


def text_of(given: str) -> str:
    """The words of --text; ``-`` reads them from stdin."""
    if given != "-":
        return given
    data = sys.stdin.buffer.read(_MOST_BYTES)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadEntry(f"Expected a note in UTF-8 on stdin ({error}).") from None


def instant_of(text: str | None, option: str = "--recorded-at") -> datetime | None:
    """The instant of an option; without an offset of its own (Z) it is UTC."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadEntry(f"Expected {option} like 2026-03-01T21:40:00+01:00, got {text!r}.") from None
    if at.tzinfo is None:
        raise BadEntry(f"Expected {option} with its offset (2026-03-01T21:40:00+01:00, or Z), got {text!r}.")
    return at if at.utcoffset() else at.replace(tzinfo=UTC)


def clock_time_of(text: str | None) -> str | None:
    """The ``HH:MM`` of --time."""
    if text is None:
        return None
    found = re.fullmatch(r"([01]?\d|2[0-3])[:.]([0-5]\d)", text.strip())
    if not found:
        raise BadCorrection(f"Expected --time like 21:30, got {text!r}.")
    return f"{int(found[1]):02d}:{found[2]}"


def day_of(text: str | None, told: str) -> date | None:
    """The day of --day; today and yesterday are those of the note."""
    if text is None:
        return None
    if text in ("today", "yesterday"):
        return date.fromisoformat(told) - timedelta(days=int(text == "yesterday"))
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadCorrection(f"Expected --day like 2026-03-01, today or yesterday, got {text!r}.") from None


def one_line(text: str) -> str:
    """Words of a note on one line: nothing that was written can look like a line of ours."""
    return " ".join(text.split())
