"""weekday: the coming nights lie around the wearer's level, moved by what their weekday has meant so far.

Assumes      a week has a rhythm of its own (training, drink, sleeping in) that repeats; the level is the EWMA of
             half-life 28 nights, and a weekday's own mean is believed half after eight nights of it.
Is not       told why: it knows no strain and no journal, and can't tell a holiday from a working Monday.
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of its own past errors on the ln scale, per horizon, from the eighth scored night on;
             below 20 errors partly a wide prior law.
"""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import HORIZONS
from model_training.day_grid import DayGrid, ewma
from model_training.features import ANCHOR_HALF_LIFE, personal_scale, weekday_effects
from model_training.forecasters.fingerprint import code_version
from model_training.forecasters.last_night import NaiveRule

__all__ = ["Weekday"]

HALF_LIFE_NIGHTS = 28.0


class Weekday(NaiveRule):
    """Level plus shrunken weekday mean plus the empirical law of past errors."""

    name = "weekday"
    version = code_version(
        "1.0.0", __file__, "residual_law.py", "day_grid.py", "features.py", "forecasters/last_night.py"
    )
    burn_in_nights = 7

    def centre(self, grid: DayGrid) -> np.ndarray:
        """Level and weekday; ndarray [N, 7], ln ms. A grid that hides the calendar leaves the level alone."""
        level = ewma(grid.log_hrv, HALF_LIFE_NIGHTS)
        if not grid.knows_weekday:
            return np.repeat(level[:, None], len(HORIZONS), axis=1)
        scale = personal_scale(grid.log_hrv, ewma(grid.log_hrv, ANCHOR_HALF_LIFE))
        target = (grid.weekday[:, None] + np.asarray(HORIZONS)) % 7
        return level[:, None] + scale[:, None] * np.take_along_axis(weekday_effects(grid), target, axis=1)
