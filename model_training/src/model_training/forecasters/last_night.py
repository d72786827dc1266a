"""last_night: every coming night is like the last one.

Assumes      HRV walks: the last value holds all there is to know, and its errors were of the same law before.
Is not       a serious forecast; it is a rule that any other has to beat (about 20 % worse than ``last_28``).
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of its own past errors on the ln scale, per horizon; below 20 errors partly a wide
             prior law.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.residual_law import log_quantiles, to_ms

__all__ = ["LastNight"]

LEAST_NIGHTS = 3


class LastNight:
    """Last value plus the empirical law of its past errors."""

    name = "last_night"
    version = code_version("1.0.0", __file__, "residual_law.py")
    refit_days = 1

    def fit(self, history: History) -> Self:
        """Collect the errors that this rule made at every horizon."""
        require_nights(history, LEAST_NIGHTS, self.name)
        log_hrv = np.log(history.hrv_series()[1])
        last = carried_forward(log_hrv)
        self.law_ = {h: log_quantiles(log_hrv[h:] - last[:-h]) for h in HORIZONS}
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        last = carried_forward(np.log(history.hrv_series()[1]))[-1]
        return to_ms(np.array([last + self.law_[h] for h in horizons]))


def carried_forward(values: np.ndarray) -> np.ndarray:
    """The last known value up to each day; [N] -> [N], values[0] is known."""
    at = np.where(np.isfinite(values), np.arange(len(values)), 0)
    return values[np.maximum.accumulate(at)]
