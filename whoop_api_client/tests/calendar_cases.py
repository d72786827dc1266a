"""Nights around changes of the clock and on journeys, with the truth about their days: plain, slow, by the tz database.

Nothing here uses the program's own ideas of time: a night's true day is the date on the wall where and when its sleeper
woke, as `zoneinfo` tells it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

__all__ = ["Night", "all_zones", "around", "flights", "sampled", "transitions", "true_days"]

FIRST, LAST = datetime(2015, 1, 1, tzinfo=UTC), datetime(2035, 12, 31, tzinfo=UTC)
FAR_APART = ("Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/Lisbon", "America/Sao_Paulo", "America/New_York",
             "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Kiritimati", "Pacific/Pago_Pago",
             "Australia/Lord_Howe", "Pacific/Chatham")  # fmt: skip


@dataclass(frozen=True)
class Night:
    """A main sleep, UTC to the second; ``hrv_ms`` names it, for no two nights of a case share one."""

    onset_at: datetime
    wake_at: datetime
    zone: str
    hrv_ms: int

    @property
    def utc_offset_min(self) -> int:
        """Where the sleeper woke: WHOOP stamps a cycle when its sleep has been processed."""
        offset = self.wake_at.astimezone(ZoneInfo(self.zone)).utcoffset()
        assert offset is not None
        return round(offset.total_seconds() / 60)


def true_days(nights: list[Night]) -> dict[date, tuple[Night, int]]:
    """Wake day -> its night (the longest, else the later) and how many nights ended on that day."""
    found: dict[date, list[Night]] = {}
    for night in nights:
        woke = night.wake_at.astimezone(ZoneInfo(night.zone))
        found.setdefault(date(woke.year, woke.month, woke.day), []).append(night)
    kept = {}
    for day, candidates in found.items():
        best = candidates[0]
        for other in candidates[1:]:
            longer = (other.wake_at - other.onset_at) - (best.wake_at - best.onset_at)
            if longer > timedelta(0) or (longer == timedelta(0) and other.wake_at > best.wake_at):
                best = other
        kept[day] = (best, len(candidates))
    return kept


def all_zones() -> list[str]:
    """Every IANA zone on this machine."""
    return sorted(available_timezones() - {"localtime", "Factory"})


@cache
def transitions(zone: str) -> tuple[datetime, ...]:
    """Every instant from 2015 to 2035 at which a zone's offset changes, to the second."""
    place, found, step = ZoneInfo(zone), [], timedelta(days=7)

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(place).utcoffset()

    at = FIRST
    while at < LAST:
        if offset(at) != offset(at + step):
            low, high = at, at + step
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
        at += step
    return tuple(found)


def around(zone: str, change: datetime, draw: random.Random) -> list[Night]:
    """Nine nights around a change; the fifth meets it, the ends lie on edges on purpose, one may be missing."""
    nights: list[Night] = []
    for number in range(-4, 5):
        if number and draw.random() < 0.08:
            continue
        onset = change + timedelta(days=number, seconds=draw.randrange(-10_800, 10_800))
        wake = onset + timedelta(seconds=draw.randrange(15_000, 34_000))
        if number == 0 and draw.random() < 0.5:
            onset = change - timedelta(seconds=draw.choice((1, 0, 3600, 7200, 14_400)))
            wake = draw.choice((change + timedelta(seconds=draw.choice((18_000, 25_200))), wake))
        elif draw.random() < 0.3:
            wake = _edge(zone, wake, draw)
        wake = max(wake, onset + timedelta(hours=3))
        if not nights or onset > nights[-1].wake_at + timedelta(hours=1):
            nights.append(Night(onset, wake, zone, 30 + len(nights)))
    return nights


def flights(draw: random.Random, length: int = 12) -> list[Night]:
    """Nights of somebody who flies east, west and across the date line."""
    at = datetime(draw.randrange(2016, 2035), draw.randrange(1, 13), draw.randrange(1, 28), tzinfo=UTC)
    zone, nights = draw.choice(FAR_APART), []
    for number in range(length):
        if draw.random() < 0.5:
            zone = draw.choice(FAR_APART)
        onset = at + timedelta(seconds=draw.randrange(0, 7200))
        wake = onset + timedelta(seconds=draw.randrange(14_000, 36_000))
        nights.append(Night(onset, wake, zone, 30 + number))
        at = wake + timedelta(hours=draw.randrange(9, 24))
    return nights


def sampled(count: int, seed: int) -> Iterator[tuple[str, datetime]]:
    """(zone, change) drawn out of the zones with odd rules and some others."""
    draw = random.Random(seed)
    odd = ["Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca", "Asia/Pyongyang", "America/Caracas",
           "Pacific/Chatham", "America/Nuuk", "Asia/Gaza", "Africa/Juba", "America/Havana", "Asia/Beirut",
           "Europe/Volgograd", "Pacific/Norfolk", "Atlantic/Azores", "America/St_Johns", "Europe/Dublin"]  # fmt: skip
    zones = [zone for zone in odd if zone in available_timezones()] + draw.sample(all_zones(), 40)
    pairs = [(zone, change) for zone in dict.fromkeys(zones) for change in transitions(zone)]
    yield from draw.sample(pairs, min(count, len(pairs)))


def _edge(zone: str, at: datetime, draw: random.Random) -> datetime:
    """The midnight on the wall nearest before, give or take a second."""
    wall = at.astimezone(ZoneInfo(zone))
    midnight = datetime(wall.year, wall.month, wall.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return midnight + timedelta(seconds=draw.choice((-1, 0, 1)))
