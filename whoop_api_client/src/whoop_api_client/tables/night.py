"""One cycle as far as it is known -> the day that it opens.

The night and its recovery come first and belong to the day of waking; strain, naps and workouts of the same cycle
happen after them, on that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hrv_shared.daytime import wake_day
from hrv_shared.schemas import DAYTIME_COLUMNS, NIGHT_COLUMNS
from whoop_api_client.export.nights import COPIED, NAP
from whoop_api_client.tables.shapes import CycleShape, ExportCycle, RecoveryShape, SleepShape, WorkoutShape
from whoop_api_client.tables.timeline import Id
from whoop_api_client.tables.world import OWN_WITHIN, World

__all__ = ["OpenedDay", "Told", "VALUE_COLUMNS", "opened_day"]

LONG_CYCLE = timedelta(hours=30)
HALF_A_DAY = timedelta(hours=12)

VALUE_COLUMNS = (*NIGHT_COLUMNS, *DAYTIME_COLUMNS)


@dataclass(frozen=True)
class Told:
    """The very shapes out of which a day was made; `tables.lineage` finds their facts again."""

    cycle: CycleShape
    sleep: SleepShape | None
    recovery: RecoveryShape | None
    naps: tuple[SleepShape, ...]
    workouts: tuple[WorkoutShape, ...]
    beside: ExportCycle | None
    """The export's row of a cycle that the API told."""


@dataclass(frozen=True)
class OpenedDay:
    """What one cycle says of its day.

    Attributes
    ----------
    rank : tuple
        Of several cycles of one day the greatest is kept: a night before a lost night before none, the longest
        sleep, else the later.
    """

    day: date
    rank: tuple[int, float, datetime, Id]
    source: str
    state: str
    utc_offset_min: int
    values: dict[str, Any]
    flags: frozenset[str]
    told: Told

    @property
    def has_sleep(self) -> bool:
        """Whether there was a sleep of its own."""
        return self.rank[0] == 2


@dataclass(frozen=True)
class _Night:
    """The night of a cycle out of the sources that tell it."""

    sleep: SleepShape | None
    recovery: RecoveryShape | None
    flags: frozenset[str] = frozenset()
    is_lost: bool = False


def opened_day(world: World, thing: Id) -> OpenedDay | None:
    """The day that a cycle opens, as known now; None when the cycle is gone or another source tells it."""
    if thing not in world.shapes or not world.stands(thing):
        return None
    shape = world.shapes[thing]
    told_by_api = not isinstance(shape, ExportCycle)
    cycle = shape if told_by_api else shape.cycle
    export = world.twin(thing) if told_by_api else shape
    night = _api_night(world, thing, export) if told_by_api else _export_night(world, shape)
    state = _state(night, is_open=cycle.end_at is None)
    flags = set(night.flags)
    if cycle.end_at is not None and cycle.end_at - cycle.start_at > LONG_CYCLE:
        flags.add("long_cycle")
    source = ("whoop-api" if export is None else "whoop-api+whoop-export") if told_by_api else "whoop-export"
    end = cycle.end_at or cycle.start_at + 2 * HALF_A_DAY
    woken_at = night.sleep.end_at if night.sleep else cycle.start_at + (end - cycle.start_at) / 2
    length_s = night.sleep.length_s if night.sleep else 0.0
    naps, workouts = world.within(world.naps, thing), world.within(world.workouts, thing)
    told = Told(
        cycle, night.sleep, night.recovery, tuple(naps), tuple(workouts), export if told_by_api else None
    )
    is_night = 2 if night.sleep else 1 if night.is_lost or night.recovery else 0
    return OpenedDay(
        day=wake_day(woken_at, cycle.utc_offset_min),
        rank=(is_night, length_s, woken_at, thing),
        source=source,
        state=state,
        utc_offset_min=cycle.utc_offset_min,
        values=_night_values(night, state) | _daytime_values(world, thing, told),
        flags=frozenset(flags),
        told=told,
    )


def _api_night(world: World, thing: Id, export: ExportCycle | None) -> _Night:
    """The API's word, and the export's only on what the API never told."""
    told_sleep, mains = world.api_mains(thing)
    told_recovery, recovery = world.api_recovery(thing[1])
    sleep = max(mains, key=lambda s: (s.length_s, s.end_at), default=None)
    flags: frozenset[str] = frozenset()
    is_lost = False
    if export is not None and not (told_sleep and told_recovery):
        other = _export_night(world, export)
        if not told_sleep:
            sleep = other.sleep
        if not told_recovery:
            recovery, flags, is_lost = other.recovery, other.flags, other.is_lost
    return _Night(sleep, recovery, flags, is_lost)


def _export_night(world: World, row: ExportCycle) -> _Night:
    whose = row.whose
    if row.sleep is not None and any(t[0] == "export_sleep" and t not in world.gone
                                     for t in world.naps.near(row.sleep.start_at)):  # fmt: skip
        whose = NAP
    if whose != NAP:
        return _Night(
            row.sleep, row.recovery, frozenset({"night_copied"}) if whose == COPIED else frozenset()
        )
    flags = frozenset({"nap_overwritten"})
    if row.earlier is not None:
        return _Night(row.earlier.sleep, row.earlier.recovery, flags | {"night_of_earlier_export"})
    mains = [world.shapes[t] for t in world.export_mains.near(row.start_at) if t not in world.gone]
    own = next((s for s in mains if abs(s.start_at - row.start_at) <= OWN_WITHIN), None)
    return _Night(own, None, flags, is_lost=True)


def _state(night: _Night, *, is_open: bool) -> str:
    recovery = night.recovery
    if recovery is None:
        if night.is_lost:
            return "invalid"
        if is_open and not (night.sleep and night.sleep.state == "unscorable"):
            return "pending"
        return "unscorable" if night.sleep else "no_sleep"
    if recovery.state != "scored":
        return recovery.state
    if not (recovery.block["hrv_rmssd_ms"] or 0) > 0:
        return "unscorable"
    return "calibrating" if recovery.is_calibrating else "scored"


def _night_values(night: _Night, state: str) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(NIGHT_COLUMNS)
    if night.sleep is not None:
        values |= night.sleep.block
        values |= {"sleep_onset_at": night.sleep.start_at, "wake_at": night.sleep.end_at}
    if night.recovery is not None:
        values |= night.recovery.block
    if state not in ("scored", "calibrating"):
        values["hrv_rmssd_ms"] = None
    return values


def _daytime_values(world: World, thing: Id, told: Told) -> dict[str, Any]:
    cycle, naps, workouts = told.cycle, told.naps, told.workouts
    strains = [w.load["strain_0_21"] for w in workouts if w.load["strain_0_21"] is not None]
    knows_naps, knows_workouts = world.knows_naps(thing), world.knows_workouts(thing)
    is_final = cycle.end_at is not None and cycle.state == "scored" and cycle.load["strain_0_21"] is not None
    return {
        **cycle.load,
        "nap_min": sum((n.block["asleep_min"] or 0.0 for n in naps), 0.0) if knows_naps else None,
        "strain_is_final": is_final,
        "workout_count": len(workouts) if knows_workouts else None,
        "workout_min": sum(((w.end_at - w.start_at).total_seconds() / 60 for w in workouts), 0.0)
        if knows_workouts
        else None,
        "workout_strain_max": max(strains, default=None),
        "last_workout_end_at": max((w.end_at for w in workouts), default=None),
        "day_closed_at": cycle.end_at,
    }
