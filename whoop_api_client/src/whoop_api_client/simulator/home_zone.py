"""Where the member's wall clock stands: home offset, daylight saving, one trip, and evening for a demo at any hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from hrv_shared.daytime import local_time
from whoop_api_client.simulator.errors import BadMemberRequest
from whoop_api_client.simulator.happenings import AS_MEASURED, Happenings
from whoop_api_client.simulator.traits import stream

__all__ = ["LocalDays", "demo_offset", "format_offset", "plan_days"]


@dataclass(frozen=True)
class LocalDays:
    """The member's calendar, oldest day first.

    ``days`` : wake days; ``offsets_min`` : minutes east of UTC on each; ``travelling`` : a flight that day;
    ``today_index`` : position of the last wake day, later ones are the future that the world keeps to itself.
    """

    days: tuple[date, ...]
    offsets_min: tuple[int, ...]
    travelling: tuple[bool, ...]
    today_index: int

    @property
    def today(self) -> date:
        """The last wake day."""
        return self.days[self.today_index]


def demo_offset(now: datetime) -> int:
    """Whole-hour offset at which ``now`` is between 21:30 and 22:30 local, in minutes east of UTC (-11 h … +12 h)."""
    if now.tzinfo is None:
        raise BadMemberRequest(f"expected an aware instant, got {now!r}; add its offset, e.g. +00:00")
    in_utc = local_time(now, 0)
    wanted_hour = 21 if in_utc.minute >= 30 else 22
    return ((wanted_hour - in_utc.hour + 11) % 24 - 11) * 60


def plan_days(
    seed: int,
    n_nights: int,
    now: datetime,
    offset_min: int,
    future_nights: int,
    happenings: Happenings = AS_MEASURED,
) -> LocalDays:
    """Lay out ``n_nights`` wake days up to the local date of ``now``, and ``future_nights`` after it."""
    if now.tzinfo is None:
        raise BadMemberRequest(f"expected an aware instant as now, got {now!r}; add its offset, e.g. +00:00")
    if n_nights < 14:
        raise BadMemberRequest(f"expected at least 14 nights, got {n_nights}; ask for more")
    if offset_min % 15 or not -12 * 60 <= offset_min <= 13 * 60:
        raise BadMemberRequest(f"expected a UTC offset of -720 to 780 minutes in quarters, got {offset_min}")
    today = local_time(now, offset_min).date()
    days = [today + timedelta(days=k) for k in range(1 - n_nights, future_nights + 1)]
    is_summer = _SUMMER_TIME[happenings.dst]
    winter_min = offset_min - 60 if is_summer(today) else offset_min
    offsets = [winter_min + 60 * is_summer(day) for day in days]
    travelling = [False] * len(days)
    _take_trip(stream(seed, "trip"), offsets, travelling, n_nights, happenings.trip_hours)
    floor_min, ceiling_min = -12 * 60, 14 * 60
    clipped = tuple(min(max(minutes, floor_min), ceiling_min) for minutes in offsets)
    return LocalDays(tuple(days), clipped, tuple(travelling), n_nights - 1)


def format_offset(offset_min: int) -> str:
    """``+01:00``, ``-05:30``, and ``Z`` for zero, as WHOOP writes it."""
    if offset_min == 0:
        return "Z"
    hours, minutes = divmod(abs(offset_min), 60)
    return f"{'+' if offset_min > 0 else '-'}{hours:02d}:{minutes:02d}"


def _take_trip(
    rng: np.random.Generator,
    offsets: list[int],
    travelling: list[bool],
    n_nights: int,
    wanted_hours: float | None,
) -> None:
    """A week or so in another zone, well before today; unasked only in a history of four months or more."""
    length = int(rng.integers(6, 11))
    shift_min = int(rng.choice([-360, -180, 120, 180, 300]))
    share = rng.random()
    if wanted_hours is None:
        if n_nights < 120:
            return
        start = 50 + int(share * (n_nights - 50 - 40 - length))
    else:
        if not wanted_hours:
            return
        if n_nights < 40:
            raise BadMemberRequest(f"expected at least 40 nights around a trip, got {n_nights}; ask for more")
        shift_min = round(60 * wanted_hours)
        start = 10 + int(share * (n_nights - 10 - 14 - length))
    for k in range(start, start + length):
        offsets[k] += shift_min
    travelling[start - 1] = travelling[start + length - 1] = True


def _sunday(year: int, month: int, ordinal: int) -> date:
    """The n-th Sunday of a month; -1 is the last."""
    if ordinal == -1:
        last = date(year, month, 31)
        return last - timedelta(days=(last.weekday() + 1) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (ordinal - 1))


def _eu(day: date) -> bool:
    return _sunday(day.year, 3, -1) <= day < _sunday(day.year, 10, -1)


def _us(day: date) -> bool:
    return _sunday(day.year, 3, 2) <= day < _sunday(day.year, 11, 1)


def _south(day: date) -> bool:
    return not _sunday(day.year, 4, 1) <= day < _sunday(day.year, 10, 1)


_SUMMER_TIME = {"eu": _eu, "us": _us, "south": _south, "none": lambda day: False}
"""Whether summer time stands on a date, by rule (Europe, North America, south-eastern Australia)."""
