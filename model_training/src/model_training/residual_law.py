"""From residuals on the ln scale to 23 quantiles.

The empirical quantiles, once there are enough residuals to hold the law (bad nights make a long left tail that no
Gaussian has). With fewer, a wide prior law stands in for the missing ones: the shape of nightly ln RMSSD around its
level in the 17 people of forecasting.md 2.3 (SD 0.24, skew -0.85).
"""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import QUANTILE_LEVELS, RMSSD_PLAUSIBLE_MS

__all__ = ["ENOUGH", "log_quantiles", "to_ms"]

ENOUGH = 20
"""Residuals from which on the data speak alone."""

LEVELS = np.asarray(QUANTILE_LEVELS)
PRIOR_LAW = np.array([
    -0.72, -0.57, -0.45, -0.32, -0.24, -0.18, -0.13, -0.09, -0.056, -0.024, 0.005, 0.033,
    0.06, 0.085, 0.11, 0.135, 0.16, 0.185, 0.215, 0.25, 0.30, 0.345, 0.40,
])  # fmt: skip
"""ln RMSSD minus level at ``QUANTILE_LEVELS``: mean near 0, SD 0.24, left tail longer than the right."""


def log_quantiles(residuals: np.ndarray) -> np.ndarray:
    """Quantiles of a residual law.

    Parameters
    ----------
    residuals : ndarray [N], ln ms
        NaN are left out.

    Returns
    -------
    ndarray [23], ln ms
        Rising. With ``ENOUGH`` residuals the plain empirical quantiles (linear interpolation).
    """
    own = residuals[np.isfinite(residuals)]
    if not len(own):
        return PRIOR_LAW.copy()
    empirical = np.quantile(own, LEVELS)
    if len(own) >= ENOUGH:
        return empirical
    share = len(own) / ENOUGH
    return share * empirical + (1 - share) * PRIOR_LAW


def to_ms(log_ms: np.ndarray) -> np.ndarray:
    """ln ms -> ms, kept inside what a nightly RMSSD can be; any shape."""
    return np.clip(np.exp(log_ms), *RMSSD_PLAUSIBLE_MS)
