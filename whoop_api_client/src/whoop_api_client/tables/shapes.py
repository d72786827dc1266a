"""One typed shape for a cycle, a sleep, a recovery, a workout, whether WHOOP's API or its export told us.

Durations are minutes, energies kcal, HRV is RMSSD in ms, instants are UTC. `read` is the only way from a fact to a
shape; WHOOP's own field names end in `api_shapes` and `export_shapes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hrv_shared.record import Fact

__all__ = [
    "API_KINDS", "EXPORT_KINDS", "CycleShape", "ExportCycle", "RecoveryShape", "Shape", "SleepShape", "WorkoutShape",
    "read",
]  # fmt: skip

API_KINDS = ("cycle", "sleep", "recovery", "workout")
EXPORT_KINDS = ("export_cycle", "export_sleep", "export_workout")

Values = dict[str, float | None]
"""Columns of a block of `hrv_shared.schemas`: name with unit -> value."""


@dataclass(frozen=True, slots=True)
class CycleShape:
    """A physiological cycle: from falling asleep to falling asleep."""

    start_at: datetime
    end_at: datetime | None
    utc_offset_min: int
    state: str
    load: Values


@dataclass(frozen=True, slots=True)
class SleepShape:
    """A night or a nap. The API ties it to a cycle by key, the export by the cycle's start."""

    start_at: datetime
    end_at: datetime
    is_nap: bool
    state: str
    block: Values
    cycle_key: str | None = None
    cycle_start_at: datetime | None = None
    disturbance_count: int | None = None

    @property
    def length_s(self) -> float:
        """From onset to waking, seconds."""
        return (self.end_at - self.start_at).total_seconds()


@dataclass(frozen=True, slots=True)
class RecoveryShape:
    """What WHOOP computed from a night."""

    state: str
    is_calibrating: bool
    block: Values
    cycle_key: str | None = None
    sleep_key: str | None = None


@dataclass(frozen=True, slots=True)
class WorkoutShape:
    """An activity."""

    start_at: datetime
    end_at: datetime
    sport: str
    state: str
    load: Values
    recorded_fraction: float | None = None
    zone_min: tuple[float | None, ...] | None = None
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class ExportCycle:
    """A row of the export's cycles file: cycle, night and recovery in one.

    Attributes
    ----------
    whose : str
        Whose night the row shows (`export.nights`): only ``own`` is this cycle's.
    earlier : ExportCycle or None
        The row as an earlier export had it, when a nap has overwritten it since.
    """

    cycle: CycleShape
    whose: str
    sleep: SleepShape | None
    recovery: RecoveryShape | None
    earlier: ExportCycle | None = field(default=None)

    @property
    def start_at(self) -> datetime:
        """Start of the cycle."""
        return self.cycle.start_at


Shape = CycleShape | SleepShape | RecoveryShape | WorkoutShape | ExportCycle


def read(fact: Fact) -> Shape:
    """Read a fact of `API_KINDS` or `EXPORT_KINDS`.

    Raises
    ------
    ValueError
        The payload lacks what the shape cannot do without, or holds nonsense there.
    """
    from whoop_api_client.tables import api_shapes, export_shapes

    readers: dict[str, Any] = api_shapes.READERS | export_shapes.READERS
    try:
        return readers[fact.kind](fact.payload)
    except (AttributeError, KeyError, OverflowError, TypeError) as error:
        raise ValueError(f"{fact.kind} {fact.key}: {type(error).__name__}") from error
