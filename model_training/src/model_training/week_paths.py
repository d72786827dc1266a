"""Seven nights that hang together: paths whose nights are forecast one by one and drawn jointly.

A week's mean, or "three low nights in a row", needs more than seven bands: a night that comes out low says something of
the next. The ranks of the seven nights are tied by a Gaussian copula (Schefzik et al. 2013, doi:10.1214/13-STS443, the
parametric kin of ensemble copula coupling), its correlation learned from other people; each night keeps its own band
exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, rankdata

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS

__all__ = ["fit_correlation", "sample_paths"]

LEVELS = np.asarray(QUANTILE_LEVELS)
LEAST_PAIRS = 30
LEAST_EIGENVALUE = 1e-3


def fit_correlation(errors: Sequence[np.ndarray]) -> np.ndarray:
    """Correlation of the seven nights' errors that one origin makes.

    Parameters
    ----------
    errors : sequence of ndarray [N, 7]
        One a person: standardised error on day t of the forecast made h nights before.

    Returns
    -------
    ndarray [7, 7]
        Of normal scores; positive definite.
    """
    by_origin = [
        np.column_stack([np.roll(e[:, k], -h) for k, h in enumerate(HORIZONS)])[: -max(HORIZONS)]
        for e in errors
    ]
    stacked = np.vstack(by_origin)
    scores = np.full_like(stacked, np.nan)
    for k in range(len(HORIZONS)):
        known = np.isfinite(stacked[:, k])
        scores[known, k] = norm.ppf(rankdata(stacked[known, k]) / (known.sum() + 1))
    correlation = np.eye(len(HORIZONS))
    for a in range(len(HORIZONS)):
        for b in range(a):
            both = np.isfinite(scores[:, a]) & np.isfinite(scores[:, b])
            if both.sum() >= LEAST_PAIRS:
                correlation[a, b] = correlation[b, a] = np.corrcoef(scores[both, a], scores[both, b])[0, 1]
    values, vectors = np.linalg.eigh(correlation)
    fixed = vectors @ np.diag(np.maximum(values, LEAST_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(fixed))
    return fixed / np.outer(scale, scale)


def sample_paths(quantiles_ms: np.ndarray, correlation: np.ndarray, paths: int, *, seed: int) -> np.ndarray:
    """Draw weeks.

    Parameters
    ----------
    quantiles_ms : ndarray [7, 23], ms
    correlation : ndarray [7, 7]

    Returns
    -------
    ndarray [paths, 7], ms
        Each night's values follow its own quantiles: stratified, so that even a few paths fill the band.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((paths, len(HORIZONS))) @ np.linalg.cholesky(correlation).T
    places = (rankdata(drawn, axis=0) - 0.5) / paths
    return np.column_stack([_inverse(places[:, k], quantiles_ms[k]) for k in range(len(HORIZONS))])


def _inverse(places: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Quantile function by interpolation in normal scores; beyond the outer levels straight on, as far as 0.1 %."""
    z = norm.ppf(LEVELS)
    at = np.clip(norm.ppf(places), -3.1, 3.1)
    inside = np.interp(at, z, quantiles)
    low = quantiles[0] + (at - z[0]) * (quantiles[1] - quantiles[0]) / (z[1] - z[0])
    high = quantiles[-1] + (at - z[-1]) * (quantiles[-1] - quantiles[-2]) / (z[-1] - z[-2])
    return np.maximum(np.where(at < z[0], low, np.where(at > z[-1], high, inside)), 1.0)
