"""When the last drink, meal, coffee or training of an evening was, in hours of the wearer's day.

Told ones come from the journal; the end of the last workout is also known from WHOOP itself. After midnight counts on:
00:30 is 24.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from data_intelligence.effect_priors import CLOCK_PRIORS
from hrv_shared.history import History

__all__ = ["clock_hours", "hours_of", "say_clock"]

DAY_STARTS_HOUR = 4.0


def clock_hours(history: History, told: Mapping[str, Mapping[date, float]]) -> dict[str, dict[date, float]]:
    """Hours by behaviour and night, for the clock times that have a prior; ``told`` are those of the journal."""
    found = {name: dict(told.get(name, {})) for name in CLOCK_PRIORS}
    training = found["workout_end_time"]
    for row in history.days.iter_rows(named=True):
        ended, night = row["last_workout_end_at"], row["day"] + timedelta(days=1)
        if ended is not None and night not in training:
            local = ended + timedelta(minutes=row["utc_offset_min"] or 0)
            training[night] = _wrapped(local.hour + local.minute / 60.0)
    return {name: hours for name, hours in found.items() if hours}


def hours_of(clock_time: str | None) -> float | None:
    """``23:30`` as 23.5, ``00:30`` as 24.5; None where it is no clock time."""
    try:
        hour, minute = (int(part) for part in (clock_time or "").split(":"))
    except ValueError:
        return None
    return _wrapped(hour + minute / 60.0) if 0 <= hour < 24 and 0 <= minute < 60 else None


def say_clock(hours: float) -> str:
    """23.5 as ``23:30``, 24.5 as ``00:30``."""
    minutes = round(hours * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _wrapped(hour: float) -> float:
    return hour + 24.0 if hour < DAY_STARTS_HOUR else hour
