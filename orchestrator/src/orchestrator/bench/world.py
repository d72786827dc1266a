"""A simulated life for the scheduler: nights, notes, a machine that sleeps, a clock that jumps. No health in it.

True time is what really passes; the machine sees only its own clock. Everything is drawn from one seed.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

__all__ = ["Life", "Machine", "Night", "make_life", "make_machine"]

ZONES = ("Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Auckland")


@dataclass(frozen=True)
class Night:
    """One wake day; ``ready_at`` is when WHOOP has its recovery (None: never)."""

    day: date
    utc_offset_min: int
    woke_at: datetime
    ready_at: datetime | None


@dataclass(frozen=True)
class Life:
    """One member's nights and the moments at which notes were told."""

    member_id: str
    nights: tuple[Night, ...]
    notes_at: tuple[datetime, ...]


@dataclass
class Machine:
    """When it looks at what is due, and how wrong its clock is.

    Attributes
    ----------
    ticks : list of datetime
        True instants at which it is awake and a tick comes; the same instant twice is a double tick.
    errors : list of (datetime, timedelta)
        From the instant on, the clock is off by so much.
    offline : list of (datetime, datetime)
        True intervals without a network.
    """

    ticks: list[datetime]
    errors: list[tuple[datetime, timedelta]]
    offline: list[tuple[datetime, datetime]] = field(default_factory=list)

    def clock(self, true_now: datetime) -> datetime:
        """What the machine believes."""
        at = bisect_right(self.errors, true_now, key=lambda error: error[0]) - 1
        return true_now + (self.errors[at][1] if at >= 0 else timedelta(0))

    def is_online(self, true_now: datetime) -> bool:
        """Whether a pull would succeed."""
        return not any(begin <= true_now < end for begin, end in self.offline)


def make_life(member_id: str, first: date, days: int, rng: np.random.Generator) -> Life:
    """Nights in a home zone with daylight saving and journeys; some scored late or never, some early, some at noon."""
    home = ZoneInfo(ZONES[int(rng.integers(len(ZONES)))])
    zone, away_until = home, first
    nights, notes, unworn_until = [], [], first
    for n in range(days):
        day = first + timedelta(days=n)
        if day >= away_until:
            zone = home
            if rng.random() < 0.02:
                zone = ZoneInfo(ZONES[int(rng.integers(len(ZONES)))])
                away_until = day + timedelta(days=int(rng.integers(2, 15)))
        if rng.random() < 0.006:
            unworn_until = day + timedelta(days=int(rng.integers(2, 9)))
        hour = float(
            rng.choice([rng.normal(7, 1), rng.uniform(1, 4), rng.uniform(11, 17)], p=[0.92, 0.04, 0.04])
        )
        woke = _local(day, hour, zone)
        delay_h = rng.choice(
            [rng.uniform(0.05, 1), rng.uniform(1, 9), rng.uniform(9, 80)], p=[0.88, 0.08, 0.04]
        )
        ready = None if day < unworn_until or rng.random() < 0.03 else woke + timedelta(hours=float(delay_h))
        nights.append(Night(day, int(woke.astimezone(zone).utcoffset().total_seconds() // 60), woke, ready))
        for _ in range(int(rng.integers(0, 3))):
            notes.append(_local(day, float(rng.uniform(17, 26)), zone))
    return Life(member_id, tuple(nights), tuple(sorted(notes)))


def make_machine(first: date, days: int, rng: np.random.Generator) -> Machine:
    """Awake by day, closed at night, now and then for a week; its clock jumps both ways and is set right again."""
    begin = datetime.combine(first, time(), UTC)
    end = begin + timedelta(days=days)
    ticks, errors, offline = [], [], []
    now = begin
    while now < end:
        kind = rng.choice(["day", "round the clock", "glimpses", "week asleep"], p=[0.72, 0.15, 0.115, 0.015])
        if kind == "week asleep":
            now += timedelta(days=float(rng.uniform(2, 12)))
            continue
        span = timedelta(hours=24)
        awake = {"day": timedelta(hours=float(rng.uniform(8, 17))), "round the clock": span}.get(str(kind))
        step_min = 15.0 if awake is not None else float(rng.uniform(60, 400))
        at = now + timedelta(minutes=float(rng.uniform(0, 15)))
        while at < now + (awake or span) and at < end:
            ticks += [at, at] if rng.random() < 0.02 else [at]
            at += timedelta(minutes=step_min * float(rng.uniform(0.8, 1.2)))
        now += span + timedelta(minutes=float(rng.normal(0, 30)))
        if rng.random() < 0.05:
            size = float(rng.choice([rng.uniform(1, 90), rng.uniform(90, 1500), rng.uniform(1500, 8000)]))
            wrong = timedelta(minutes=size * float(rng.choice([-1, 1])))
            from_when = now + timedelta(hours=float(rng.uniform(0, 20)))
            errors += [
                (from_when, wrong),
                (from_when + timedelta(hours=float(rng.uniform(0.3, 60))), timedelta(0)),
            ]
        if rng.random() < 0.05:
            from_when = now + timedelta(hours=float(rng.uniform(0, 20)))
            offline.append((from_when, from_when + timedelta(hours=float(rng.uniform(1, 60)))))
    return Machine(sorted(ticks), sorted(errors), offline)


def _local(day: date, hour: float, zone: ZoneInfo) -> datetime:
    """A wall-clock hour of a day (above 24: of the next) as an instant; an hour that does not exist moves on."""
    wall = datetime.combine(day, time()) + timedelta(hours=hour)
    return wall.replace(tzinfo=zone).astimezone(UTC)
