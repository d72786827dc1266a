"""chronos_2: Amazon's Chronos-2, a pretrained transformer for series, run on this machine.

Assumes      what holds for the public and synthetic series it was trained on; it sees the last 1,024 days.
Is not       trained on HRV; here it gets the series alone, no covariates. 120 M parameters: about a second a forecast
             on a laptop's processor.
Refuses      below 30 scored nights, with stale data, without its package (extra ``chronos``) or its weights.
Band         its own quantiles (trained at 0.01, 0.05 .. 0.95, 0.99; the package interpolates the other two), drawn
             towards its past errors.

Call, as in ``chronos-forecasting`` 2.3.2 (Apache-2.0), ``chronos/chronos2/pipeline.py``:
``Chronos2Pipeline.from_pretrained(path_or_repo, device_map=...)`` and
``predict_quantiles(inputs, prediction_length, quantile_levels, ...) -> (list of tensor [1, H, Q], list of tensor)``,
inputs being a list of one-dimensional arrays of any lengths, NaN where missing.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from model_training.forecasters.fingerprint import code_version
from model_training.foundation.adapter import FoundationAdapter

__all__ = ["Chronos2"]


class Chronos2(FoundationAdapter):
    """Chronos-2 behind the forecaster protocol."""

    name = "chronos_2"
    version = code_version("1.0.0", __file__, "foundation/adapter.py", "foundation/error_band.py")
    module = "chronos"
    extra = "chronos"
    hub_repo = "amazon/chronos-2"
    weight_files = ("config.json", "model.safetensors")

    def load(self, folder: Path) -> Any:
        """The pipeline, on the processor."""
        from chronos import Chronos2Pipeline

        return Chronos2Pipeline.from_pretrained(str(folder), device_map="cpu")

    def quantiles(self, pipeline: Any, windows: list[np.ndarray], last_days: list[date]) -> np.ndarray:
        """All 23 levels at once; [B, 7, 23] ms."""
        found, _ = pipeline.predict_quantiles(
            windows, prediction_length=len(HORIZONS), quantile_levels=list(QUANTILE_LEVELS)
        )
        return np.stack([np.asarray(series)[0] for series in found])
