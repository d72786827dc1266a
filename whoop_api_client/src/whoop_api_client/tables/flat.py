"""The flat tables ``cycles``, ``sleeps``, ``recoveries`` and ``workouts``: everything once, at its latest revision.

Where the API and the export tell the same thing (starts within two seconds), the API's row stands.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hrv_shared.record import Fact
from whoop_api_client.export.nights import NAP, SAME_INSTANT
from whoop_api_client.tables.revisions import Revision
from whoop_api_client.tables.shapes import CycleShape, ExportCycle, RecoveryShape, SleepShape, WorkoutShape
from whoop_api_client.tables.timeline import Id, Timeline

__all__ = ["flat_rows"]

Row = dict[str, Any]


def flat_rows(member_id: str, revisions: list[Revision]) -> dict[str, list[Row]]:
    """Make the rows of one member from revisions ordered by ``known_at``."""
    latest: dict[Id, Revision] = {}
    gone: dict[Id, bool] = {}
    for revision in revisions:
        if revision.shape is None:
            gone[revision.target] = revision.gone
        else:
            latest[revision.thing] = revision
    tables: dict[str, list[Row]] = {"cycles": [], "sleeps": [], "recoveries": [], "workouts": []}
    seen = {name: Timeline() for name in ("cycles", "sleeps", "workouts")}
    recovered = {thing[1] for thing in latest if thing[0] == "recovery"}
    # API first, then sleeps.csv, then the nights of the cycles file: who comes first stands
    for thing in sorted(latest, key=lambda t: (_ORDER[t[0]], t[1])):
        fact, shape = latest[thing].fact, latest[thing].shape
        base = _base(member_id, fact, gone.get(thing, False))
        if isinstance(shape, RecoveryShape):
            tables["recoveries"].append(_recovery(base, shape, fact.key))
        elif isinstance(shape, ExportCycle):
            _add_export_cycle(tables, seen, recovered, base, shape, thing)
        elif _is_new(seen[_TABLE[thing[0]]], shape.start_at, thing):
            tables[_TABLE[thing[0]]].append(_ROWS[_TABLE[thing[0]]](base, shape, fact.key))
    return tables


def _add_export_cycle(tables: dict[str, list[Row]], seen: dict[str, Timeline], recovered: set[str], base: Row,
                      shape: ExportCycle, thing: Id) -> None:  # fmt: skip
    key = thing[1]
    twins = [t for t in seen["cycles"].near(shape.start_at) if t[0] == "cycle"]
    if _is_new(seen["cycles"], shape.start_at, thing):
        tables["cycles"].append(_cycle(base, shape.cycle, key))
    if shape.sleep is not None and _is_new(seen["sleeps"], shape.sleep.start_at, thing):
        tables["sleeps"].append(_sleep(base, shape.sleep, key))
    if shape.whose == NAP and not twins:
        nothing = RecoveryShape("invalid", False, {})
        tables["recoveries"].append(_recovery(base, nothing, key))
    elif shape.recovery is not None and not any(t[1] in recovered for t in twins):
        tables["recoveries"].append(_recovery(base, shape.recovery, key))


def _is_new(seen: Timeline, at: datetime, thing: Id) -> bool:
    """Whether nobody of another source has told it; remembers it."""
    told = any(kind != thing[0] for kind, _ in seen.near(at, SAME_INSTANT))
    if not told:
        seen.add(at, thing)
    return not told


def _base(member_id: str, fact: Fact, gone: bool) -> Row:
    return {
        "member_id": member_id, "revision": fact.revision, "known_at": fact.known_at, "basis": fact.basis,
        "source": fact.source, "gone": gone,
    }  # fmt: skip


def _cycle(base: Row, shape: CycleShape, key: str) -> Row:
    return base | {
        "cycle_key": key, "start_at": shape.start_at, "end_at": shape.end_at, "state": shape.state,
        "utc_offset_min": shape.utc_offset_min, **shape.load,
    }  # fmt: skip


def _sleep(base: Row, shape: SleepShape, key: str) -> Row:
    cycle_key = shape.cycle_key
    if cycle_key is None and shape.cycle_start_at is not None:
        cycle_key = shape.cycle_start_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return base | {
        "sleep_key": key, "cycle_key": cycle_key, "start_at": shape.start_at, "end_at": shape.end_at,
        "is_nap": shape.is_nap, "state": shape.state, "disturbance_count": shape.disturbance_count, **shape.block,
    }  # fmt: skip


def _recovery(base: Row, shape: RecoveryShape, key: str) -> Row:
    return base | {
        "cycle_key": key, "sleep_key": shape.sleep_key, "state": shape.state,
        "user_calibrating": shape.is_calibrating, **shape.block,
    }  # fmt: skip


def _workout(base: Row, shape: WorkoutShape, key: str) -> Row:
    return base | {
        "workout_key": key, "start_at": shape.start_at, "end_at": shape.end_at, "sport": shape.sport,
        "state": shape.state, "recorded_fraction": shape.recorded_fraction, "distance_m": shape.distance_m,
        "zone_min": None if shape.zone_min is None else list(shape.zone_min), **shape.load,
    }  # fmt: skip


_TABLE = {
    "cycle": "cycles", "sleep": "sleeps", "workout": "workouts",
    "export_cycle": "cycles", "export_sleep": "sleeps", "export_workout": "workouts",
}  # fmt: skip
_ROWS = {"cycles": _cycle, "sleeps": _sleep, "workouts": _workout}
_ORDER = {
    kind: place
    for place, kind in enumerate(
        ("cycle", "sleep", "recovery", "workout", "export_sleep", "export_workout", "export_cycle")
    )
}
