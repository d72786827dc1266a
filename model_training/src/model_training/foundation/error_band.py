"""A band that learns: a forecast's own quantiles, drawn towards the law of the errors that it made before."""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import MEDIAN_INDEX, QUANTILE_LEVELS

__all__ = ["PRIOR_NIGHTS", "band", "unit_errors"]

PRIOR_NIGHTS = 120
"""Errors at which the model's own shape and its past errors weigh the same."""
LEAST_HALF_WIDTH = 0.05
"""ln ms; below it an error is not measured in half-widths."""
LOW, HIGH = QUANTILE_LEVELS.index(0.1), QUANTILE_LEVELS.index(0.9)


def unit_errors(log_quantiles: np.ndarray, log_outcomes: np.ndarray) -> np.ndarray:
    """Errors of the median in units of the forecast's half-width on their side.

    Parameters
    ----------
    log_quantiles : ndarray [N, 23], ln ms
    log_outcomes : ndarray [N], ln ms
        NaN where there was no night.

    Returns
    -------
    ndarray [N]
        -1 means: exactly on the forecast's 10 % quantile.
    """
    below, above = _half_widths(log_quantiles)
    error = log_outcomes - log_quantiles[:, MEDIAN_INDEX]
    return np.where(error < 0, error / below, error / above)


def band(log_quantiles: np.ndarray, errors: np.ndarray, prior_nights: float = PRIOR_NIGHTS) -> np.ndarray:
    """The forecast's own quantiles [23], drawn towards the law of its past errors [N] (``unit_errors``); ln ms."""
    if not len(errors):
        return log_quantiles
    below, above = _half_widths(log_quantiles[None])
    median = log_quantiles[MEDIAN_INDEX]
    own = log_quantiles - median
    own = np.where(own < 0, own / below, own / above)
    weight = len(errors) / (len(errors) + prior_nights)
    law = weight * np.quantile(errors, QUANTILE_LEVELS) + (1 - weight) * own
    return median + np.where(law < 0, law * below, law * above)


def _half_widths(log_quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    median = log_quantiles[:, MEDIAN_INDEX]
    below, above = median - log_quantiles[:, LOW], log_quantiles[:, HIGH] - median
    return np.maximum(below, LEAST_HALF_WIDTH), np.maximum(above, LEAST_HALF_WIDTH)
