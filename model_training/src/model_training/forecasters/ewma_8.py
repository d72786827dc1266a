"""ewma_8: the coming nights lie around a level that forgets half of itself every eight nights.

Assumes      a slowly drifting level on the ln scale, and errors of the same law as before.
Is not       aware of weekday, strain or journal; its band does not know tonight from any other night.
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of its own past errors on the ln scale, per horizon, from the eighth scored night on;
             below 20 errors partly a wide prior law. The best of the naive rules for most people.
"""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import HORIZONS
from model_training.day_grid import DayGrid, ewma
from model_training.forecasters.fingerprint import code_version
from model_training.forecasters.last_night import NaiveRule

__all__ = ["Ewma8"]

HALF_LIFE_NIGHTS = 8.0


class Ewma8(NaiveRule):
    """Exponentially weighted level of ln RMSSD plus the empirical law of its past errors."""

    name = "ewma_8"
    version = code_version("2.0.0", __file__, "residual_law.py", "day_grid.py", "forecasters/last_night.py")
    burn_in_nights = 7

    def centre(self, grid: DayGrid) -> np.ndarray:
        """The level, at every horizon; ndarray [N, 7], ln ms."""
        return np.repeat(ewma(grid.log_hrv, HALF_LIFE_NIGHTS)[:, None], len(HORIZONS), axis=1)
