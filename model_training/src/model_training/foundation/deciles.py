"""From the nine deciles that foundation models speak to the 23 levels of ours."""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import QUANTILE_LEVELS, RMSSD_PLAUSIBLE_MS
from model_training.residual_law import USUAL_LAW

__all__ = ["DECILES", "extend_deciles"]

DECILES = tuple(round(0.1 * k, 1) for k in range(1, 10))
DECILE_AT = [QUANTILE_LEVELS.index(level) for level in DECILES]
KNOTS = USUAL_LAW[DECILE_AT]
MIDDLE = DECILES.index(0.5)


def extend_deciles(deciles_ms: np.ndarray) -> np.ndarray:
    """Deciles to 23 quantiles, in the shape that nightly RMSSD has.

    Between the deciles, ln ms is linear in the usual law of ``residual_law``; beyond them each tail goes on with the
    slope of its own half (0.1 to 0.5, 0.5 to 0.9), so that a skewed forecast has skewed tails and the left one is
    longer than a Gaussian's: 1.1 times the distance from 0.1 to 0.5 at the level 0.01 (Gaussian: 0.8).

    Parameters
    ----------
    deciles_ms : ndarray [..., 9], ms
        At 0.1 .. 0.9; sorted here if they are not. NaN rows stay NaN.

    Returns
    -------
    ndarray [..., 23], ms
        At ``QUANTILE_LEVELS``, non-decreasing, equal to the deciles at their levels, inside what RMSSD can be.
    """
    low, high = RMSSD_PLAUSIBLE_MS
    y = np.log(np.clip(np.sort(np.asarray(deciles_ms, dtype=float), axis=-1), low, high))
    if y.shape[-1] != len(DECILES):
        raise ValueError(f"expected nine deciles on the last axis, got shape {y.shape}")
    left = np.clip(np.searchsorted(KNOTS, USUAL_LAW, side="right") - 1, 0, len(DECILES) - 2)
    share = (USUAL_LAW - KNOTS[left]) / (KNOTS[left + 1] - KNOTS[left])
    out = y[..., left] + share * (y[..., left + 1] - y[..., left])
    below, above = slice(None, DECILE_AT[0]), slice(DECILE_AT[-1] + 1, None)
    slope = (y[..., MIDDLE] - y[..., 0]) / (KNOTS[MIDDLE] - KNOTS[0])
    out[..., below] = y[..., :1] + slope[..., None] * (USUAL_LAW[below] - KNOTS[0])
    slope = (y[..., -1] - y[..., MIDDLE]) / (KNOTS[-1] - KNOTS[MIDDLE])
    out[..., above] = y[..., -1:] + slope[..., None] * (USUAL_LAW[above] - KNOTS[-1])
    return np.clip(np.exp(out), low, high)
