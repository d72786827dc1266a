"""When the member sleeps, what goes wrong with a night, and when WHOOP gets to know of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np

from whoop_api_client.simulator.behaviours import Behaviours
from whoop_api_client.simulator.errors import BadMemberRequest
from whoop_api_client.simulator.happenings import AS_MEASURED, Happenings
from whoop_api_client.simulator.home_zone import LocalDays
from whoop_api_client.simulator.traits import Traits, stream

__all__ = ["Night", "plan_nights"]

_CLEAN_LAST_NIGHTS = 10
_CLEAN_FIRST_NIGHTS = 5
_PAUSE_KINDS = {"no_sleep": "no_sleep", "long_cycle": "merged", "no_cycle": "absent"}


@dataclass(frozen=True)
class Night:
    """The night that ends on a wake day.

    ``kind`` : ``scored``, ``unscorable``, ``no_sleep`` (a cycle without sleep), ``merged`` (no cycle of
    its own: the one before goes on) or ``absent`` (no cycle at all); ``early_end_at`` : where WHOOP first
    thought that the sleep ended, None if it was right; ``processed_at`` : when cycle, sleep and recovery
    appear; ``settled_at`` : when the last early revision is in; ``rescored_at`` : a late bulk rescoring,
    rarely.
    """

    index: int
    kind: str
    start_at: datetime
    end_at: datetime
    processed_at: datetime
    settled_at: datetime
    early_end_at: datetime | None = None
    rescored_at: datetime | None = None


def plan_nights(
    seed: int,
    traits: Traits,
    calendar: LocalDays,
    behaviours: list[Behaviours],
    happenings: Happenings = AS_MEASURED,
) -> list[Night]:
    """One night per wake day of the calendar, oldest first; the last ten before today and the future are whole."""
    rng = stream(seed, "schedule")
    kinds = _kinds(stream(seed, "missing"), traits.habits.missing_share, calendar, happenings)
    nights: list[Night] = []
    for k, kind in enumerate(kinds):
        uniforms, normals = rng.random(6), rng.standard_normal(4)
        evening = behaviours[k - 1] if k else None
        start_at = _bedtime(traits, calendar, k, evening, normals[0])
        in_bed_h = float(np.clip(traits.habits.in_bed_h + 0.75 * normals[1], 4.8, 10.2))
        if kind == "no_sleep":
            nights.append(_sleepless(k, calendar, nights[-1], uniforms))
            continue
        end_at = start_at + timedelta(milliseconds=round(in_bed_h * 3_600_000))
        nights.append(_processed(k, kind, start_at, end_at, uniforms, normals, calendar, happenings))
    return nights


def _bedtime(
    traits: Traits, calendar: LocalDays, k: int, evening: Behaviours | None, noise: float
) -> datetime:
    hour = traits.habits.bed_hour + 0.6 * noise
    if evening is not None:
        hour += 0.12 * evening.alcohol_drinks + 0.5 * (evening.day.weekday() in (4, 5))
    hour = min(max(hour, 22.1), 25.7)
    wall = datetime.combine(calendar.days[k] - timedelta(days=1), time(), tzinfo=UTC) + timedelta(hours=hour)
    return _whole_ms(wall - timedelta(minutes=calendar.offsets_min[k]))


def _processed(
    k: int,
    kind: str,
    start_at: datetime,
    end_at: datetime,
    u: np.ndarray,
    z: np.ndarray,
    calendar: LocalDays,
    happenings: Happenings,
) -> Night:
    """Appear about nine minutes after waking; in some nights too early (then revised), in a few hours late."""
    lag_min = min(8.8 * math.exp(0.75 * z[2]), 45.0)
    early_end_at = rescored_at = None
    processed_at = end_at + timedelta(minutes=lag_min)
    settled_at = processed_at + timedelta(seconds=5 if u[0] < 0.4 else 0)
    troubled = happenings.trouble_ahead or k <= calendar.today_index - 3
    if troubled and kind == "scored":
        if u[1] < happenings.revised_share:
            early_end_at = _whole_ms(end_at - timedelta(minutes=30 + 80 * u[2]))
            processed_at = early_end_at + timedelta(minutes=lag_min)
            settled_at = max(processed_at, end_at) + timedelta(minutes=9 + 230 * u[3])
        elif u[1] < happenings.revised_share + happenings.late_share:
            processed_at = settled_at = end_at + timedelta(hours=2 + 6 * u[2])
        age_days = calendar.today_index - k
        if u[4] < happenings.rescored_share and age_days > 30:
            rescored_at = _whole_ms(settled_at + timedelta(days=2 + 18 * u[5]))
    return Night(
        k, kind, start_at, end_at, _whole_ms(processed_at), _whole_ms(settled_at), early_end_at, rescored_at
    )


def _sleepless(k: int, calendar: LocalDays, before: Night, u: np.ndarray) -> Night:
    """A cycle that no sleep opened starts at local midnight, or exactly a day after the one before."""
    midnight = datetime.combine(calendar.days[k], time(), tzinfo=UTC) - timedelta(
        minutes=calendar.offsets_min[k]
    )
    start_at = before.start_at + timedelta(hours=24) if u[0] < 0.4 else midnight
    processed_at = _whole_ms(max(start_at, before.settled_at) + timedelta(hours=9 + 3 * u[1]))
    return Night(k, "no_sleep", start_at, start_at, processed_at, processed_at)


def _kinds(
    rng: np.random.Generator, missing_share: float, calendar: LocalDays, happenings: Happenings
) -> list[str]:
    kinds = ["scored"] * len(calendar.days)
    last = len(kinds) if happenings.trouble_ahead else calendar.today_index - _CLEAN_LAST_NIGHTS
    wanted = missing_share * calendar.today_index
    if happenings.pause_days is None and missing_share > 0.08 and last > 60:
        pause = int(min(wanted * 0.6, 28))
        begins = int(rng.integers(20, last - pause))
        kinds[begins : begins + pause] = ["no_sleep"] * pause
    elif happenings.pause_days:
        pause = happenings.pause_days
        if calendar.today_index < pause + 24:
            raise BadMemberRequest(
                f"expected at least {pause + 25} nights around a pause of {pause} days, got {calendar.today_index + 1}"
            )
        begins = int(rng.integers(12, calendar.today_index - pause - _CLEAN_LAST_NIGHTS))
        kinds[begins : begins + pause] = [_PAUSE_KINDS[happenings.pause_as]] * pause
    while sum(kind in ("no_sleep", "merged") for kind in kinds) < round(wanted) and last > 20:
        begins, length = int(rng.integers(_CLEAN_FIRST_NIGHTS, last)), 1 + int(rng.geometric(0.6))
        merged = rng.random() < happenings.long_cycle_share
        for k in range(begins, min(begins + length, last)):
            if kinds[k] != "absent":
                kinds[k] = "merged" if merged and k == begins else "no_sleep"
    for k in range(_CLEAN_FIRST_NIGHTS, len(kinds)):
        if rng.random() < happenings.unscorable_share and k < last and kinds[k] == "scored":
            kinds[k] = "unscorable"
    return kinds


def _whole_ms(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
