"""Online calibration of quantiles: each level's offset follows how often outcomes fell below it, as late as they came.

One offset a level, in half-widths of the forecast's own 15-85 % band on the ln scale, drawn back to zero (quantile
tracking: Gibbs & Candès 2021; Angelopoulos et al. 2023, arXiv 2307.16895). It widens and narrows either side of the
median and never moves the median itself.
"""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import MEDIAN_INDEX, QUANTILE_LEVELS, RMSSD_PLAUSIBLE_MS

__all__ = ["half_width", "moved", "no_offsets", "tracked"]

LEVELS = np.asarray(QUANTILE_LEVELS)
LOW, HIGH = (QUANTILE_LEVELS.index(level) for level in (0.15, 0.85))
TRACKING = 0.02
"""Step of a level's offset per outcome, in half-widths of the forecast's own 15-85 % band."""
TRACKING_KEEP = 0.995


def no_offsets() -> np.ndarray:
    """Where the tracking starts; ndarray [23]."""
    return np.zeros(len(LEVELS))


def tracked(offsets: np.ndarray, quantiles_ms: np.ndarray, outcome_ms: float) -> np.ndarray:
    """The offsets after one more outcome of a forecast that was calibrated by them; ndarray [23]."""
    return TRACKING_KEEP * offsets + TRACKING * (LEVELS - (outcome_ms <= quantiles_ms))


def moved(quantiles_ms: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Quantiles [23] moved by their offsets on the ln scale, kept rising and plausible."""
    log_ms = np.log(quantiles_ms)
    to = log_ms + (offsets - offsets[MEDIAN_INDEX]) * half_width(quantiles_ms)
    below, above = to[: MEDIAN_INDEX + 1], to[MEDIAN_INDEX:]
    rising = np.concatenate((np.minimum.accumulate(below[::-1])[::-1][:-1], np.maximum.accumulate(above)))
    return np.clip(np.exp(rising), *RMSSD_PLAUSIBLE_MS)


def half_width(quantiles_ms: np.ndarray) -> np.ndarray:
    """Half the width of the 15-85 % band on the ln scale; [..., 23] -> [...]."""
    log_ms = np.log(quantiles_ms)
    return (log_ms[..., HIGH] - log_ms[..., LOW]) / 2
