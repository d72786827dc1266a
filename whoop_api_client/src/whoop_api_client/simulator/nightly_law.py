"""The true law of one night's RMSSD, as an observer who knows the member would state it that evening.

ln RMSSD is a mixture of an ordinary night and a hit night (unlogged trouble: the long left tail of real
wearers).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["NightlyLaw"]


@dataclass(frozen=True)
class NightlyLaw:
    """Mixture of normals in ln RMSSD.

    ``weights``, ``means_ln``, ``sds_ln`` : tuples [K], the weights sum to one.
    """

    weights: tuple[float, ...]
    means_ln: tuple[float, ...]
    sds_ln: tuple[float, ...]

    @property
    def mean_ln(self) -> float:
        """Expected ln RMSSD."""
        return float(np.dot(self.weights, self.means_ln))

    def cdf(self, values_ms: np.ndarray) -> np.ndarray:
        """P(RMSSD <= value).

        Parameters
        ----------
        values_ms : ndarray [N], ms

        Returns
        -------
        ndarray [N]
        """
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            ln = np.log(np.atleast_1d(np.asarray(values_ms, dtype=float)))
        return sum(
            w * ndtr((ln - m) / s) for w, m, s in zip(self.weights, self.means_ln, self.sds_ln, strict=True)
        )

    def quantiles_ms(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles by bisection, exact to 1e-9 in ln.

        Parameters
        ----------
        levels : ndarray [Q], each strictly inside 0 … 1

        Returns
        -------
        ndarray [Q], ms
        """
        levels = np.asarray(levels, dtype=float)
        if np.any((levels <= 0) | (levels >= 1)):
            raise ValueError("expected quantile levels strictly between 0 and 1")
        low = np.full(levels.shape, min(self.means_ln) - 12 * max(self.sds_ln))
        high = np.full(levels.shape, max(self.means_ln) + 12 * max(self.sds_ln))
        while np.max(high - low) > 1e-9:
            middle = (low + high) / 2
            below = self.cdf(np.exp(middle)) < levels
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.exp((low + high) / 2)
