"""What a WHOOP answer means, typed and tolerant.

The record keeps each answer as it came (a plain dict). These models are the reading glasses: an absent key and a
null are the same, unknown keys are kept, numbers may be ints or floats. Field names are WHOOP's own (this is where
the payload is mapped); durations are milliseconds, energies kJ, HRV is RMSSD in ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

PENDING = "PENDING_SCORE"


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_utc)]


class WhoopModel(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Scored(WhoopModel):
    """What cycle, sleep, recovery and workout share."""

    user_id: int
    created_at: Instant
    updated_at: Instant
    score_state: str


class CycleScore(WhoopModel):
    strain: float | None = None
    kilojoule: float | None = None
    average_heart_rate: float | None = None
    max_heart_rate: float | None = None


class Cycle(Scored):
    id: int
    start: Instant
    end: Instant | None = None
    timezone_offset: str
    score: CycleScore | None = None


class RecoveryScore(WhoopModel):
    user_calibrating: bool | None = None
    recovery_score: float | None = None
    resting_heart_rate: float | None = None
    hrv_rmssd_milli: float | None = None
    spo2_percentage: float | None = None
    skin_temp_celsius: float | None = None


class Recovery(Scored):
    cycle_id: int
    sleep_id: str
    score: RecoveryScore | None = None


class StageSummary(WhoopModel):
    total_in_bed_time_milli: int | None = None
    total_awake_time_milli: int | None = None
    total_no_data_time_milli: int | None = None
    total_light_sleep_time_milli: int | None = None
    total_slow_wave_sleep_time_milli: int | None = None
    total_rem_sleep_time_milli: int | None = None
    sleep_cycle_count: int | None = None
    disturbance_count: int | None = None

    @property
    def asleep_milli(self) -> int | None:
        """Light + slow wave + REM; WHOOP sends no such field."""
        parts = (
            self.total_light_sleep_time_milli,
            self.total_slow_wave_sleep_time_milli,
            self.total_rem_sleep_time_milli,
        )
        return None if None in parts else sum(parts)


class SleepScore(WhoopModel):
    stage_summary: StageSummary | None = None
    sleep_needed: dict[str, Any] | None = None
    respiratory_rate: float | None = None
    sleep_performance_percentage: float | None = None
    sleep_consistency_percentage: float | None = None
    sleep_efficiency_percentage: float | None = None


class Sleep(Scored):
    id: str
    cycle_id: int | None = None  # absent in dumps made before the v2 API
    start: Instant
    end: Instant
    timezone_offset: str
    nap: bool
    score: SleepScore | None = None


class WorkoutScore(WhoopModel):
    strain: float | None = None
    kilojoule: float | None = None
    average_heart_rate: float | None = None
    max_heart_rate: float | None = None
    percent_recorded: float | None = None


class Workout(Scored):
    id: str
    start: Instant
    end: Instant
    timezone_offset: str
    sport_name: str | None = None
    score: WorkoutScore | None = None


class Profile(WhoopModel):
    user_id: int


class Body(WhoopModel):
    height_meter: float | None = None
    weight_kilogram: float | None = None
    max_heart_rate: float | None = None


@dataclass(frozen=True)
class Collection:
    """One paged endpoint: its path below the API base, the key that identifies a record, and its model."""

    kind: str
    path: str
    key_field: str
    model: type[Scored]

    def key(self, raw: dict[str, Any]) -> str:
        return str(raw[self.key_field])


COLLECTIONS: dict[str, Collection] = {
    "cycle": Collection("cycle", "/v2/cycle", "id", Cycle),
    "sleep": Collection("sleep", "/v2/activity/sleep", "id", Sleep),
    # a recovery has no id of its own: at most one per cycle
    "recovery": Collection("recovery", "/v2/recovery", "cycle_id", Recovery),
    "workout": Collection("workout", "/v2/activity/workout", "id", Workout),
}
