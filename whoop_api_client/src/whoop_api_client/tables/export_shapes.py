"""Rows of the app's export -> shapes (columns and units: whoop_export.md section 3)."""

from __future__ import annotations

from datetime import datetime

from hrv_shared.daytime import parse_instant
from whoop_api_client.export.cells import number, offset_min, stamp, yes_no
from whoop_api_client.export.closing import CLOSED_INFERRED
from whoop_api_client.export.nights import OWN, whose_night
from whoop_api_client.tables.shapes import (
    CycleShape,
    ExportCycle,
    RecoveryShape,
    SleepShape,
    Values,
    WorkoutShape,
)

__all__ = ["LOAD_COLUMNS", "READERS", "RECOVERY_COLUMNS", "SLEEP_COLUMNS"]

Row = dict[str, str]


def _cycle(row: Row) -> ExportCycle:
    offset = offset_min(row) or 0
    start = _needed(row, "Cycle start time", offset)
    end = stamp(row, "Cycle end time", offset)
    if end is None and row.get(CLOSED_INFERRED):
        end = parse_instant(row[CLOSED_INFERRED])
    onset = stamp(row, "Sleep onset", offset)
    whose = whose_night(start, onset)
    strain = number(row, "Day Strain")
    unscored = "pending" if end is None else "unscorable"
    cycle = CycleShape(start, end, offset, unscored if strain is None else "scored", _load(row, strain))
    has_night = whose == OWN
    return ExportCycle(
        cycle=cycle,
        whose=whose,
        sleep=_night(row, offset, onset, start) if has_night else None,
        recovery=_recovery(row) if has_night else None,
    )


def _sleep(row: Row) -> SleepShape:
    offset = offset_min(row) or 0
    onset, start = _needed(row, "Sleep onset", offset), _needed(row, "Cycle start time", offset)
    return _night(row, offset, onset, start, is_nap=bool(yes_no(row, "Nap")))


def _workout(row: Row) -> WorkoutShape:
    offset = offset_min(row) or 0
    strain = number(row, "Activity Strain")
    shares = [number(row, f"HR Zone {n} %") for n in range(1, 6)]
    minutes = number(row, "Duration (min)")
    has_zones = minutes is not None and None not in shares
    return WorkoutShape(
        start_at=_needed(row, "Workout start time", offset),
        end_at=_needed(row, "Workout end time", offset),
        sport=row.get("Activity name", "").strip() or "activity",
        state="pending" if strain is None else "scored",
        load=_load(row, strain),
        # zone 0 is not exported; null is not zero
        zone_min=(None, *(share / 100 * minutes for share in shares)) if has_zones else None,
        distance_m=number(row, "Distance (meters)"),
    )


READERS = {"export_cycle": _cycle, "export_sleep": _sleep, "export_workout": _workout}


def _night(
    row: Row, offset: int, onset: datetime, cycle_start: datetime, *, is_nap: bool = False
) -> SleepShape:
    return SleepShape(
        start_at=onset,
        end_at=_needed(row, "Wake onset", offset),
        is_nap=is_nap,
        state="scored" if row.get("Asleep duration (min)", "").strip() else "unscorable",
        cycle_start_at=cycle_start,
        block={name: number(row, column) for name, column in SLEEP_COLUMNS.items()},
    )


def _recovery(row: Row) -> RecoveryShape | None:
    block = {name: number(row, column) for name, column in RECOVERY_COLUMNS.items()}
    if block["hrv_rmssd_ms"] is None and block["recovery_pct"] is None:
        return None
    return RecoveryShape(state="scored", is_calibrating=False, block=block)


def _load(row: Row, strain: float | None) -> Values:
    return {"strain_0_21": strain} | {name: number(row, column) for name, column in LOAD_COLUMNS.items()}


def _needed(row: Row, column: str, offset: int) -> datetime:
    instant = stamp(row, column, offset)
    if instant is None:
        raise ValueError(f"{column}: expected a time, got nothing")
    return instant


SLEEP_COLUMNS = {
    "resp_rate_rpm": "Respiratory rate (rpm)",
    "asleep_min": "Asleep duration (min)",
    "in_bed_min": "In bed duration (min)",
    "light_min": "Light sleep duration (min)",
    "deep_min": "Deep (SWS) duration (min)",
    "rem_min": "REM duration (min)",
    "awake_min": "Awake duration (min)",
    "sleep_efficiency_pct": "Sleep efficiency %",
    "sleep_performance_pct": "Sleep performance %",
    "sleep_consistency_pct": "Sleep consistency %",
    "sleep_need_min": "Sleep need (min)",
    "sleep_debt_min": "Sleep debt (min)",
}
RECOVERY_COLUMNS = {
    "hrv_rmssd_ms": "Heart rate variability (ms)",
    "resting_hr_bpm": "Resting heart rate (bpm)",
    "recovery_pct": "Recovery score %",
    "spo2_pct": "Blood oxygen %",
    "skin_temp_c": "Skin temp (celsius)",
}
LOAD_COLUMNS = {
    "energy_kcal": "Energy burned (cal)",  # WHOOP's "cal" are kilocalories
    "avg_hr_bpm": "Average HR (bpm)",
    "max_hr_bpm": "Max HR (bpm)",
}
