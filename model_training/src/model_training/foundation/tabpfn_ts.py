"""tabpfn_ts: Prior Labs' TabPFN-TS, a pretrained table model that reads a series as a table of calendar features.

Assumes      weekday, running index and seasons found by a spectrum describe the series.
Is not       trained on HRV. Always run on this machine: the package's client mode, which sends the series to a server,
             is never used. The weights have a licence of their own that has to be accepted with Prior Labs first; put
             the regressor's checkpoint into the model folder as ``tabpfn-regressor.ckpt``.
Refuses      below 30 scored nights, with stale data, without its package (extra ``tabpfn``) or its weights.
Band         all 23 levels of its predictive law, drawn towards its past errors.

Calls, as in ``tabpfn-time-series`` 1.3.0 (Apache-2.0), ``tabpfn_time_series/pipeline.py``:
``TabPFNTSPipeline(tabpfn_mode=TabPFNMode.LOCAL, tabpfn_model_config={"model_path": ..., "device": ...})`` and
``predict_df(context_df, future_df, quantiles=[...]) -> DataFrame`` indexed by (item_id, timestamp), a column
per level; context_df has item_id, timestamp, target, future_df item_id and timestamp.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from model_training.forecasters.fingerprint import code_version
from model_training.foundation.adapter import FoundationAdapter

__all__ = ["TabPfnTs"]


class TabPfnTs(FoundationAdapter):
    """TabPFN-TS behind the forecaster protocol."""

    name = "tabpfn_ts"
    version = code_version("1.0.0", __file__, "foundation/adapter.py", "foundation/error_band.py")
    module = "tabpfn_time_series"
    extra = "tabpfn"
    weight_files = ("tabpfn-regressor.ckpt",)

    def load(self, folder: Path) -> Any:
        """The pipeline in local mode."""
        from tabpfn_time_series import TabPFNMode, TabPFNTSPipeline

        config = {"model_path": str(folder / self.weight_files[0]), "device": "cpu"}
        return TabPFNTSPipeline(tabpfn_mode=TabPFNMode.LOCAL, tabpfn_model_config=config)

    def quantiles(self, pipeline: Any, windows: list[np.ndarray], last_days: list[date]) -> np.ndarray:
        """All 23 levels; [B, 7, 23] ms."""
        import pandas as pd  # the package's own currency

        context, future = [], []
        for item, (window, last_day) in enumerate(zip(windows, last_days, strict=True)):
            known = np.flatnonzero(np.isfinite(window))
            at = pd.Timestamp(last_day)
            past = at + pd.to_timedelta(known - (len(window) - 1), unit="D")
            ahead = at + pd.to_timedelta(np.array(HORIZONS), unit="D")
            context.append(pd.DataFrame({"item_id": item, "timestamp": past, "target": window[known]}))
            future.append(pd.DataFrame({"item_id": item, "timestamp": ahead}))
        found = pipeline.predict_df(
            pd.concat(context, ignore_index=True),
            future_df=pd.concat(future, ignore_index=True),
            quantiles=list(QUANTILE_LEVELS),
        ).sort_index()
        # the levels name the columns: as text in the package's documentation, as numbers in its code
        column = {float(name): name for name in found.columns if _is_level(name)}
        levels = found[[column[level] for level in QUANTILE_LEVELS]].to_numpy(dtype=float)
        return levels.reshape(len(windows), len(HORIZONS), len(QUANTILE_LEVELS))


def _is_level(name: object) -> bool:
    try:
        return 0 < float(name) < 1  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
