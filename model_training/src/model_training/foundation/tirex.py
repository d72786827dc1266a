"""tirex: NXAI's TiRex, a pretrained xLSTM for series, run on this machine.

Assumes      what holds for the series it was trained on; it sees the last 1,024 days.
Is not       trained on HRV, and not under an open-source licence: the NXAI Community License asks for the notice
             "Built with technology from NXAI" and a commercial licence of companies above 100 M EUR. 35 M parameters.
Refuses      below 30 scored nights, with stale data, without its package (extra ``tirex``) or its weights.
Band         its nine deciles, extended in the shape of nightly RMSSD, drawn towards its past errors.

Calls, as in ``tirex-ts`` 1.4.2: ``TiRexZero.from_pretrained(path, backend, device)`` (``tirex/base.py``; the public
``load_model`` reads the class out of a path of the form ``owner/name`` and can't open a file elsewhere; the checkpoint
is read with ``weights_only``) and ``model.forecast(context, output_type="numpy", prediction_length=7) -> (quantiles
[B, H, 9], mean [B, H])`` (``tirex/api_adapter/forecast.py``), context being a list of one-dimensional arrays, NaN where
missing.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS
from model_training.forecasters.fingerprint import code_version
from model_training.foundation.adapter import FoundationAdapter
from model_training.foundation.deciles import extend_deciles

__all__ = ["TiRex"]


class TiRex(FoundationAdapter):
    """TiRex behind the forecaster protocol."""

    name = "tirex"
    version = code_version(
        "1.0.0", __file__, "foundation/adapter.py", "foundation/deciles.py", "foundation/error_band.py"
    )
    module = "tirex"
    extra = "tirex"
    hub_repo = "NX-AI/TiRex"
    weight_files = ("model.ckpt",)

    def load(self, folder: Path) -> Any:
        """The model, on the processor."""
        from tirex.models.tirex import TiRexZero

        return TiRexZero.from_pretrained(str(folder / self.weight_files[0]), backend="torch", device="cpu")

    def quantiles(self, pipeline: Any, windows: list[np.ndarray], last_days: list[date]) -> np.ndarray:
        """Nine deciles, extended; [B, 7, 23] ms."""
        deciles, _ = pipeline.forecast(windows, output_type="numpy", prediction_length=len(HORIZONS))
        return extend_deciles(np.asarray(deciles))
