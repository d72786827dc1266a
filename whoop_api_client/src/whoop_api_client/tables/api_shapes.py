"""WHOOP's API payloads -> shapes (field names and units: whoop_api.md section 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hrv_shared.daytime import parse_instant, parse_offset_min
from whoop_api_client.tables.shapes import CycleShape, RecoveryShape, SleepShape, Values, WorkoutShape

__all__ = ["KCAL_PER_KJ", "READERS"]

KCAL_PER_KJ = 1 / 4.184
_STATES = {"SCORED": "scored", "PENDING_SCORE": "pending", "UNSCORABLE": "unscorable"}
_MS_PER_MIN = 60_000


def _cycle(payload: dict[str, Any]) -> CycleShape:
    start = _instant(payload["start"])
    return CycleShape(
        start_at=start,
        end_at=_instant(payload.get("end")),
        utc_offset_min=parse_offset_min(payload["timezone_offset"]),
        state=_state(payload),
        load=_load(_score(payload)),
    )


def _sleep(payload: dict[str, Any]) -> SleepShape:
    score = _score(payload)
    stages, needed = score.get("stage_summary") or {}, score.get("sleep_needed") or {}
    light, deep, rem, awake, in_bed = (
        _minutes(stages.get(f"total_{part}_time_milli"))
        for part in ("light_sleep", "slow_wave_sleep", "rem_sleep", "awake", "in_bed")
    )
    cycle_id, disturbances = payload.get("cycle_id"), stages.get("disturbance_count")
    return SleepShape(
        start_at=_instant(payload["start"]),
        end_at=_instant(payload["end"]),
        is_nap=bool(payload["nap"]),
        state=_state(payload),
        cycle_key=None if cycle_id is None else str(cycle_id),
        disturbance_count=None if disturbances is None else int(disturbances),
        block={
            "resp_rate_rpm": _number(score.get("respiratory_rate")),
            "asleep_min": None if None in (light, deep, rem) else light + deep + rem,
            "in_bed_min": in_bed,
            "light_min": light,
            "deep_min": deep,
            "rem_min": rem,
            "awake_min": awake,
            "sleep_efficiency_pct": _number(score.get("sleep_efficiency_percentage")),
            "sleep_performance_pct": _number(score.get("sleep_performance_percentage")),
            "sleep_consistency_pct": _number(score.get("sleep_consistency_percentage")),
            "sleep_need_min": _need(needed),
            "sleep_debt_min": _minutes(needed.get("need_from_sleep_debt_milli")),
        },
    )


def _recovery(payload: dict[str, Any]) -> RecoveryShape:
    score = _score(payload)
    return RecoveryShape(
        state=_state(payload),
        is_calibrating=bool(score.get("user_calibrating")),
        cycle_key=str(payload["cycle_id"]),
        sleep_key=payload.get("sleep_id"),
        block={
            "hrv_rmssd_ms": _number(score.get("hrv_rmssd_milli")),
            "resting_hr_bpm": _number(score.get("resting_heart_rate")),
            "recovery_pct": _number(score.get("recovery_score")),
            "spo2_pct": _number(score.get("spo2_percentage")),
            "skin_temp_c": _number(score.get("skin_temp_celsius")),
        },
    )


def _workout(payload: dict[str, Any]) -> WorkoutShape:
    score = _score(payload)
    zones = score.get("zone_durations") or score.get("zone_duration") or {}
    names = ("zero", "one", "two", "three", "four", "five")
    recorded = _number(score.get("percent_recorded"))
    return WorkoutShape(
        start_at=_instant(payload["start"]),
        end_at=_instant(payload["end"]),
        sport=str(payload.get("sport_name") or "activity"),
        state=_state(payload),
        load=_load(score),
        # the specification says 0-100, live answers are a fraction (whoop_api.md 4.6)
        recorded_fraction=recorded if recorded is None or recorded <= 1 else recorded / 100,
        zone_min=tuple(_minutes(zones.get(f"zone_{name}_milli")) for name in names) if zones else None,
        distance_m=_number(score.get("distance_meter")),
    )


READERS = {"cycle": _cycle, "sleep": _sleep, "recovery": _recovery, "workout": _workout}


def _load(score: dict[str, Any]) -> Values:
    kilojoule = _number(score.get("kilojoule"))
    return {
        "strain_0_21": _number(score.get("strain")),
        "energy_kcal": None if kilojoule is None else kilojoule * KCAL_PER_KJ,
        "avg_hr_bpm": _number(score.get("average_heart_rate")),
        "max_hr_bpm": _number(score.get("max_heart_rate")),
    }


def _need(needed: dict[str, Any]) -> float | None:
    """Sleep need is the sum of its four parts; without the baseline there is none."""
    if needed.get("baseline_milli") is None:
        return None
    parts = ("baseline", "need_from_sleep_debt", "need_from_recent_strain", "need_from_recent_nap")
    return sum(_minutes(needed.get(f"{part}_milli")) or 0.0 for part in parts)


def _score(payload: dict[str, Any]) -> dict[str, Any]:
    return (payload.get("score") or {}) if payload.get("score_state") == "SCORED" else {}


def _state(payload: dict[str, Any]) -> str:
    return _STATES.get(payload.get("score_state"), "unscorable")


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _minutes(milli: Any) -> float | None:
    return None if milli is None else float(milli) / _MS_PER_MIN
