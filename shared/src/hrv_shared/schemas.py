"""Schemas of every table that crosses rooms: column -> polars type, with quantity and unit in the name.

A table is derived: it can be thrown away and rebuilt from the record. Every row carries ``member_id`` and ``known_at``.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hrv_shared.errors import SchemaMismatch

__all__ = ["TABLES", "TableSchema", "empty", "validate"]

INSTANT = pl.Datetime("us", "UTC")
MS, BPM, PCT, MIN = pl.Float64, pl.Float64, pl.Float64, pl.Float64


@dataclass(frozen=True)
class TableSchema:
    """A table's columns in order, and the key by which its rows are sorted and unique."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, pl.DataType | type[pl.DataType]]


_PROVENANCE = {"known_at": INSTANT, "basis": pl.String, "source": pl.String}
_LATEST = {
    "member_id": pl.String,
    "revision": pl.Int32,
    **_PROVENANCE,
    "state": pl.String,
    "gone": pl.Boolean,
}

_SLEEP_BLOCK = {
    "asleep_min": MIN,
    "in_bed_min": MIN,
    "light_min": MIN,
    "deep_min": MIN,
    "rem_min": MIN,
    "awake_min": MIN,
    "sleep_efficiency_pct": PCT,
    "sleep_performance_pct": PCT,
    "sleep_consistency_pct": PCT,
    "sleep_need_min": MIN,
    "sleep_debt_min": MIN,
}
_RECOVERY_BLOCK = {
    "hrv_rmssd_ms": MS,
    "resting_hr_bpm": BPM,
    "recovery_pct": PCT,
    "spo2_pct": PCT,
    "skin_temp_c": pl.Float64,
}
_LOAD_BLOCK = {"strain_0_21": pl.Float64, "energy_kcal": pl.Float64, "avg_hr_bpm": BPM, "max_hr_bpm": BPM}

DAYS = TableSchema(
    "days",
    ("member_id", "day", "known_at"),
    {
        "member_id": pl.String,
        "day": pl.Date,
        "revision": pl.Int32,
        **_PROVENANCE,
        "state": pl.String,
        "utc_offset_min": pl.Int32,
        **_RECOVERY_BLOCK,
        "resp_rate_rpm": pl.Float64,
        "sleep_onset_at": INSTANT,
        "wake_at": INSTANT,
        **_SLEEP_BLOCK,
        "nap_min": MIN,
        **_LOAD_BLOCK,
        "strain_is_final": pl.Boolean,
        "workout_count": pl.Int32,
        "workout_min": MIN,
        "workout_strain_max": pl.Float64,
        "last_workout_end_at": INSTANT,
        "day_closed_at": INSTANT,
        "flags": pl.List(pl.String),
    },
)
"""Vintages: one row is the state of a wake day as known from ``known_at`` on, until that day's next row (``revision``
counts them).

``state`` is scored, pending, unscorable, calibrating, no_sleep, invalid or vanished. ``scored`` alone holds usable
HRV; a day without a row is missing, which is different from all of them.
"""

NIGHT_COLUMNS = (*_RECOVERY_BLOCK, "resp_rate_rpm", "sleep_onset_at", "wake_at", *_SLEEP_BLOCK)
"""Columns of ``days`` that are settled together with the night's HRV: outcomes of D, never inputs to it."""

DAYTIME_COLUMNS = (
    "nap_min", *_LOAD_BLOCK, "strain_is_final", "workout_count", "workout_min", "workout_strain_max",
    "last_workout_end_at", "day_closed_at",
)  # fmt: skip
"""Columns of ``days`` that happen after the night of D and before the night of D+1."""

CYCLES = TableSchema(
    "cycles",
    ("member_id", "cycle_key"),
    {**_LATEST, "cycle_key": pl.String, "start_at": INSTANT, "end_at": INSTANT, "utc_offset_min": pl.Int32,
     **_LOAD_BLOCK},
)  # fmt: skip

SLEEPS = TableSchema(
    "sleeps",
    ("member_id", "sleep_key"),
    {**_LATEST, "sleep_key": pl.String, "cycle_key": pl.String, "start_at": INSTANT, "end_at": INSTANT,
     "is_nap": pl.Boolean, "resp_rate_rpm": pl.Float64, **_SLEEP_BLOCK, "disturbance_count": pl.Int32},
)  # fmt: skip

RECOVERIES = TableSchema(
    "recoveries",
    ("member_id", "cycle_key"),
    {
        **_LATEST,
        "cycle_key": pl.String,
        "sleep_key": pl.String,
        "user_calibrating": pl.Boolean,
        **_RECOVERY_BLOCK,
    },
)

WORKOUTS = TableSchema(
    "workouts",
    ("member_id", "workout_key"),
    {**_LATEST, "workout_key": pl.String, "start_at": INSTANT, "end_at": INSTANT, "sport": pl.String,
     **_LOAD_BLOCK, "recorded_fraction": pl.Float64, "zone_min": pl.List(pl.Float64), "distance_m": pl.Float64},
)  # fmt: skip

