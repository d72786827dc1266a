"""last_night: every coming night is like the last one.

Assumes      HRV walks: the last value holds all there is to know, and its errors were of the same law before.
Is not       a serious forecast; it is a rule that any other has to beat (about 20 % worse than ``last_28``).
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of its own past errors on the ln scale, per horizon; below 20 errors partly a wide
             prior law.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import Self

import numpy as np

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.history import History
from model_training.day_grid import DayGrid, day_grid
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.residual_law import ENOUGH, empirical_law, to_ms

__all__ = ["LastNight", "NaiveRule", "empirical_laws", "own_errors"]

LEVELS = np.asarray(QUANTILE_LEVELS)


class NaiveRule:
    """Base of the naive rules: a centre, and around it the plain law of the errors that the rule made so far.

    Attributes
    ----------
    burn_in_nights : int
        Forecasts made with fewer scored nights don't count among its errors.
    """

    name: str
    version: str
    least_nights = 3
    refit_days = 1
    burn_in_nights = 0

    def centre(self, grid: DayGrid) -> np.ndarray:
        """The rule: ndarray [N, 7], ln ms, of every origin and horizon."""
        raise NotImplementedError

    def fit(self, history: History) -> Self:
        """Refuse what can't be forecast; a rule learns nothing but its own errors, in the pass through the history."""
        require_nights(history, self.least_nights, self.name)
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, self.least_nights, self.name)
        grid = day_grid(history)
        return self.path(grid, np.array([len(grid) - 1]))[0, np.asarray(horizons) - 1]

    def path(self, grid: DayGrid, origins: np.ndarray) -> np.ndarray:
        """Quantiles [O, 7, 23] in ms."""
        centre = self.centre(grid)
        nights = np.cumsum(np.isfinite(grid.log_hrv))
        trusted = np.where(nights[:, None] < self.burn_in_nights, np.nan, centre)
        log_ms = centre[origins, :, None] + empirical_laws(own_errors(trusted, grid), origins)
        log_ms[nights[origins] < self.least_nights] = np.nan
        return to_ms(log_ms)


class LastNight(NaiveRule):
    """Last value plus the empirical law of its past errors."""

    name = "last_night"
    version = code_version("2.0.0", __file__, "residual_law.py", "day_grid.py")

    def centre(self, grid: DayGrid) -> np.ndarray:
        """The last scored night, at every horizon; ndarray [N, 7], ln ms."""
        at = np.where(np.isfinite(grid.log_hrv), np.arange(len(grid)), 0)
        return np.repeat(grid.log_hrv[np.maximum.accumulate(at)][:, None], len(HORIZONS), axis=1)


def own_errors(centre: np.ndarray, grid: DayGrid) -> np.ndarray:
    """Error on day t of the forecast made h nights before; ndarray [N, 7], ln ms, NaN = none."""
    errors = np.full(centre.shape, np.nan)
    for k, h in enumerate(HORIZONS):
        if len(grid) > h:
            errors[h:, k] = grid.log_hrv[h:] - centre[:-h, k]
    return errors


def empirical_laws(errors: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """``empirical_law`` of the errors known at each origin, in one pass.

    Parameters
    ----------
    errors : ndarray [N, 7], ln ms
        Row t holds what became known on day t.
    origins : ndarray [O], int

    Returns
    -------
    ndarray [O, 7, 23], ln ms
    """
    laws = np.empty((len(origins), errors.shape[1], len(LEVELS)))
    for k, of_horizon in enumerate(errors.T):
        known = np.flatnonzero(np.isfinite(of_horizon))
        ends = np.searchsorted(known, origins, side="right")
        by_number = _growing_laws(of_horizon[known], set(ends.tolist()))
        for row, end in enumerate(ends):
            laws[row, k] = by_number[int(end)]
    return laws


def _growing_laws(values: np.ndarray, wanted: set[int]) -> dict[int, np.ndarray]:
    """The law of the first m values for every wanted m: a sorted list that grows, read at its quantiles."""
    laws = {m: empirical_law(values[:m]) for m in wanted if m < ENOUGH}
    ordered: list[float] = []
    for m, value in enumerate(values.tolist(), start=1):
        insort(ordered, value)
        if m >= ENOUGH and m in wanted:
            place = LEVELS * (m - 1)
            left = place.astype(int)
            below, above = np.array([(ordered[i], ordered[i + 1]) for i in left.tolist()]).T
            laws[m] = below + (place - left) * (above - below)
    return laws
