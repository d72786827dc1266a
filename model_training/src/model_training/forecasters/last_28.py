"""last_28: every coming night is one of the last 28.

Assumes      the next week is drawn from the last four; no trend, no memory, no weekday.
Is not       calibrated: 28 values are fewer than a band's tails need, so its 80 % band holds about 73 % of nights.
             It is kept raw because it is the reference that everybody understands.
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of the last 28 scored nights, the same at all horizons; below 20 nights partly a wide
             prior law around their median.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.history import History
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.residual_law import ENOUGH, log_quantiles, to_ms

__all__ = ["Last28"]

LEAST_NIGHTS = 3
NIGHTS = 28


class Last28:
    """Empirical quantiles of the last 28 scored nights; nothing to fit."""

    name = "last_28"
    version = code_version("1.0.0", __file__, "residual_law.py")
    refit_days = 1

    def fit(self, history: History) -> Self:
        """Nothing is learned; refuses like ``predict``."""
        require_nights(history, LEAST_NIGHTS, self.name)
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        values_ms = history.hrv_series()[1]
        recent_ms = values_ms[np.isfinite(values_ms)][-NIGHTS:]
        if len(recent_ms) >= ENOUGH:
            quantiles_ms = np.quantile(recent_ms, QUANTILE_LEVELS)
        else:
            centre = np.median(np.log(recent_ms))
            quantiles_ms = to_ms(centre + log_quantiles(np.log(recent_ms) - centre))
        return np.tile(quantiles_ms, (len(horizons), 1))
