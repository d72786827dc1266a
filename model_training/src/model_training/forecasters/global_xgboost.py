"""global_xgboost: XGBoost's quantile trees on what ridge leaves over.

Assumes      what a straight line misses (thresholds, two facts together) is alike in many people, once it is told in
             each one's own units. One small model says the 16, 50 and 84 % quantiles of ridge's error at once; it was
             grown on the pool for the coming night, and another for nights 2-7 together. "Not said" has branches of its
             own.
Is not       grown on the wearer: it adapts through ridge below it and through the law of errors above it. In an evening
             that is not over, strain so far stands for the day's strain.
Refuses      below 10 scored nights, or when the last one is more than three days old.
Band         half the distance from the 16 to the 84 % quantile is the night's own SD; around it the standardised
             errors' law of the pool, scaled and bent by the wearer's own.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from model_training.forecasters.boosted import QUANTILES, RidgeResidual
from model_training.forecasters.fingerprint import code_version
from model_training.forecasters.grown_trees import Forest, read_xgboost
from model_training.pool import shipped_digest

__all__ = ["GlobalXGBoost"]

ROUNDS = 24
MAX_BIN = 64
SETTINGS: dict[str, Any] = {
    "objective": "reg:quantileerror", "quantile_alpha": np.array(QUANTILES), "tree_method": "hist", "max_depth": 3,
    "eta": 0.08, "min_child_weight": 40, "lambda": 5.0, "subsample": 0.7, "colsample_bynode": 0.5, "max_bin": MAX_BIN,
    "nthread": 1, "seed": 0,
}  # fmt: skip


class GlobalXGBoost(RidgeResidual):
    """Multi-quantile boosted trees, kept as XGBoost's own JSON text and read without XGBoost."""

    name = "global_xgboost"
    version = code_version(
        "1.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py", "design.py", "paths.py",
        "forecasters/ridge.py", "forecasters/boosted.py", "forecasters/grown_trees.py", also=shipped_digest(),
    )  # fmt: skip

    @staticmethod
    def grown(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> str:
        """The model's JSON text."""
        import xgboost

        rows = xgboost.QuantileDMatrix(x, y, weight=weights, max_bin=MAX_BIN, nthread=1)
        return bytes(xgboost.train(SETTINGS, rows, ROUNDS).save_raw("json")).decode()

    @staticmethod
    def quantiles(held: str, x: np.ndarray) -> np.ndarray:
        """Quantiles [R, 3] in personal units."""
        forests, start = _read(held)
        rows = x.astype(np.float32)
        return start + np.column_stack([forest.predict(rows) for forest in forests])


@functools.lru_cache(maxsize=8)
def _read(text: str) -> tuple[list[Forest], np.ndarray]:
    return read_xgboost(text)
