"""What is due: computed from what the store holds and the clock, never from ticks.

The one place where it is decided which forecast a run is started for; sensors, schedules, `hrv daily` and `hrv due` ask
it. A machine that slept a week, a clock that jumped or a tick that came twice change nothing: a slot that stands in the
ledger is not due, one whose hours are over is not due any more, and there is no queue of missed ones to be made up.

- **morning** of D: from the moment at which the night of D is scored; without a recovery from 16:00 local. Until 18:00.
- **evening** of D: ten minutes after the last note told in the two hours before the wearer's hour (setting
  `evening_hour`), at that hour in any case. Until 04:00.
- Nothing while the last scored night is more than three days old, or the clock stands behind the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hrv_shared.constants import STALE_AFTER_DAYS
from hrv_shared.daytime import local_time, slot_and_origin, slot_closes_at, slot_opens_at
from hrv_shared.issue import issue_choice

__all__ = ["Due", "MemberView", "NightSeen", "StoreView", "due", "offset_of"]

MORNING_WAITS_UNTIL_H = 16
NOTES_COUNT_BEFORE_H = 2
QUIET_AFTER_NOTE = timedelta(minutes=10)
TRY_AGAIN_AFTER, TRY_AGAIN_AT_THE_END = timedelta(minutes=30), timedelta(minutes=5)


@dataclass(frozen=True)
class NightSeen:
    """One vintage of a wake day, as in the table ``days``."""

    day: date
    state: str
    known_at: datetime
    utc_offset_min: int | None


@dataclass(frozen=True)
class MemberView:
    """What `due` needs of one member.

    Attributes
    ----------
    nights : sequence of NightSeen
        The last weeks, oldest day first, vintages of a day in their order.
    issued : frozenset of (day, slot)
        Live forecasts that the product stands by.
    notes_at : sequence of datetime
        When notes were told.
    """

    member_id: str
    nights: Sequence[NightSeen]
    issued: frozenset[tuple[date, str]] = frozenset()
    notes_at: Sequence[datetime] = ()


@dataclass(frozen=True)
class StoreView:
    """Everything `due` looks at, besides the clock."""

    members: Sequence[MemberView]
    last_issued_at: datetime | None = None
    evening_hour: float = 22.0


@dataclass(frozen=True)
class Due:
    """A forecast that should be made now."""

    member_id: str
    day: date
    slot: str
    why: str
    opens_at: datetime
    closes_at: datetime

    @property
    def name(self) -> str:
        """Such as ``me-2026-11-21-evening``, as its reports are called."""
        return f"{self.member_id}-{self.day.isoformat()}-{self.slot}"

    @property
    def choice(self) -> str:
        """The value of ``HRV_ISSUE`` for the steps of its run."""
        return issue_choice(self.slot, self.day)

    def run_key(self, now: datetime) -> str:
        """The same for every tick of half an hour; after that a run that came to nothing may be tried again.

        Sooner in the last half hour, because there is no later.
        """
        if (left := self.closes_at - now) < TRY_AGAIN_AFTER:
            return f"{self.name}-last-{left // TRY_AGAIN_AT_THE_END}"
        return f"{self.name}-{(now - self.opens_at) // TRY_AGAIN_AFTER}"

    def describe(self) -> dict[str, str]:
        """As JSON values."""
        return {
            "member_id": self.member_id, "day": self.day.isoformat(), "slot": self.slot, "why": self.why,
            "closes_at": self.closes_at.isoformat(),
        }  # fmt: skip


def due(view: StoreView, now: datetime) -> list[Due]:
    """Every forecast that should be made at ``now``, at most one a member."""
    if view.last_issued_at is not None and now < view.last_issued_at:
        return []
    found = (_due_of(member, view.evening_hour, now) for member in view.members)
    return [item for item in found if item is not None]


def offset_of(nights: Sequence[NightSeen]) -> int:
    """Where the wearer is: the offset of the last scored night, 0 when it is unknown."""
    return next((n.utc_offset_min for n in reversed(nights) if n.utc_offset_min is not None), 0)


def _due_of(member: MemberView, evening_hour: float, now: datetime) -> Due | None:
    known = {night.day: night for night in member.nights if night.known_at <= now}
    seen = [night for _, night in sorted(known.items()) if night.state != "vanished"]
    scored = [night for night in seen if night.state == "scored"]
    if not scored:
        return None
    offset = offset_of(scored)
    slot, day = slot_and_origin(now, offset, seen[-1].day)
    if (day, slot) in member.issued or (day - scored[-1].day).days > STALE_AFTER_DAYS:
        return None
    if slot == "morning":
        why = _why_morning(day, scored[-1].day == day, now, offset)
    else:
        why = _why_evening(day, member.notes_at, evening_hour, now, offset)
    if why is None:
        return None
    closes = slot_closes_at(day, slot, offset)
    return Due(member.member_id, day, slot, why, slot_opens_at(day, slot, offset), closes)


def _why_morning(day: date, is_scored: bool, now: datetime, offset: int) -> str | None:
    if is_scored:
        return f"the night of {day} is scored"
    waited = now >= slot_opens_at(day, "morning", offset) + timedelta(hours=MORNING_WAITS_UNTIL_H)
    return f"the night of {day} is not scored by {MORNING_WAITS_UNTIL_H}:00" if waited else None


def _why_evening(
    day: date, notes_at: Sequence[datetime], evening_hour: float, now: datetime, offset: int
) -> str | None:
    at_the_hour = slot_opens_at(day, "morning", offset) + timedelta(hours=evening_hour)
    if now >= at_the_hour:
        return f"it is past {int(evening_hour) % 24:02d}:{round(evening_hour % 1 * 60):02d}"
    from_when = at_the_hour - timedelta(hours=NOTES_COUNT_BEFORE_H)
    told = [at for at in notes_at if from_when <= at <= now]
    if told and now - max(told) >= QUIET_AFTER_NOTE:
        return f"a note was told at {local_time(max(told), offset):%H:%M}"
    return None
