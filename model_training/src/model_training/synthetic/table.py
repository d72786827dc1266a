"""The cohort as a table of daily rows, in the columns of the shared ``daily_hrv.parquet``.

Row D holds the night that ended on D and, after it, the waking day D: its strain, steps and journal act on the night
that ends on D+1. Synthetic wins prove the pipeline, not the physiology.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import polars as pl

from hrv_shared.store import write_bytes_atomic
from model_training.synthetic.cohort import Cohort, make_cohort

__all__ = ["cohort_table", "write_cohort"]

SCHEMA = {
    "dataset": pl.String, "person_id": pl.String, "date": pl.Datetime("ms"), "hrv_rmssd_ms": pl.Float64,
    "hrv_metric": pl.String, "hrv_suspect": pl.Boolean, "device": pl.String, "rhr_bpm": pl.Float64,
    "resp_rate": pl.Float64, "sleep_min": pl.Float64, "deep_min": pl.Float64, "rem_min": pl.Float64,
    "light_min": pl.Float64, "awake_min": pl.Float64, "sleep_efficiency": pl.Float64,
    "sleep_onset_h": pl.Float64, "spo2": pl.Float64, "skin_temp_c": pl.Float64, "steps": pl.Float64,
    "active_kcal": pl.Float64, "total_kcal": pl.Float64, "strain": pl.Float64, "journal": pl.String,
    "extra": pl.String,
}  # fmt: skip
FEVER_C = 0.9
BOUND_C = 0.3
"""Skin temperature of a healthy night stays within this of the personal mean, so that 0.5 tells illness for sure."""


def cohort_table(cohort: Cohort) -> pl.DataFrame:
    """Daily rows of everybody, sorted by person and date; equal bytes for an equal cohort.

    Returns
    -------
    DataFrame
        Columns and dtypes of the shared table; ``dataset`` is 'synthetic', ``person_id`` 's0001' .... Null where the
        strap was off, ``journal`` null where nothing was logged (which is not a "no"). ``journal`` holds ``alcohol``
        (drinks), ``sick``, and three habits without any effect: ``caffeine`` (cups), ``late_meal``, ``reading``.
        ``extra`` holds ``workout_count`` and ``last_workout_end_h`` (hours after midnight).
    """
    people, nights = cohort.shape
    rng = np.random.default_rng([cohort.seed, 42])
    worn, seen = ~cohort.record.night.missing, cohort.record.day.seen
    columns = {name: np.where(worn, values, np.nan) for name, values in _night_columns(cohort, rng).items()}
    columns |= {name: np.where(seen, values, np.nan) for name, values in _day_columns(cohort, rng).items()}
    days = (cohort.first_day[:, None] + np.arange(nights)).astype("datetime64[D]").astype("datetime64[ms]")
    device = np.where(cohort.record.day.device, "synthetic strap 2", "synthetic strap 1")
    frame = pl.DataFrame(
        {
            "dataset": np.full(people * nights, "synthetic"),
            "person_id": np.repeat([f"s{k + 1:04d}" for k in range(people)], nights),
            "date": days.ravel(),
            "hrv_metric": np.full(people * nights, "rmssd_night"),
            "hrv_suspect": np.zeros(people * nights, bool),
            "device": device.ravel(),
            **{name: values.ravel() for name, values in columns.items()},
            "journal": _journals(cohort, rng),
            "extra": _extras(cohort, rng),
        }
    )
    numbers = [name for name, kind in SCHEMA.items() if kind == pl.Float64]
    return frame.with_columns(pl.col(numbers).fill_nan(None)).select(
        pl.col(name).cast(kind) for name, kind in SCHEMA.items()
    )


def write_cohort(
    path: Path | str, people: int, nights: int, seed: int, *, journal_share: float = 0.4
) -> Cohort:
    """Generate a cohort, write its table to ``path`` as Parquet (atomically) and return it with its true law."""
    cohort = make_cohort(people, nights, seed, journal_share=journal_share)
    buffer = io.BytesIO()
    cohort_table(cohort).write_parquet(buffer, compression="zstd")
    write_bytes_atomic(Path(path), buffer.getvalue())
    return cohort


def _night_columns(cohort: Cohort, rng: np.random.Generator) -> dict[str, np.ndarray]:
    who, night, sick = cohort.people, cohort.record.night, cohort.record.sick_night
    shape = cohort.shape

    def noise() -> np.ndarray:
        return rng.standard_normal(shape)

    def own(values: np.ndarray) -> np.ndarray:
        return values[:, None]

    surprise = np.clip(night.e / own(who.sigma), -4.0, 4.0)
    rhr_ln = own(who.rhr_ln) - own(who.rhr_hrv_slope) * (night.y - own(who.location))
    sleep_min = np.clip(night.sleep_h * 60.0, 90.0, 720.0)
    deep = np.clip(0.20 + 0.03 * noise(), 0.05, 0.4) * sleep_min
    rem = np.clip(0.23 + 0.04 * noise(), 0.05, 0.4) * sleep_min
    awake = np.clip(38.0 + 14.0 * noise() - 2.0 * surprise, 5.0, 150.0)
    return {
        "hrv_rmssd_ms": np.exp(night.y),
        "rhr_bpm": np.exp(rhr_ln + own(who.rhr_noise) * night.z_rhr),
        "resp_rate": own(who.resp_mean) + 0.45 * (night.z_resp - 0.32 * surprise) + 1.0 * sick,
        "sleep_min": sleep_min,
        "deep_min": deep,
        "rem_min": rem,
        "light_min": sleep_min - deep - rem,
        "awake_min": awake,
        "sleep_efficiency": 100.0 * sleep_min / (sleep_min + awake),
        "sleep_onset_h": own(who.onset_mean) + 0.9 * noise() - 0.17 * surprise,
        "spo2": np.clip(95.8 + 0.8 * noise(), 88.0, 100.0),
        "skin_temp_c": own(who.temp_mean) + BOUND_C * np.tanh(noise()) + FEVER_C * sick,
    }


def _day_columns(cohort: Cohort, rng: np.random.Generator) -> dict[str, np.ndarray]:
    strain = cohort.record.day.strain
    around = strain - cohort.people.strain_mean[:, None]
    steps = cohort.people.steps_mean[:, None] * np.exp(
        0.05 * around + 0.3 * rng.standard_normal(cohort.shape)
    )
    active = np.clip(250.0 + 45.0 * strain + 70.0 * rng.standard_normal(cohort.shape), 50.0, None)
    return {"strain": strain, "steps": steps.round(), "active_kcal": active, "total_kcal": active + 1650.0}


def _journals(cohort: Cohort, rng: np.random.Generator) -> list[str | None]:
    day = cohort.record.day
    cups = rng.poisson(1.6, cohort.shape).ravel().tolist()
    late_meal = (rng.random(cohort.shape) < 0.2).ravel().tolist()
    reading = (rng.random(cohort.shape) < 0.3).ravel().tolist()
    facts = zip(
        day.logged.ravel().tolist(), day.drinks.ravel().tolist(), day.sick.ravel().tolist(),
        cups, late_meal, reading, strict=True,
    )  # fmt: skip
    return [
        json.dumps(
            {"alcohol": int(drinks), "caffeine": cup, "late_meal": meal, "reading": read, "sick": bool(sick)}
        )
        if logged
        else None
        for logged, drinks, sick, cup, meal, read in facts
    ]


def _extras(cohort: Cohort, rng: np.random.Generator) -> list[str | None]:
    day = cohort.record.day
    early = (7.0 + 11.0 * rng.random(cohort.shape)).round(1)
    late = (20.5 + 1.5 * rng.random(cohort.shape)).round(1)
    end = np.where(day.late, late, early).ravel().tolist()
    facts = zip(day.seen.ravel().tolist(), day.workout.ravel().tolist(), end, strict=True)
    return [
        None
        if not seen
        else json.dumps({"last_workout_end_h": hour, "workout_count": 1})
        if workout
        else '{"workout_count": 0}'
        for seen, workout, hour in facts
    ]
