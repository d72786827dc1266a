"""What a table of nights looks like: the statistics of ``forecasting.md`` 2.3 and the slopes of 2.4, per person.

Works on any table in the shared form, so that synthetic and real nights are measured by the same code.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl

__all__ = ["REAL_RANGES", "night_effects", "night_statistics"]

REAL_RANGES = {
    "mean_ms": (62, 37, 101),
    "sd_ms": (12.3, 8.5, 23.8),
    "cv": (0.22, 0.14, 0.33),
    "sd_ln": (0.24, 0.15, 0.37),
    "sd_ln_detrended": (0.23, 0.13, 0.34),
    "sd_difference_ln": (0.29, 0.17, 0.47),
    "mean_abs_change_ms": (10.1, 7.0, 22.1),
    "cv_7_days_pct": (18.5, 11, 25),
    "cv_7_days_ln_pct": (5.1, 2.6, 6.4),
    "lag_1": (0.37, 0.13, 0.47),
    "lag_1_detrended": (0.21, 0.04, 0.33),
    "lag_2_detrended": (0.07, None, None),
    "lag_3_detrended": (0.02, None, None),
    "lag_7": (0.17, 0.02, 0.44),
    "lag_7_detrended": (0.04, -0.08, 0.21),
    "ar_1_of_28_night_residual": (0.23, 0.09, 0.37),
    "skew": (-0.02, -0.7, 1.0),
    "skew_ln": (-0.85, -2.2, 0.2),
    "hrv_rhr_correlation": (-0.79, -0.91, -0.54),
    "share_20_below": (0.14, None, None),
    "share_30_below": (0.075, None, None),
    "share_20_above": (0.14, None, None),
    "missing": (0.02, 0.004, 0.30),
}
"""Median, 10 % and 90 % of 17 real people, as published in the reference (table 2.3)."""


def night_statistics(table: pl.DataFrame, *, least_nights: int = 100) -> pl.DataFrame:
    """Statistics of ``REAL_RANGES``, one row per person with at least ``least_nights`` nights."""
    rows = []
    for (person,), frame in table.sort("date").group_by("person_id", maintain_order=True):
        hrv = frame["hrv_rmssd_ms"].to_numpy().astype(float)
        if np.isfinite(hrv).sum() >= least_nights:
            rows.append({"person_id": person} | _one(hrv, frame["rhr_bpm"].to_numpy().astype(float)))
    return pl.DataFrame(rows)


def night_effects(table: pl.DataFrame) -> pl.DataFrame:
    """Partial slopes of ln RMSSD per person by least squares, in % (2.4).

    Returns
    -------
    DataFrame
        person_id, strain_5 (+5 points on the day before), alcohol, alcohol_after, sick (null without both kinds of
        night in the journal, at least four each), weekend, and the mean residual by wake day mon..sun.
    """
    rows = []
    for (person,), frame in table.sort("date").group_by("person_id", maintain_order=True):
        rows.append({"person_id": person} | _effects(frame))
    return pl.DataFrame(rows, infer_schema_length=None)


def _one(hrv: np.ndarray, rhr: np.ndarray) -> dict[str, float]:
    ln = np.log(hrv)
    detrended = ln - _running(ln, 61, np.nanmean)
    known = np.isfinite(hrv)
    before = _trailing(hrv, 28, np.nanmedian)
    residual = ln - _trailing(ln, 28, np.nanmean)
    ratio = (hrv / before)[known & np.isfinite(before)]
    both = known & np.isfinite(rhr)
    weeks = [hrv[k : k + 7] for k in range(0, len(hrv) - 6, 7) if np.isfinite(hrv[k : k + 7]).sum() >= 5]
    change = np.abs(np.diff(hrv))
    return {
        "mean_ms": np.nanmean(hrv),
        "sd_ms": np.nanstd(hrv),
        "cv": np.nanstd(hrv) / np.nanmean(hrv),
        "sd_ln": np.nanstd(ln),
        "sd_ln_detrended": np.nanstd(detrended),
        "sd_difference_ln": np.nanstd(np.diff(ln)),
        "mean_abs_change_ms": np.nanmean(change),
        "cv_7_days_pct": 100 * np.mean([np.nanstd(w, ddof=1) / np.nanmean(w) for w in weeks]),
        "cv_7_days_ln_pct": 100
        * np.mean([np.nanstd(np.log(w), ddof=1) / np.nanmean(np.log(w)) for w in weeks]),
        "lag_1": _lag(ln, 1),
        "lag_1_detrended": _lag(detrended, 1),
        "lag_2_detrended": _lag(detrended, 2),
        "lag_3_detrended": _lag(detrended, 3),
        "lag_7": _lag(ln, 7),
        "lag_7_detrended": _lag(detrended, 7),
        "ar_1_of_28_night_residual": _lag(residual, 1),
        "skew": _skew(hrv),
        "skew_ln": _skew(ln),
        "hrv_rhr_correlation": np.corrcoef(ln[both], np.log(rhr[both]))[0, 1] if both.sum() > 2 else np.nan,
        "share_20_below": np.mean(ratio < 0.8),
        "share_30_below": np.mean(ratio < 0.7),
        "share_20_above": np.mean(ratio > 1.2),
        "missing": 1 - known.mean(),
    }


def _effects(frame: pl.DataFrame) -> dict[str, float | None]:
    ln = np.log(frame["hrv_rmssd_ms"].to_numpy().astype(float))
    strain = frame["strain"].to_numpy().astype(float)
    journal = [json.loads(text) if text else {} for text in frame["journal"].to_list()]
    drank = np.array([float(j["alcohol"] > 0) if "alcohol" in j else np.nan for j in journal])
    ill = np.array([float(j["sick"]) if "sick" in j else np.nan for j in journal])
    weekday = frame["date"].dt.weekday().to_numpy() - 1
    known = {"strain_5": np.nan_to_num(strain - np.nanmean(strain)) / 5}
    for name, values in (("alcohol", drank), ("sick", ill)):
        if min(np.sum(values == 0), np.sum(values == 1)) >= 4:
            known[name] = np.nan_to_num(values)
    residual = ln - _running(ln, 61, np.nanmean)
    days = np.eye(7)[weekday[1:]]
    columns = [x[:-1] for x in known.values()]
    if "alcohol" in known:
        known["alcohol_after"] = known["alcohol"]
        columns.append(np.r_[0.0, known["alcohol"][:-2]])
    use = np.isfinite(residual[1:])
    slopes = np.linalg.lstsq(np.column_stack([*columns, days])[use], residual[1:][use], rcond=None)[0]
    effects = dict.fromkeys(("strain_5", "alcohol", "sick", "alcohol_after"))
    effects |= {name: 100 * np.expm1(slope) for name, slope in zip(known, slopes, strict=False)}
    means = [100 * np.nanmean(residual[weekday == k]) for k in range(7)]
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return (
        effects | {"weekend": np.mean(means[5:]) - np.mean(means[:5])} | dict(zip(names, means, strict=True))
    )


def _running(values: np.ndarray, width: int, rule) -> np.ndarray:
    half = width // 2
    padded = np.r_[np.full(half, np.nan), values, np.full(half, np.nan)]
    return rule(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)


def _trailing(values: np.ndarray, width: int, rule) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(values[:-1], width)
    enough = np.isfinite(windows).sum(axis=1) >= width // 2
    found = np.full(len(values), np.nan)
    found[width:][enough] = rule(windows[enough], axis=1)
    return found


def _lag(values: np.ndarray, lag: int) -> float:
    a, b = values[:-lag], values[lag:]
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1])


def _skew(values: np.ndarray) -> float:
    z = values[np.isfinite(values)]
    z = (z - z.mean()) / z.std()
    return float(np.mean(z**3))
