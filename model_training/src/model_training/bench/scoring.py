"""Scores of quantile arrays, as rows of one long table."""

from __future__ import annotations

import numpy as np
import polars as pl

from hrv_shared.comparison import energy_scores
from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from hrv_shared.scoring import covered, crps_from_quantiles, pit
from model_training.bench.origins import WEEK
from model_training.day_grid import DayGrid
from model_training.week_paths import sample_paths

__all__ = ["INDEPENDENT", "JOINT", "SCHEMA", "score_path", "score_weeks"]

LOW, HIGH = QUANTILE_LEVELS.index(0.10), QUANTILE_LEVELS.index(0.90)
SCHEMA = {
    "person": pl.String, "slot": pl.String, "period": pl.String, "forecaster": pl.String, "origin": pl.Int32,
    "horizon": pl.Int8, "nights": pl.Int32, "hrv_rmssd_ms": pl.Float64, "median_ms": pl.Float64, "crps_ms": pl.Float64,
    "in_50": pl.Boolean, "in_80": pl.Boolean, "in_95": pl.Boolean, "pit": pl.Float64, "width_80_ms": pl.Float64,
    "weekend": pl.Boolean, "event": pl.Boolean, "low_night": pl.Boolean, "gap": pl.Boolean,
}  # fmt: skip
"""One row a forecast whose night came. ``weekend`` of the target, ``event``: something was said of the target night,
``low_night``: the last night lay below the person's usual, ``gap``: the last night is missing."""


JOINT, INDEPENDENT = "joint_week", "independent_nights"
PATHS, WEEK_STRIDE = 100, 3


def score_weeks(
    person: str,
    grid: DayGrid,
    origins: np.ndarray,
    quantiles_ms: np.ndarray,
    correlation: np.ndarray,
    *,
    seed: int,
) -> pl.DataFrame:
    """Energy score (column ``crps_ms``) of whole weeks, nights tied and nights drawn apart, where all seven came."""
    hrv_ms = np.exp(grid.log_hrv)
    weeks = [
        i for i in origins[::WEEK_STRIDE] if i + 7 < len(grid) and np.isfinite(hrv_ms[i + 1 : i + 8]).all()
    ]
    weeks = [i for i in weeks if np.isfinite(quantiles_ms[i]).all()]
    if not weeks:
        return pl.DataFrame(schema=SCHEMA)
    truth = np.array([hrv_ms[i + 1 : i + 8] for i in weeks])
    frames = []
    for name, tied in ((JOINT, correlation), (INDEPENDENT, np.eye(7))):
        paths = np.array([sample_paths(quantiles_ms[i], tied, PATHS, seed=seed + int(i)) for i in weeks])
        scores = {"person": person, "slot": grid.slot, "period": WEEK, "forecaster": name, "origin": weeks,
                  "horizon": 7, "crps_ms": energy_scores(paths, truth)}  # fmt: skip
        frames.append(pl.DataFrame(scores))
    absent = [
        pl.lit(None, dtype=kind).alias(column) for column, kind in SCHEMA.items() if column not in scores
    ]
    return pl.concat(frames).with_columns(absent).select(list(SCHEMA)).cast(SCHEMA)


def score_path(
    person: str, grid: DayGrid, period: str, forecaster: str, origins: np.ndarray, quantiles_ms: np.ndarray
) -> pl.DataFrame:
    """Score one forecaster on one person.

    Parameters
    ----------
    origins : ndarray [O], int
    quantiles_ms : ndarray [O, 7, 23], ms
        NaN where nothing was said.
    """
    hrv_ms = np.exp(grid.log_hrv)
    nights = np.cumsum(np.isfinite(grid.log_hrv))
    usual = (
        np.array([np.nanmedian(hrv_ms[max(0, i - 60) : i + 1]) for i in origins])
        if len(origins)
        else np.array([])
    )
    frames = []
    for k, h in enumerate(HORIZONS):
        target = origins + h
        there = target < len(grid)
        outcome = np.where(there, hrv_ms[np.minimum(target, len(grid) - 1)], np.nan)
        keep = np.isfinite(outcome) & np.isfinite(quantiles_ms[:, k, 0])
        if not keep.any():
            continue
        said, y, own = quantiles_ms[keep, k], outcome[keep], origins[keep]
        frames.append(pl.DataFrame({
            "person": person, "slot": grid.slot, "period": period, "forecaster": forecaster, "origin": own,
            "horizon": h, "nights": nights[own], "hrv_rmssd_ms": y, "median_ms": said[:, MEDIAN_INDEX],
            "crps_ms": crps_from_quantiles(said, y), "in_50": covered(said, y, 0.5), "in_80": covered(said, y, 0.8),
            "in_95": covered(said, y, 0.95), "pit": pit(said, y), "width_80_ms": said[:, HIGH] - said[:, LOW],
            "weekend": grid.weekday[own + h] >= 5,
            "event": np.nanmax(np.nan_to_num(grid.dose[own, k]), axis=1, initial=0.0) > 0,
            "low_night": hrv_ms[own] < 0.9 * usual[keep], "gap": ~np.isfinite(hrv_ms[own]),
        }))  # fmt: skip
    if not frames:
        return pl.DataFrame(schema=SCHEMA)
    return pl.concat(frames).cast(SCHEMA)
