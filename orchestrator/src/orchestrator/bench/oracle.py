"""What should have been issued, worked out again by brute force: no import of ours, naive local times, every tick.

For each tick it asks of every day nearby and both slots whether a forecast could honestly have been made; then it
compares that with the ledger's rows and with what was tried.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

__all__ = ["Arrival", "Attempt", "Verdict", "judge"]

Slot = tuple[str, date, str]


@dataclass(frozen=True)
class Arrival:
    """A scored night came into the store at a tick; ``known_at`` is the machine's clock then."""

    tick: int
    member_id: str
    day: date
    utc_offset_min: int
    known_at: datetime


@dataclass(frozen=True)
class Attempt:
    """A run: which slot, how it ended (``done``, ``killed``, the code of a refusal), when by the machine's clock."""

    tick: int
    member_id: str
    day: date
    slot: str
    outcome: str
    started_at: datetime
    ended_at: datetime


@dataclass
class Verdict:
    """What came out. All lists but `killed` and `clock_wrong` must be empty.

    These two are slots of which every chance was cut off: by a kill; or because the clock stood behind the ledger (one
    that ran ahead for a while has issued at its time, and nothing may be issued before that) or left the slot.
    """

    possible: int = 0
    issued: int = 0
    twice: list[Slot] = field(default_factory=list)
    skipped: list[Slot] = field(default_factory=list)
    unasked: list[Slot] = field(default_factory=list)
    late: list[Slot] = field(default_factory=list)
    not_at_once: list[Slot] = field(default_factory=list)
    backwards: int = 0
    killed: list[Slot] = field(default_factory=list)
    clock_wrong: list[Slot] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Numbers for the report."""
        return {
            "slots_possible": self.possible, "slots_issued": self.issued, "issued_twice": len(self.twice),
            "skipped": len(self.skipped), "issued_without_cause": len(self.unasked), "issued_late": len(self.late),
            "not_at_the_first_chance": len(self.not_at_once), "issued_backwards": self.backwards,
            "cut_off_by_kills": len(self.killed), "cut_off_by_the_clock": len(self.clock_wrong),
        }  # fmt: skip

    @property
    def is_sound(self) -> bool:
        """Each slot at most once, none late, none without cause, none skipped."""
        faults = (self.twice, self.skipped, self.unasked, self.late, self.not_at_once)
        return not any(faults) and not self.backwards


def judge(
    ticks: list[datetime],
    arrivals: list[Arrival],
    notes: list[tuple[str, datetime, int]],
    attempts: list[Attempt],
    issued: list[tuple[str, date, str, int, datetime]],
    writes: list[tuple[int, datetime]],
    *,
    evening_hour: float,
) -> Verdict:
    """Compare the ledger with what was possible.

    Parameters
    ----------
    ticks : the machine's clock at each tick
    notes : member, told at, tick from which it was in the store
    issued : member, origin day, slot, horizon, issued at: the product's rows
    writes : tick and issue instant of everything that was written, in its order
    """
    verdict = Verdict(backwards=sum(a[1] > b[1] for a, b in zip(writes, writes[1:], strict=False)))
    rows = Counter((m, d, s, h) for m, d, s, h, _ in issued)
    when = {(m, d, s): at for m, d, s, _, at in issued}
    verdict.twice = sorted({key[:3] for key, n in rows.items() if n > 1})
    verdict.issued = len(when)
    tried: dict[tuple[int, Slot], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        tried[attempt.tick, (attempt.member_id, attempt.day, attempt.slot)].append(attempt)
    chances: dict[Slot, list[int]] = defaultdict(list)
    offsets: dict[Slot, set[int]] = defaultdict(set)
    for member in sorted({a.member_id for a in arrivals}):
        own = [a for a in arrivals if a.member_id == member]
        told = [(at, tick) for m, at, tick in notes if m == member]
        for tick, now in enumerate(ticks):
            recent = [a for a in own if a.tick <= tick and a.known_at <= now]
            slot = _possible(recent, [at for at, since in told if since <= tick and abs(at - now) < timedelta(days=2)],
                             now, evening_hour)  # fmt: skip
            if slot is not None:
                chances[member, slot[0], slot[1]].append(tick)
                offsets[member, slot[0], slot[1]].add(slot[2])
    verdict.possible = len(chances)
    stood_at: list[datetime | None] = []  # the ledger's newest instant as each tick found it
    newest, at_write = None, 0
    for tick in range(len(ticks)):
        while at_write < len(writes) and writes[at_write][0] < tick:
            newest, at_write = writes[at_write][1], at_write + 1
        stood_at.append(newest)
    for key, at_ticks in sorted(chances.items()):
        _judge_slot(verdict, key, at_ticks, ticks, tried, when, stood_at)
    verdict.unasked = sorted(key for key in when if key not in chances)
    verdict.late = sorted(
        key
        for key, at in when.items()
        if key in chances and not any(_in_time(key, at, o) for o in offsets[key])
    )
    return verdict


def _judge_slot(verdict, key, at_ticks, ticks, tried, when, stood_at) -> None:
    """The first chance must have been taken; a later one only when the earlier ones were cut off."""
    for tick in at_ticks:
        runs = tried.get((tick, key), [])
        if not runs:
            if (
                stood_at[tick] is not None and ticks[tick] < stood_at[tick]
            ):  # the clock is behind what is written
                continue
            if key in when and when[key] <= ticks[tick]:
                return
            verdict.not_at_once.append(key)
            if key not in when:
                verdict.skipped.append(key)
            return
        if any(run.outcome == "done" for run in runs):
            if key not in when:
                verdict.skipped.append(key)
            return
    if key not in when:
        outcomes = {run.outcome for tick in at_ticks for run in tried.get((tick, key), [])}
        (verdict.killed if "killed" in outcomes else verdict.clock_wrong).append(key)


def _possible(
    recent: list[Arrival], told: list[datetime], now: datetime, evening_hour: float
) -> tuple[date, str, int] | None:
    if not recent:
        return None
    newest = max(recent, key=lambda a: a.day)
    local = now.replace(tzinfo=None) + timedelta(minutes=newest.utc_offset_min)
    if 4 <= local.hour < 18:
        day, slot = local.date(), "morning"
    elif local.hour >= 18:
        day, slot = local.date(), "evening"
    elif newest.day == local.date():
        day, slot = local.date(), "morning"
    else:
        day, slot = local.date() - timedelta(days=1), "evening"
    if day - newest.day > timedelta(days=3):
        return None
    hours = (local - datetime.combine(day, time())) / timedelta(hours=1)
    if slot == "morning":
        return (day, slot, newest.utc_offset_min) if newest.day == day or hours >= 16 else None
    hours_told = [hours - (now - at) / timedelta(hours=1) for at in told if at <= now]
    counting = [h for h in hours_told if evening_hour - 2 <= h]
    quiet = bool(counting) and hours - max(counting) >= 10 / 60
    return (day, slot, newest.utc_offset_min) if hours >= evening_hour or quiet else None


def _in_time(key: Slot, at: datetime, utc_offset_min: int) -> bool:
    """Within its hours, or at most two hours after a morning's; never after 04:00."""
    _, day, slot = key
    local = at.replace(tzinfo=None) + timedelta(minutes=utc_offset_min)
    hours = (local - datetime.combine(day, time())) / timedelta(hours=1)
    return 0 <= hours < 20 if slot == "morning" else 18 <= hours < 28
