"""What a WHOOP answer means, typed and tolerant.

The record keeps each answer as it came (a plain dict). These models are the reading glasses: an absent key and a
null are the same, unknown keys are kept, numbers may be ints or floats. But a text is no number and no truth, and a
number outside what a body can do is no measurement: such a record is refused (see `received`), because the tables read
the same payload. Field names are WHOOP's own (this is where the payload is mapped); durations are milliseconds,
energies kJ, HRV is RMSSD in ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hrv_shared.daytime import parse_instant

PENDING = "PENDING_SCORE"


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("expected an ISO 8601 text")
    try:
        instant = parse_instant(value)
    except (ValueError, OverflowError):
        raise ValueError("expected an ISO 8601 instant") from None
    if instant < _EARLIEST:
        raise ValueError("lies before there was any WHOOP")
    return instant


_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000

Instant = Annotated[datetime, BeforeValidator(_instant)]
Number = Annotated[int, Field(ge=0, lt=2**63)]
Uuid = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
Short = Annotated[str, Field(max_length=200)]

# wide on purpose: to keep out nonsense, not to judge a heart
Percent = Annotated[float, Field(ge=0, le=200)]
Beats = Annotated[float, Field(ge=0, le=400)]
Strain = Annotated[float, Field(ge=0, le=30)]
Kilojoule = Annotated[float, Field(ge=0, le=200_000)]
Milliseconds = Annotated[float, Field(ge=0, le=7 * _DAY_MS)]
Need = Annotated[float, Field(ge=-7 * _DAY_MS, le=7 * _DAY_MS)]
Count = Annotated[float, Field(ge=0, le=100_000)]
Meters = Annotated[float, Field(ge=-2_000_000, le=2_000_000)]


class WhoopModel(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)


class Scored(WhoopModel):
    """What cycle, sleep, recovery and workout share."""

    user_id: Number
    created_at: Instant
    updated_at: Instant
    score_state: Short


class CycleScore(WhoopModel):
    strain: Strain | None = None
    kilojoule: Kilojoule | None = None
    average_heart_rate: Beats | None = None
    max_heart_rate: Beats | None = None


class Cycle(Scored):
    id: Number
    start: Instant
    end: Instant | None = None
    timezone_offset: Short
    score: CycleScore | None = None


class RecoveryScore(WhoopModel):
    user_calibrating: bool | None = None
    recovery_score: Percent | None = None
    resting_heart_rate: Beats | None = None
    hrv_rmssd_milli: Annotated[float, Field(ge=0, le=1000)] | None = None
    spo2_percentage: Percent | None = None
    skin_temp_celsius: Annotated[float, Field(ge=-50, le=100)] | None = None


class Recovery(Scored):
    cycle_id: Number
    sleep_id: Uuid
    score: RecoveryScore | None = None


class StageSummary(WhoopModel):
    total_in_bed_time_milli: Milliseconds | None = None
    total_awake_time_milli: Milliseconds | None = None
    total_no_data_time_milli: Milliseconds | None = None
    total_light_sleep_time_milli: Milliseconds | None = None
    total_slow_wave_sleep_time_milli: Milliseconds | None = None
    total_rem_sleep_time_milli: Milliseconds | None = None
    sleep_cycle_count: Count | None = None
    disturbance_count: Count | None = None

    @property
    def asleep_milli(self) -> float | None:
        """Light + slow wave + REM; WHOOP sends no such field."""
        parts = (
            self.total_light_sleep_time_milli,
            self.total_slow_wave_sleep_time_milli,
            self.total_rem_sleep_time_milli,
        )
        return None if None in parts else sum(parts)


class SleepNeeded(WhoopModel):
    baseline_milli: Need | None = None
    need_from_sleep_debt_milli: Need | None = None
    need_from_recent_strain_milli: Need | None = None
    need_from_recent_nap_milli: Need | None = None  # zero or negative


class SleepScore(WhoopModel):
    stage_summary: StageSummary | None = None
    sleep_needed: SleepNeeded | None = None
    respiratory_rate: Annotated[float, Field(ge=0, le=200)] | None = None
    sleep_performance_percentage: Percent | None = None
    sleep_consistency_percentage: Percent | None = None
    sleep_efficiency_percentage: Percent | None = None


class Sleep(Scored):
    id: Uuid
    cycle_id: Number | None = None  # absent in dumps made before the v2 API
    start: Instant
    end: Instant
    timezone_offset: Short
    nap: bool
    score: SleepScore | None = None


class ZoneDurations(WhoopModel):
    zone_zero_milli: Milliseconds | None = None
    zone_one_milli: Milliseconds | None = None
    zone_two_milli: Milliseconds | None = None
    zone_three_milli: Milliseconds | None = None
    zone_four_milli: Milliseconds | None = None
    zone_five_milli: Milliseconds | None = None


class WorkoutScore(WhoopModel):
    strain: Strain | None = None
    kilojoule: Kilojoule | None = None
    average_heart_rate: Beats | None = None
    max_heart_rate: Beats | None = None
    percent_recorded: Percent | None = None  # live answers give 0-1, the document says 0-100
    zone_durations: ZoneDurations | None = None
    distance_meter: Meters | None = None
    altitude_gain_meter: Meters | None = None
    altitude_change_meter: Meters | None = None


class Workout(Scored):
    id: Uuid
    start: Instant
    end: Instant
    timezone_offset: Short
    sport_name: Short | None = None
    score: WorkoutScore | None = None


class Profile(WhoopModel):
    user_id: Number
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Body(WhoopModel):
    height_meter: float | None = None
    weight_kilogram: float | None = None
    max_heart_rate: Beats | None = None


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
