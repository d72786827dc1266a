"""From errors on the ln scale to 23 quantiles: a law learned from many people, moved by the wearer's own errors.

Bad nights make a long left tail that no Gaussian has, and a few weeks of errors can't show it. So the shape comes from
the pool; the wearer's mean absolute error scales it, and the wearer's own empirical quantiles count for more the more
of them there are.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import numpy as np

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS, RMSSD_PLAUSIBLE_MS

__all__ = ["USUAL_LAW", "PooledLaw", "empirical_law", "fit_law", "personal_laws", "to_ms"]

LEVELS = np.asarray(QUANTILE_LEVELS)
USUAL_LAW = np.array([
    -0.72, -0.57, -0.45, -0.32, -0.24, -0.18, -0.13, -0.09, -0.056, -0.024, 0.005, 0.033,
    0.06, 0.085, 0.11, 0.135, 0.16, 0.185, 0.215, 0.25, 0.30, 0.345, 0.40,
])  # fmt: skip
"""ln RMSSD minus level at ``QUANTILE_LEVELS`` in the 17 people of forecasting.md 2.3: SD 0.24, left tail longer."""
ENOUGH = 20
"""Errors from which on a plain empirical law speaks alone."""
LEAST_ERRORS = 5
SCALE_NIGHTS = 20.0
"""Errors at which the wearer's own scale is believed half."""
SHAPE_NIGHTS = 60.0
"""Errors at which the wearer's own shape is believed half."""
TAIL_ERRORS = 4.0
"""Errors expected beyond a level from which on the wearer's own quantile there is believed as in the middle."""
LATEST = 365
"""The wearer's law is that of so many last errors."""


@dataclass(frozen=True)
class PooledLaw:
    """Law of standardised errors in many people.

    Attributes
    ----------
    quantiles : ndarray [7, 23]
        Per horizon, in units of the forecast's own SD.
    mean_abs : ndarray [7]
    """

    quantiles: np.ndarray
    mean_abs: np.ndarray


def fit_law(errors: list[np.ndarray]) -> PooledLaw:
    """The law of standardised errors pooled over people, each person counting as the root of their nights.

    Parameters
    ----------
    errors : list of ndarray [N, 7]
        As ``personal_laws`` takes them, one a person.
    """
    quantiles = np.empty((len(HORIZONS), len(LEVELS)))
    mean_abs = np.empty(len(HORIZONS))
    for k in range(len(HORIZONS)):
        own = [e[np.isfinite(e[:, k]), k] for e in errors]
        values = np.concatenate(own)
        weights = np.concatenate([np.full(len(e), 1 / np.sqrt(max(len(e), 1))) for e in own])
        quantiles[k] = _weighted_quantiles(values, weights)
        mean_abs[k] = np.average(np.abs(values), weights=weights)
    return PooledLaw(quantiles, mean_abs)


def personal_laws(errors: np.ndarray, origins: np.ndarray, pooled: PooledLaw) -> np.ndarray:
    """The wearer's law at each origin, from errors known by then.

    Parameters
    ----------
    errors : ndarray [N, 7]
        Standardised error on day t of the forecast made h nights before; NaN = none.
    origins : ndarray [O], int

    Returns
    -------
    ndarray [O, 7, 23]
        Rising along the last axis.
    """
    laws = np.empty((len(origins), len(HORIZONS), len(LEVELS)))
    for k in range(len(HORIZONS)):
        known = np.flatnonzero(np.isfinite(errors[:, k]))
        values = errors[known, k]
        shared, usual = pooled.quantiles[k], pooled.mean_abs[k]
        window = _SortedWindow()
        for row, end in enumerate(np.searchsorted(known, origins, side="right")):
            window.move_to(values, end)
            laws[row, k] = _blend(window, shared, usual)
    return laws


def empirical_law(residuals: np.ndarray) -> np.ndarray:
    """Plain empirical quantiles of ln residuals, partly the usual law while there are fewer than ``ENOUGH``; [23]."""
    own = residuals[np.isfinite(residuals)]
    if not len(own):
        return USUAL_LAW.copy()
    empirical = np.quantile(own, LEVELS)
    share = min(1.0, len(own) / ENOUGH)
    return share * empirical + (1 - share) * USUAL_LAW


def to_ms(log_ms: np.ndarray) -> np.ndarray:
    """ln ms -> ms, kept inside what a nightly RMSSD can be; any shape."""
    return np.clip(np.exp(log_ms), *RMSSD_PLAUSIBLE_MS)


class _SortedWindow:
    """The last errors in order, kept so while the origin moves on; sorting anew at each would cost most of a path."""

    def __init__(self) -> None:
        self._sorted: list[float] = []
        self._end = 0

    def move_to(self, values: np.ndarray, end: int) -> None:
        """Hold ``values[end - LATEST : end]``; origins may come in any order, going back starts anew."""
        if end < self._end:
            self._sorted, self._end = [], max(0, end - LATEST)
        for at in range(max(self._end, end - LATEST), end):
            bisect.insort(self._sorted, float(values[at]))
        for at in range(max(0, self._end - LATEST), min(end - LATEST, self._end)):
            del self._sorted[bisect.bisect_left(self._sorted, float(values[at]))]
        self._end = end

    def __len__(self) -> int:
        return len(self._sorted)

    def array(self) -> np.ndarray:
        """The errors, smallest first."""
        return np.array(self._sorted)


def _blend(window: _SortedWindow, shared: np.ndarray, usual: float) -> np.ndarray:
    n = len(window)
    if n < LEAST_ERRORS:
        return shared
    own = window.array()
    ratio = max(float(np.abs(own).mean()), 1e-3) / usual
    scale = ratio ** (n / (n + SCALE_NIGHTS))
    beyond = n * np.minimum(LEVELS, 1 - LEVELS)
    share = n / (n + SHAPE_NIGHTS) * np.minimum(beyond / TAIL_ERRORS, 1.0)
    place = LEVELS * (n - 1)
    below = place.astype(int)
    quantiles = own[below] + (place - below) * (own[np.minimum(below + 1, n - 1)] - own[below])
    return np.sort(share * quantiles + (1 - share) * scale * shared)


def _weighted_quantiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order]) - weights[order] / 2
    return np.interp(LEVELS * weights.sum(), cumulative, values[order])
