"""The ``score`` blocks: durations in ms, strain 0-21, floats as float32 the way the live API prints them."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from whoop_api_client.simulator.behaviours import Behaviours
from whoop_api_client.simulator.physiology import NightTruth
from whoop_api_client.simulator.traits import Traits

__all__ = ["cycle_score", "float32", "nap_score", "recovery_score", "sleep_score", "workout_score"]

_BASELINE_NEED_MS = 27_395_716
_WORKOUT_STRAIN = {"walk": 4.0, "easy": 6.0, "moderate": 10.0, "hard": 14.0}
_ZONES = {
    "walk": (0.45, 0.45, 0.1, 0.0, 0.0, 0.0),
    "easy": (0.1, 0.5, 0.35, 0.05, 0.0, 0.0),
    "moderate": (0.05, 0.15, 0.35, 0.35, 0.1, 0.0),
    "hard": (0.03, 0.1, 0.2, 0.3, 0.27, 0.1),
}


def cycle_score(
    traits: Traits, strain_0_21: float, truth: NightTruth, noise: np.ndarray, merged_days: int
) -> dict:
    """Score of a finished cycle; one that swallowed whole days has been worn longer."""
    strain = min(strain_0_21 + 1.2 * merged_days, 20.9)
    kilojoule = (5200 + 26 * traits.weight_kg + 320 * strain + 350 * noise[0]) * (1 + merged_days)
    return {
        "strain": float32(strain),
        "kilojoule": float32(max(kilojoule, 3000.0)),
        "average_heart_rate": int(round(truth.resting_hr_bpm + 8 + 0.9 * strain + noise[1])),
        "max_heart_rate": int(min(105 + 4.4 * strain + 4 * noise[2], traits.max_hr_bpm)),
    }


def recovery_score(
    traits: Traits, truth: NightTruth, noise: np.ndarray, factor: float, calibrating: bool, sensor_gap: bool
) -> dict:
    """``factor`` multiplies the true RMSSD: 1 once the night has settled."""
    no_sensor = traits.old_hardware or sensor_gap
    return {
        "user_calibrating": calibrating,
        "recovery_score": truth.recovery_pct,
        "resting_heart_rate": float(round(truth.resting_hr_bpm)),
        "hrv_rmssd_milli": float32(truth.hrv_rmssd_ms * factor),
        "spo2_percentage": None if no_sensor else float32(min(96 + 0.9 * noise[3], 99.9)),
        "skin_temp_celsius": None if no_sensor else float32(traits.skin_temp_c + 0.35 * noise[4]),
    }


def sleep_score(
    traits: Traits,
    start: datetime,
    end: datetime,
    evening: Behaviours | None,
    truth: NightTruth,
    noise: np.ndarray,
) -> dict:
    """Score of a main sleep; the stages add up to the time in bed to the millisecond."""
    in_bed = _ms(end - start)
    drinks = evening.alcohol_drinks if evening else 0
    ill = bool(evening and evening.illness)
    awake = int(in_bed * np.clip(0.085 + 0.025 * noise[5] + 0.006 * drinks, 0.02, 0.3))
    no_data = int(in_bed * 0.01) if noise[6] > 2.2 else 0
    asleep = in_bed - awake - no_data
    slow_wave = int(asleep * np.clip(0.2 + 0.03 * noise[7], 0.08, 0.35))
    rem = int(asleep * np.clip(0.24 + 0.035 * noise[8] - 0.01 * drinks, 0.05, 0.38))
    nap_min = evening.nap_minutes if evening else 0
    strain = evening.day_strain_0_21 if evening else 10.0
    need = {
        "baseline_milli": _BASELINE_NEED_MS,
        "need_from_sleep_debt_milli": int(max(0.0, 1_500_000 + 900_000 * noise[9])),
        "need_from_recent_strain_milli": int(120_000 * strain),
        "need_from_recent_nap_milli": -int(nap_min * 60_000 * 0.8),
    }
    ln_above = float(np.log(truth.hrv_rmssd_ms / traits.level_ms))
    return {
        "stage_summary": _stage_summary(in_bed, awake, no_data, slow_wave, rem, noise),
        "sleep_needed": need,
        "respiratory_rate": float32(traits.resp_rate_rpm + 0.35 * noise[10] - 0.5 * ln_above + 0.8 * ill),
        "sleep_performance_percentage": float(
            round(float(np.clip(100 * asleep / sum(need.values()) + 4 * noise[11], 10, 100)))
        ),
        "sleep_consistency_percentage": float(round(float(np.clip(74 + 9 * noise[12], 5, 100)))),
        "sleep_efficiency_percentage": float32(100 * (1 - awake / in_bed)),
    }


def nap_score(traits: Traits, start: datetime, end: datetime, noise: np.ndarray) -> dict:
    """Score of a nap: mostly light sleep, no need of its own."""
    in_bed = _ms(end - start)
    awake = int(in_bed * 0.12)
    slow_wave = int(in_bed * 0.1)
    return {
        "stage_summary": _stage_summary(in_bed, awake, 0, slow_wave, 0, noise),
        "sleep_needed": {
            "baseline_milli": _BASELINE_NEED_MS,
            "need_from_sleep_debt_milli": 0,
            "need_from_recent_strain_milli": 0,
            "need_from_recent_nap_milli": 0,
        },
        "respiratory_rate": float32(traits.resp_rate_rpm + 0.5 * noise[13]),
        "sleep_performance_percentage": float(round(100 * (in_bed - awake) / _BASELINE_NEED_MS)),
        "sleep_consistency_percentage": None,
        "sleep_efficiency_percentage": float32(100 * (1 - awake / in_bed)),
    }


def workout_score(traits: Traits, level: str, sport: str, duration: timedelta, noise: np.ndarray) -> dict:
    """Score of a workout; the zones add up to its duration, ``percent_recorded`` is a fraction as live."""
    total = _ms(duration)
    zones = [int(total * share) for share in _ZONES[level]]
    zones[1] += total - sum(zones)
    strain = float(np.clip(_WORKOUT_STRAIN[level] + 1.1 * noise[14], 1.0, 20.5))
    on_foot = sport in ("running", "walking")
    metres_per_s = {"walking": 1.4, "running": 2.9}.get(sport, 0.0) + 0.1 * noise[15]
    hard_share = {"walk": 0.55, "easy": 0.66, "moderate": 0.76, "hard": 0.84}[level]
    names = ("zero", "one", "two", "three", "four", "five")
    return {
        "strain": float32(strain),
        "average_heart_rate": int(traits.max_hr_bpm * hard_share - 6 + 2 * noise[16]),
        "max_heart_rate": int(min(traits.max_hr_bpm * (hard_share + 0.1), traits.max_hr_bpm)),
        "kilojoule": float32(total / 60_000 * (18 + 2.2 * strain)),
        "percent_recorded": float32(min(1.0, 0.995 + 0.004 * noise[17])),
        "distance_meter": float32(metres_per_s * total / 1000) if on_foot else None,
        "altitude_gain_meter": float32(abs(30 + 20 * noise[18])) if on_foot else None,
        "altitude_change_meter": float32(3 * noise[19]) if on_foot else None,
        "zone_durations": {f"zone_{n}_milli": ms for n, ms in zip(names, zones, strict=True)},
    }


def float32(value: float) -> float:
    """The number as a float32 printed short, e.g. ``34.101334``."""
    return float(str(np.float32(value)))


def _stage_summary(
    in_bed: int, awake: int, no_data: int, slow_wave: int, rem: int, noise: np.ndarray
) -> dict:
    return {
        "total_in_bed_time_milli": in_bed,
        "total_awake_time_milli": awake,
        "total_no_data_time_milli": no_data,
        "total_light_sleep_time_milli": in_bed - awake - no_data - slow_wave - rem,
        "total_slow_wave_sleep_time_milli": slow_wave,
        "total_rem_sleep_time_milli": rem,
        "sleep_cycle_count": max(int(in_bed / 5_400_000), 0),
        "disturbance_count": max(int(10 + 4 * noise[22]), 0),
    }


def _ms(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
