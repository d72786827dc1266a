"""fracast: a small pretrained network that knows thousands of other series, and of this one nothing but its values.

Assumes      nightly HRV moves as the series do that the network was trained on (Fracast-0, 85,001 parameters, generic
             public and synthetic series, Apache-2.0). Its deciles for nights 1 to 7 are taken as they come.
Is not       aware of the calendar, strain, sleep or journal, and not trained on HRV. It runs in numpy, without torch;
             it is alike for morning and evening.
Refuses      below 14 scored nights, when the last one is more than three days old, or without its weights
             (`hrv models fetch forecast`, 0.5 MB; training fetches them when downloads are allowed, forecasting never
             does).
Band         its deciles, extended to 23 levels in the shape of nightly RMSSD. At night 1 they hold a little less than
             they say (76 % for 80 %); the mix's calibration sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from hrv_shared.constants import HORIZONS, RMSSD_PLAUSIBLE_MS
from hrv_shared.history import History
from hrv_shared.models import manifest_of
from model_training.day_grid import DayGrid, day_grid
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.foundation.deciles import extend_deciles
from model_training.foundation.fracast import fracast_quantiles
from model_training.foundation.fracast_weights import MODEL, loaded_net

__all__ = ["Fracast"]


class Fracast:
    """Fracast-0 as it comes."""

    name = "fracast"
    version = code_version(
        "2.0.0", __file__, "foundation/deciles.py", "foundation/fracast.py", "foundation/fracast_net.py",
        "foundation/fracast_periods.py",
        also=manifest_of(MODEL).files[0].sha256,
    )  # fmt: skip
    least_nights = 14
    refit_days = 1

    def prepare(self) -> None:
        """Fetch the weights where they are absent and downloads are allowed; only training asks for it."""
        loaded_net(may_download=True)

    def fit(self, history: History) -> Self:
        """See that there are nights and weights; nothing is learned, and nothing fetched."""
        require_nights(history, self.least_nights, self.name)
        loaded_net()
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, self.least_nights, self.name)
        grid = day_grid(history)
        return self.path(grid, np.array([len(grid) - 1]))[0, np.asarray(horizons) - 1]

    def path(self, grid: DayGrid, origins: np.ndarray) -> np.ndarray:
        """Quantiles [O, 7, 23] in ms."""
        low, high = RMSSD_PLAUSIBLE_MS
        quantiles = np.full((len(origins), len(HORIZONS), 23), np.nan)
        enough = np.cumsum(np.isfinite(grid.log_hrv))[origins] >= self.least_nights
        if enough.any():
            deciles = np.clip(
                fracast_quantiles(np.exp(grid.log_hrv), origins[enough], loaded_net()), low, high
            )
            quantiles[enough] = np.clip(extend_deciles(deciles), low, high)
        return quantiles
