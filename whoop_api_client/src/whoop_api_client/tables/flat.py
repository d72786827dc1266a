"""The flat tables ``cycles``, ``sleeps``, ``recoveries`` and ``workouts``: everything once, at its latest revision.

Where the API and the export tell the same thing (starts within two seconds), the API's row stands, decimals and all,
and ``source`` names both.
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
            latest[revision.target] = revision
    flat = _Flat({thing[1] for thing in latest if thing[0] == "recovery"})
    # API first, then sleeps.csv, then the nights of the cycles file: who comes first stands
    for thing in sorted(latest, key=lambda t: (_ORDER[t[0]], t[1])):
        fact, shape = latest[thing].fact, latest[thing].shape
        base = _base(member_id, fact, gone.get(thing, False))
        if isinstance(shape, RecoveryShape):
            flat.put_recovery(_recovery(base, shape, fact.key), thing)
        elif isinstance(shape, ExportCycle):
            flat.put_export_cycle(base, shape, thing)
        elif isinstance(shape, SleepShape):
            flat.put_sleep(_sleep(base, shape, fact.key), shape, thing)
        else:
            table = _TABLE[thing[0]]
            flat.put(table, shape.start_at, _ROWS[table](base, shape, fact.key), thing)
    return flat.tables


class _Flat:
    """The four tables as they grow, and who stands at which start."""

    def __init__(self, recovered: set[str]) -> None:
        self.tables: dict[str, list[Row]] = {"cycles": [], "sleeps": [], "recoveries": [], "workouts": []}
        self._seen = {name: Timeline() for name in ("cycles", "sleeps", "workouts")}
        self._rows: dict[tuple[str, Id], Row] = {}
        self._recovered = recovered
        self._nights, self._night_of = Timeline(), dict[str, Id]()

    def put(self, table: str, at: datetime, row: Row, thing: Id) -> None:
        """Add a row, unless another source tells it: then that row stands, and names this source too."""
        others = [other for other in self._seen[table].near(at, SAME_INSTANT) if other[0] != thing[0]]
        if others:
            _name_source(self._rows[table, others[0]], row)
            return
        self._seen[table].add(at, thing)
        self._add(table, row, thing)

    def put_sleep(self, row: Row, shape: SleepShape, thing: Id) -> None:
        """Add a sleep that the API or the sleeps file told, and remember whose night it is."""
        self.put("sleeps", shape.start_at, row, thing)
        if shape.is_nap or ("sleeps", thing) not in self._rows:
            return
        if shape.cycle_key is not None:
            self._night_of.setdefault(shape.cycle_key, thing)
        elif shape.cycle_start_at is not None:
            self._nights.add(shape.cycle_start_at, thing)

    def put_recovery(self, row: Row, thing: Id) -> None:
        """Add a recovery that the API told."""
        self._add("recoveries", row, thing)

    def put_export_cycle(self, base: Row, shape: ExportCycle, thing: Id) -> None:
        """Add what a row of the cycles file tells of the cycle, its night and its recovery."""
        key = thing[1]
        twins = [t for t in self._seen["cycles"].near(shape.start_at) if t[0] == "cycle"]
        self.put("cycles", shape.start_at, _cycle(base, shape.cycle, key), thing)
        if shape.sleep is not None:
            night = [self._night_of[t[1]] for t in twins if t[1] in self._night_of] + self._nights.near(
                shape.start_at
            )
            if night:
                _name_source(self._rows["sleeps", night[0]], base)
            else:
                self.put("sleeps", shape.sleep.start_at, _sleep(base, shape.sleep, f"cycle:{key}"), thing)
        told = next((t for t in twins if t[1] in self._recovered), None)
        if shape.whose == NAP and not twins:
            self._add("recoveries", _recovery(base, RecoveryShape("invalid", False, {}), key), thing)
        elif shape.recovery is not None and told is None:
            self._add("recoveries", _recovery(base, shape.recovery, key), thing)
        elif shape.recovery is not None:
            _name_source(self._rows["recoveries", ("recovery", told[1])], base)

    def _add(self, table: str, row: Row, thing: Id) -> None:
        self.tables[table].append(row)
        self._rows[table, thing] = row


def _name_source(row: Row, other: Row) -> None:
    if not other["gone"]:
        row["source"] = "+".join(sorted({*row["source"].split("+"), other["source"]}))


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
_ROWS = {"cycles": _cycle, "workouts": _workout}
_ORDER = {
    kind: place
    for place, kind in enumerate(
        ("cycle", "sleep", "recovery", "workout", "export_sleep", "export_workout", "export_cycle")
    )
}
