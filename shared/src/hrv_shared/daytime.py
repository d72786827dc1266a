"""The physiological day: which night is whose, which slot is now, which target is next.

A **day** is the local date on which the main sleep ended (wake day), from the cycle's own fixed offset.
WHOOP gives no zone names, so daylight saving and travel are nothing but changes of that offset.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

from hrv_shared.constants import DAY_ROLLOVER_HOUR, EVENING_FROM_HOUR, REPLAY_EVENING_HOUR

__all__ = [
    "format_instant",
    "local_time",
    "night_begins_latest",
    "origin_day",
    "parse_instant",
    "parse_offset_min",
    "replay_evening_at",
    "slot_and_origin",
    "slot_closes_at",
    "slot_of",
    "slot_opens_at",
    "target_day",
    "wake_day",
]

_OFFSET = re.compile(r"^(?:UTC)?([+-])(\d{2}):?(\d{2})$")


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; a text without an offset is UTC (WHOOP's own rule).

    Returns
    -------
    datetime, aware, UTC

    Raises
    ------
    ValueError
        Not an ISO 8601 instant.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """Write an aware instant as ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` (fixed width, so that text order is time order)."""
    if instant.tzinfo is None:
        raise ValueError(f"expected an aware instant, got {instant!r}")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_offset_min(text: str) -> int:
    """Minutes east of UTC of ``+01:00``, ``-05:30``, ``Z``, ``UTC+05:30`` or ``UTCZ``.

    Raises
    ------
    ValueError
        Another form, or an offset that no place on Earth has (beyond -12:00 … +14:00).
    """
    cleaned = text.strip()
    if cleaned in {"Z", "UTCZ", "UTC"}:
        return 0
    match = _OFFSET.match(cleaned)
    if not match:
        raise ValueError(f"expected an offset such as +01:00, UTC-05:00 or Z, got {text!r}")
    sign, hours, minutes = match.groups()
    total = (int(hours) * 60 + int(minutes)) * (1 if sign == "+" else -1)
    if int(minutes) > 59 or not -12 * 60 <= total <= 14 * 60:
        raise ValueError(f"expected an offset between -12:00 and +14:00, got {text!r}")
    return total


def local_time(instant: datetime, utc_offset_min: int) -> datetime:
    """The same instant on the wearer's wall clock (aware, fixed offset)."""
    return instant.astimezone(timezone(timedelta(minutes=utc_offset_min)))


def wake_day(wake_at: datetime, utc_offset_min: int) -> date:
    """The day that a night belongs to: the local date of waking up (whoop_api.md 8.4)."""
    return local_time(wake_at, utc_offset_min).date()


def origin_day(now: datetime, utc_offset_min: int, last_wake_day: date | None = None) -> date:
    """The last wake day before ``now``: the forecast origin D, whose targets are D+1 … D+7.

    Before 04:00 local the evening still belongs to the day before, unless a later waking is already known.
    """
    by_clock = (local_time(now, utc_offset_min) - timedelta(hours=DAY_ROLLOVER_HOUR)).date()
    if last_wake_day is not None and by_clock < last_wake_day <= local_time(now, utc_offset_min).date():
        return last_wake_day
    return by_clock


def slot_of(now: datetime, utc_offset_min: int) -> str:
    """``evening`` from 18:00 to 04:00 local, else ``morning``."""
    hour = local_time(now, utc_offset_min).hour
    return "evening" if hour >= EVENING_FROM_HOUR or hour < DAY_ROLLOVER_HOUR else "morning"


def slot_and_origin(
    now: datetime, utc_offset_min: int, last_wake_day: date | None = None
) -> tuple[str, date]:
    """Which slot of which day is now; who is known to have woken up before 04:00 is in the new day's morning."""
    origin = origin_day(now, utc_offset_min, last_wake_day)
    local = local_time(now, utc_offset_min)
    woken = local.hour < DAY_ROLLOVER_HOUR and origin == local.date()
    return ("morning" if woken else slot_of(now, utc_offset_min)), origin


def slot_opens_at(day: date, slot: str, utc_offset_min: int) -> datetime:
    """The first instant that can belong to a slot of a day: midnight (a waking before 04:00) or 18:00, local."""
    return _local_instant(day, EVENING_FROM_HOUR if slot == "evening" else 0, utc_offset_min)


def slot_closes_at(day: date, slot: str, utc_offset_min: int) -> datetime:
    """The first instant after a slot of a day: 18:00 local, or 04:00 of the next day, when the night has begun."""
    if slot == "evening":
        return night_begins_latest(target_day(day, 1), utc_offset_min)
    return _local_instant(day, EVENING_FROM_HOUR, utc_offset_min)


def target_day(origin: date, horizon: int) -> date:
    """The wake day that horizon 1 … 7 speaks of."""
    return origin + timedelta(days=horizon)


def night_begins_latest(target: date, utc_offset_min: int) -> datetime:
    """The instant from which the night of ``target`` counts as begun even if nobody told us (04:00 local)."""
    return _local_instant(target, DAY_ROLLOVER_HOUR, utc_offset_min)


def replay_evening_at(origin: date, utc_offset_min: int, day_closed_at: datetime | None) -> datetime:
    """When a replayed evening of ``origin`` is set: at sleep onset where known, else at 22:00 local.

    Never after 04:00, from when a live forecast of the coming night is refused: a cycle that ran on for two days must
    not lend its replay what nobody could have known.
    """
    if day_closed_at is not None:
        return min(day_closed_at, night_begins_latest(target_day(origin, 1), utc_offset_min))
    return _local_instant(origin, REPLAY_EVENING_HOUR, utc_offset_min)


def _local_instant(day: date, hour: int, utc_offset_min: int) -> datetime:
    zone = timezone(timedelta(minutes=utc_offset_min))
    return datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
