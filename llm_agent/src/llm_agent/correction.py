"""From shifts, spreads and hit-night weights to quantiles: code makes the numbers, for every horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from llm_agent.levers import Lever, shift_of_nights

__all__ = ["Correction", "average_of_samples", "correct_quantiles", "correction_of", "corrected_week"]

LEVELS = np.asarray(QUANTILE_LEVELS)
P16, P84 = QUANTILE_LEVELS.index(0.15), QUANTILE_LEVELS.index(0.85)
ONE_SD = 1.0364
"""Half the 15-85 % band of a normal distribution, in its standard deviations."""
HIT_SHARE = 0.72
"""A hit night lies at this share of an ordinary one (forecasting.md 2.3: nights 30 % and more below the median)."""
MOST_HIT = 0.25
MOST_SPREAD = 2.0


@dataclass(frozen=True)
class Correction:
    """What one answer does to the week.

    Attributes
    ----------
    levers : tuple of Lever
        What it rests on.
    shifts_ms, spread, hit_weight : dict horizon -> float
        Of the median, of the band on the log scale, of the hit-night component.
    """

    levers: tuple[Lever, ...]
    shifts_ms: Mapping[int, float]
    spread: Mapping[int, float]
    hit_weight: Mapping[int, float]


def correction_of(
    levers: Sequence[Lever], base_ms: Mapping[int, Sequence[float]], *, night_spread: float = 1.0
) -> Correction:
    """The correction that a set of levers makes.

    The doubt about the levers widens the band (variances add on the log scale); a large shift down gives the hit-night
    component weight, because bad nights have a long left tail.
    """
    median = base_ms[1][MEDIAN_INDEX]
    shifts, sds = shift_of_nights(levers, median)
    spread, hit = {}, {}
    for h in HORIZONS:
        log_q = np.log(base_ms[h])
        sd = max((log_q[P84] - log_q[P16]) / (2 * ONE_SD), 1e-6)
        doubt = float(np.hypot(1.0, sds[h] / median / sd))
        spread[h] = round(min(doubt * (night_spread if h == 1 else 1.0), MOST_SPREAD), 3)
        hit[h] = round(float(np.clip((-shifts[h] / median - 0.08) * 1.5, 0.0, MOST_HIT)), 3)
    return Correction(tuple(levers), shifts, spread, hit)


def corrected_week(
    base_ms: Mapping[int, Sequence[float]], correction: Correction
) -> dict[int, np.ndarray]:
    """Quantiles [Q] of every night, ms."""
    return {
        h: correct_quantiles(
            np.asarray(base_ms[h]), correction.shifts_ms[h], correction.spread[h], correction.hit_weight[h]
        )
        for h in HORIZONS
    }


def correct_quantiles(
    base_ms: np.ndarray, shift_ms: float, spread: float = 1.0, hit_weight: float = 0.0
) -> np.ndarray:
    """Move a distribution's median by ``shift_ms``, scale its spread on the log scale, mix a hit night in.

    The median goes exactly where the shift says, whatever the other two do.

    Parameters
    ----------
    base_ms : ndarray [Q], ms
        Rising, positive.
    hit_weight : float in 0 … 0.5
        Weight of the same distribution at 0.72 of its level.

    Returns
    -------
    ndarray [Q], ms
        Rising, positive.
    """
    log_q = np.log(base_ms)
    median = base_ms[MEDIAN_INDEX]
    moved = max(median + shift_ms, 0.2 * median)
    around = spread * (log_q - log_q[MEDIAN_INDEX])
    if hit_weight > 0:
        around = _with_hits(around, hit_weight)
    return np.exp(np.log(moved) + around)


def average_of_samples(weeks: Sequence[Mapping[int, np.ndarray]]) -> dict[int, np.ndarray]:
    """Quantile average of the samples; from five on the outermost two of each night are left out.

    Samples that disagree keep their own medians in the mixture's spread: the band is that of the average, widened by
    the SD of their medians on the log scale.
    """
    combined = {}
    for h in HORIZONS:
        said = np.array(sorted((week[h] for week in weeks), key=lambda q: q[MEDIAN_INDEX]))
        kept = said[1:-1] if len(said) >= 5 else said
        mean = np.exp(np.log(kept).mean(axis=0))
        apart = float(np.log(said[:, MEDIAN_INDEX]).std())
        log_q = np.log(mean)
        sd = max((log_q[P84] - log_q[P16]) / (2 * ONE_SD), 1e-6)
        wider = min(float(np.hypot(1.0, apart / sd)), MOST_SPREAD)
        combined[h] = correct_quantiles(mean, 0.0, wider)
    return combined


def _with_hits(around: np.ndarray, weight: float) -> np.ndarray:
    """Quantiles of (1 - w) A + w (A + ln 0.72), less their median."""
    low = np.log(HIT_SHARE)
    grid = np.union1d(around, around + low)
    cdf = (1 - weight) * np.interp(grid, around, LEVELS, 0.0, 1.0) + weight * np.interp(
        grid, around + low, LEVELS, 0.0, 1.0
    )
    cdf, keep = np.unique(cdf, return_index=True)
    mixed = np.interp(LEVELS, cdf, grid[keep])
    mixed = np.maximum.accumulate(mixed)
    return mixed - mixed[MEDIAN_INDEX]
