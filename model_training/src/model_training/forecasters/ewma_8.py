"""ewma_8: the coming nights lie around a level that forgets half of itself every eight nights.

Assumes      a slowly drifting level on the ln scale, and errors of the same law as before.
Is not       aware of weekday, strain or journal; its band does not know tonight from any other night.
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of its own past errors on the ln scale, per horizon, from the eighth scored night on;
             below 20 errors partly a wide prior law. The best of the three naive rules for most people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.day_grid import ewma
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.residual_law import log_quantiles, to_ms

__all__ = ["Ewma8"]

LEAST_NIGHTS = 3
HALF_LIFE_NIGHTS = 8.0
BURN_IN_NIGHTS = 7


class Ewma8:
    """Exponentially weighted level of ln RMSSD plus the empirical law of its past errors."""

    name = "ewma_8"
    version = code_version("1.0.0", __file__, "residual_law.py", "day_grid.py")
    refit_days = 1

    def fit(self, history: History) -> Self:
        """Collect the errors that this rule made at every horizon."""
        require_nights(history, LEAST_NIGHTS, self.name)
        log_hrv = np.log(history.hrv_series()[1])
        level = ewma(log_hrv, HALF_LIFE_NIGHTS)
        level[np.cumsum(np.isfinite(log_hrv)) < BURN_IN_NIGHTS] = np.nan
        self.law_ = {h: log_quantiles(log_hrv[h:] - level[:-h]) for h in HORIZONS}
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        level = ewma(np.log(history.hrv_series()[1]), HALF_LIFE_NIGHTS)[-1]
        return to_ms(np.array([level + self.law_[h] for h in horizons]))
