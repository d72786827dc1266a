"""last_28: every coming night is one of the last 28.

Assumes      the next week is drawn from the last four; no trend, no memory, no weekday.
Is not       calibrated: 28 values are fewer than a band's tails need, so its 80 % band holds about 73 % of nights.
             It is kept raw because it is the reference that everybody understands.
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of the last 28 scored nights, the same at all horizons; below 20 nights partly a wide
             prior law around their median.
"""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from model_training.day_grid import DayGrid
from model_training.forecasters.fingerprint import code_version
from model_training.forecasters.last_night import NaiveRule
from model_training.residual_law import ENOUGH, empirical_law, to_ms

__all__ = ["Last28"]

NIGHTS = 28


class Last28(NaiveRule):
    """Empirical quantiles of the last 28 scored nights; nothing to fit."""

    name = "last_28"
    version = code_version("2.0.0", __file__, "residual_law.py", "day_grid.py", "forecasters/last_night.py")

    def path(self, grid: DayGrid, origins: np.ndarray) -> np.ndarray:
        """Quantiles [O, 7, 23] in ms."""
        values_ms = np.exp(grid.log_hrv)
        known = np.flatnonzero(np.isfinite(values_ms))
        ends = np.searchsorted(known, origins, side="right")
        quantiles_ms = np.full((len(origins), len(QUANTILE_LEVELS)), np.nan)
        full = ends >= NIGHTS
        if full.any():
            windows = np.lib.stride_tricks.sliding_window_view(values_ms[known], NIGHTS)
            all_windows = np.quantile(windows, QUANTILE_LEVELS, axis=1).T
            quantiles_ms[full] = all_windows[ends[full] - NIGHTS]
        for row in np.flatnonzero(~full & (ends >= self.least_nights)):
            quantiles_ms[row] = _of_few(values_ms[known[: ends[row]]])
        return np.repeat(quantiles_ms[:, None, :], len(HORIZONS), axis=1)


def _of_few(values_ms: np.ndarray) -> np.ndarray:
    if len(values_ms) >= ENOUGH:
        return np.quantile(values_ms, QUANTILE_LEVELS)
    centre = np.median(np.log(values_ms))
    return to_ms(centre + empirical_law(np.log(values_ms) - centre))