JOURNAL_FACTS = TableSchema(
    "journal_facts",
    ("member_id", "fact_key", "revision"),
    {
        "member_id": pl.String,
        "fact_key": pl.String,
        "revision": pl.Int32,
        **_PROVENANCE,
        "entry_key": pl.String,
        "day": pl.Date,
        "night": pl.Date,
        "behaviour": pl.String,
        "kind": pl.String,
        "amount": pl.Float64,
        "unit": pl.String,
        "clock_time": pl.String,
        "is_plan": pl.Boolean,
        "quote": pl.String,
        "confidence": pl.Float64,
        "status": pl.String,
    },
)

JOURNAL_DAYS = TableSchema(
    "journal_days",
    ("member_id", "day", "behaviour", "known_at"),
    {
        "member_id": pl.String,
        "day": pl.Date,
        "night": pl.Date,
        "behaviour": pl.String,
        "known_at": INSTANT,
        "state": pl.String,
        "amount": pl.Float64,
        "unit": pl.String,
        "clock_time": pl.String,
        "is_plan": pl.Boolean,
        "told_by": pl.String,
        "nights_since_yes": pl.Int32,
        "amount_remembered": pl.Float64,
    },
)
"""Vintages, as in ``days``: one row is what the journal says of a behaviour on a wake day, from ``known_at`` on.

``night`` is the wake day of the night on which it can act (``day`` + 1). ``state`` is yes, no or unknown; ``amount`` is
0 for a no where there is an amount, and null where none was said. ``told_by`` is note, answer, or empty (unknown).
``nights_since_yes`` and ``amount_remembered`` carry over what was told of earlier days (``journal_analysis.day_states``
says how).
"""

JOURNAL_WEEKS = TableSchema(
    "journal_weeks",
    ("member_id", "week", "behaviour", "known_at"),
    {
        "member_id": pl.String,
        "week": pl.Date,
        "behaviour": pl.String,
        "known_at": INSTANT,
        "yes_days": pl.Int32,
        "no_days": pl.Int32,
        "unknown_days": pl.Int32,
        "plan_days": pl.Int32,
        "amount_total": pl.Float64,
        "amount_days": pl.Int32,
        "unit": pl.String,
    },
)
"""The same by week; ``week`` is its Monday. ``amount_total`` adds the known amounts of done things on ``amount_days``
days; a day of which only a plan is known counts in ``plan_days`` alone."""

SCORES = TableSchema(
    "scores",
    ("member_id", "book", "slot", "origin_day", "horizon", "forecaster", "version"),
    {
        "member_id": pl.String,
        "book": pl.String,
        "slot": pl.String,
        "origin_day": pl.Date,
        "target_day": pl.Date,
        "horizon": pl.Int32,
        "forecaster": pl.String,
        "version": pl.String,
        "n": pl.Int64,
        "as_of": INSTANT,
        "issued_at": INSTANT,
        "known_at": INSTANT,
        "hrv_rmssd_ms": MS,
        "median_ms": MS,
        "crps_ms": MS,
        "abs_error_ms": MS,
        "pit": pl.Float64,
        "in_50": pl.Boolean,
        "in_80": pl.Boolean,
        "in_95": pl.Boolean,
        "void": pl.Boolean,
    },
)
"""One row a forecast row whose outcome is known; ``n`` is its place in its book, ``known_at`` when the outcome was."""

_ALL = (DAYS, CYCLES, SLEEPS, RECOVERIES, WORKOUTS, JOURNAL_FACTS, JOURNAL_DAYS, JOURNAL_WEEKS, SCORES)
TABLES = {table.name: table for table in _ALL}


def empty(name: str) -> pl.DataFrame:
    """An empty table with the right columns."""
    return pl.DataFrame(schema=TABLES[name].columns)


def validate(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame in schema order, sorted by its key.

    Raises
    ------
    SchemaMismatch
        Missing or unknown columns, other types, or a key that is not unique.
    """
    schema = TABLES[name]
    missing = [c for c in schema.columns if c not in frame.columns]
    unknown = [c for c in frame.columns if c not in schema.columns]
    if missing or unknown:
        raise SchemaMismatch(f"Table {name}: missing columns {missing}, unknown columns {unknown}.")
    ordered = frame.select(list(schema.columns))
    wrong = {c: str(ordered.schema[c]) for c, t in schema.columns.items() if ordered.schema[c] != t}
    if wrong:
        expected = {c: str(schema.columns[c]) for c in wrong}
        raise SchemaMismatch(f"Table {name}: expected types {expected}, got {wrong}.")
    if ordered.select(schema.key).is_duplicated().any():
        raise SchemaMismatch(f"Table {name}: rows with the same {', '.join(schema.key)}.")
    return ordered.sort(schema.key)
