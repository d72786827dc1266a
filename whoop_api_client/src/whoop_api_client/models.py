"""What a WHOOP answer means, typed and tolerant.

The record keeps each answer as it came (a plain dict). These models are the reading glasses: an absent key and a
null are the same, unknown keys are kept, numbers may be ints or floats. Field names are WHOOP's own (this is where
the payload is mapped); durations are milliseconds, energies kJ, HRV is RMSSD in ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

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


class SleepNeeded(WhoopModel):
    baseline_milli: float | None = None
    need_from_sleep_debt_milli: float | None = None
    need_from_recent_strain_milli: float | None = None
    need_from_recent_nap_milli: float | None = None  # zero or negative


class SleepScore(WhoopModel):
    stage_summary: StageSummary | None = None
    sleep_needed: SleepNeeded | None = None
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


class ZoneDurations(WhoopModel):
    zone_zero_milli: float | None = None
    zone_one_milli: float | None = None
    zone_two_milli: float | None = None
    zone_three_milli: float | None = None
    zone_four_milli: float | None = None
    zone_five_milli: float | None = None


class WorkoutScore(WhoopModel):
    strain: float | None = None
    kilojoule: float | None = None
    average_heart_rate: float | None = None
    max_heart_rate: float | None = None
    percent_recorded: float | None = None  # live answers give 0-1, the document says 0-100
    zone_durations: ZoneDurations | None = None
    distance_meter: float | None = None
    altitude_gain_meter: float | None = None
    altitude_change_meter: float | None = None


class Workout(Scored):
    id: str
    start: Instant
    end: Instant
    timezone_offset: str
    sport_name: str | None = None
    score: WorkoutScore | None = None


class Profile(WhoopModel):
    user_id: int
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Body(WhoopModel):
    height_meter: float | None = None
    weight_kilogram: float | None = None
    max_heart_rate: float | None = None


class StreamPoint(WhoopModel):
    timestamp: Instant
    hr: float | None = None
    skin_temp: float | None = None
    board_temp: float | None = None
    battery_temp: float | None = None
    is_sleeping: bool | None = None
    is_charging: bool | None = None


class SleepStream(WhoopModel):
    """What the strap measured during a sleep; no beat-to-beat intervals."""

    stream: list[StreamPoint] = []
    algorithm_version: str | None = None


class ActivityMapping(WhoopModel):
    v2_activity_id: str


class Nothing(WhoopModel):
    """The answer to a question that has none (204)."""


M = TypeVar("M", bound=Scored)


@dataclass(frozen=True)
class Collection(Generic[M]):
    """One paged endpoint: its path below the API base, the key that identifies a record, and its model."""

    kind: str
    path: str
    key_field: str
    model: type[M]

    def key(self, raw: dict[str, Any]) -> str:
        return str(raw[self.key_field])


CYCLES = Collection("cycle", "/v2/cycle", "id", Cycle)
SLEEPS = Collection("sleep", "/v2/activity/sleep", "id", Sleep)
# a recovery has no id of its own: at most one per cycle
RECOVERIES = Collection("recovery", "/v2/recovery", "cycle_id", Recovery)
WORKOUTS = Collection("workout", "/v2/activity/workout", "id", Workout)

COLLECTIONS: dict[str, Collection[Any]] = {c.kind: c for c in (CYCLES, SLEEPS, RECOVERIES, WORKOUTS)}
