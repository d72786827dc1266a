"""Where in a payload each quantity of ``days`` comes from: a dotted path for the API, a column for the export."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from whoop_api_client.tables.export_shapes import LOAD_COLUMNS, RECOVERY_COLUMNS, SLEEP_COLUMNS

__all__ = ["PATHS", "PARTS"]

PARTS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(RECOVERY_COLUMNS, "recovery")
    | dict.fromkeys((*SLEEP_COLUMNS, "sleep_onset_at", "wake_at"), "sleep")
    | dict.fromkeys(("strain_0_21", *LOAD_COLUMNS, "strain_is_final", "day_closed_at"), "cycle")
    | dict.fromkeys(("nap_min",), "naps")
    | dict.fromkeys(("workout_count", "workout_min", "workout_strain_max", "last_workout_end_at"), "workouts")
)
"""Quantity -> the part of the day that tells it: recovery, sleep, cycle, naps or workouts."""


def _scored(**fields: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(f"score.{field}" for field in told.split()) for name, told in fields.items()}


_STAGES = "stage_summary.total_{}_time_milli"
_ASLEEP = " ".join(_STAGES.format(part) for part in ("light_sleep", "slow_wave_sleep", "rem_sleep"))
_API_NIGHT = _scored(
    resp_rate_rpm="respiratory_rate",
    asleep_min=_ASLEEP,
    in_bed_min=_STAGES.format("in_bed"),
    light_min=_STAGES.format("light_sleep"),
    deep_min=_STAGES.format("slow_wave_sleep"),
    rem_min=_STAGES.format("rem_sleep"),
    awake_min=_STAGES.format("awake"),
    sleep_efficiency_pct="sleep_efficiency_percentage",
    sleep_performance_pct="sleep_performance_percentage",
    sleep_consistency_pct="sleep_consistency_percentage",
    sleep_need_min="sleep_needed.baseline_milli sleep_needed.need_from_sleep_debt_milli "
    "sleep_needed.need_from_recent_strain_milli sleep_needed.need_from_recent_nap_milli",
    sleep_debt_min="sleep_needed.need_from_sleep_debt_milli",
    nap_min=_ASLEEP,
)
_API_LOAD = _scored(
    strain_0_21="strain",
    energy_kcal="kilojoule",
    avg_hr_bpm="average_heart_rate",
    max_hr_bpm="max_heart_rate",
    strain_is_final="strain",
)
_EXPORT_NIGHT = {name: (column,) for name, column in SLEEP_COLUMNS.items()} | {
    "sleep_onset_at": ("Sleep onset", "Cycle timezone"),
    "wake_at": ("Wake onset", "Cycle timezone"),
    "nap_min": ("Asleep duration (min)",),
}

PATHS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "recovery": _scored(
            hrv_rmssd_ms="hrv_rmssd_milli",
            resting_hr_bpm="resting_heart_rate",
            recovery_pct="recovery_score",
            spo2_pct="spo2_percentage",
            skin_temp_c="skin_temp_celsius",
        ),
        "sleep": _API_NIGHT | {"sleep_onset_at": ("start",), "wake_at": ("end",)},
        "cycle": _API_LOAD | {"day_closed_at": ("end",)},
        "workout": {
            "workout_count": ("start",),
            "workout_min": ("start", "end"),
            "workout_strain_max": ("score.strain",),
            "last_workout_end_at": ("end",),
        },
        "export_sleep": _EXPORT_NIGHT,
        "export_cycle": _EXPORT_NIGHT
        | {name: (column,) for name, column in (RECOVERY_COLUMNS | LOAD_COLUMNS).items()}
        | {
            "strain_0_21": ("Day Strain",),
            "strain_is_final": ("Day Strain", "Cycle end time"),
            "day_closed_at": ("Cycle end time", "Cycle timezone"),
        },
        "export_workout": {
            "workout_count": ("Workout start time",),
            "workout_min": ("Workout start time", "Workout end time"),
            "workout_strain_max": ("Activity Strain",),
            "last_workout_end_at": ("Workout end time", "Cycle timezone"),
        },
    }
)
"""Kind of fact -> quantity -> paths; several where the value is made out of several."""
