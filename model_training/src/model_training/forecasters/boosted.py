"""boosted: gradient-boosted trees for the median and the 10 and 90 % quantiles of the coming night and of the week.

Assumes      the last year holds patterns (thresholds, interactions) that repeat. The coming night has trees of its own,
             because the day before acts on it alone; nights 2-7 share theirs, with the horizon as a feature. Unknown
             values stay unknown: the trees learn what "not said" goes with.
Is not       informed by any prior: a habit that was logged a few times can't move it. Trees don't extrapolate, so they
             only say how far from the EWMA of half-life 8 nights a night will lie.
Refuses      below 60 scored nights, or when the last one is more than three days old.
Band         the distance from the median to the 10 or 90 % quantile is the night's own scale; in units of it, the
             out-of-fold errors (contiguous blocks of days, a week's gap on both sides) give the law per horizon.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version as installed_version
from typing import Any, Self

import numpy as np
from threadpoolctl import threadpool_limits

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.features import TrainingRows, anchor_at_origin, features, training_rows
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.residual_law import ENOUGH, log_quantiles, to_ms

__all__ = ["Boosted"]

LEAST_NIGHTS = 60
TRAIN_DAYS = 365
FOLDS = 3
GAP_DAYS = 7
LEVELS = (0.1, 0.5, 0.9)
LEAST_HALF_WIDTH = 0.05
"""ln ms; keeps a lucky leaf from a band of no width."""
SETTINGS: dict[str, Any] = {
    "loss": "quantile", "max_iter": 30, "learning_rate": 0.08, "max_leaf_nodes": 5,
    "l2_regularization": 5.0, "max_bins": 64, "early_stopping": False, "random_state": 0,
}  # fmt: skip
GROUPS = {(1,): 20, (2, 3, 4, 5, 6, 7): 70}
"""Horizons that share trees -> fewest rows of a leaf (one to three weeks of nights)."""


class Boosted:
    """Quantile trees with a law of out-of-fold errors around them."""

    name = "boosted"
    version = code_version(
        "1.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py",
        also=installed_version("scikit-learn"),
    )  # fmt: skip
    refit_days = 7

    def fit(self, history: History) -> Self:
        """Grow the trees, and once more without each block for its errors."""
        require_nights(history, LEAST_NIGHTS, self.name)
        self.trees_, self.law_ = {}, {}
        with _one_thread():
            for horizons, leaf in GROUPS.items():
                rows = training_rows(history, horizons, last_days=TRAIN_DAYS)
                errors = _out_of_fold(rows, leaf)
                trees = _grow(rows.x, rows.y, leaf)
                for h in horizons:
                    self.trees_[h] = trees
                    self.law_[h] = _law(errors, rows.horizon == h)
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        anchor = anchor_at_origin(history)
        rows = []
        with _one_thread():
            for h, x in zip(horizons, features(history, horizons)[1], strict=True):
                middle, below, above = _spread(self.trees_[h], x[None])
                law = self.law_[h]
                rows.append(anchor + middle + np.where(law < 0, law * below, law * above))
        return to_ms(np.array(rows))


def _one_thread() -> threadpool_limits:
    """On tables this small a second thread costs more than it gives, and one thread is the same sum every time."""
    import sklearn.ensemble  # noqa: F401 - its thread pool exists, and can be limited, only once it is loaded

    return threadpool_limits(1)


def _law(errors: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The horizon's own law; with too few errors of it (nights with gaps) that of all horizons; [23]."""
    return log_quantiles(errors[own] if own.sum() >= ENOUGH else errors)


def _grow(x: np.ndarray, y: np.ndarray, leaf: int) -> dict[str, Any]:
    """Trees per level, and which columns they saw (those that vary)."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    used = np.array([len(np.unique(column[np.isfinite(column)])) > 1 for column in x.T])
    trees = [
        HistGradientBoostingRegressor(quantile=level, min_samples_leaf=leaf, **SETTINGS).fit(x[:, used], y)
        for level in LEVELS
    ]
    return {"used": used, "trees": trees}


def _spread(grown: dict[str, Any], x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median and the half-widths below and above it; three ndarray [N], ln ms."""
    low, middle, high = (tree.predict(x[:, grown["used"]]) for tree in grown["trees"])
    return middle, np.maximum(middle - low, LEAST_HALF_WIDTH), np.maximum(high - middle, LEAST_HALF_WIDTH)


def _out_of_fold(rows: TrainingRows, leaf: int) -> np.ndarray:
    """Errors in units of the half-width on their side; ndarray [N]."""
    errors = np.empty(len(rows.y))
    edges = np.quantile(rows.origin, np.linspace(0, 1, FOLDS + 1))
    edges[-1] += 1
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        held = (rows.origin >= begin) & (rows.origin < end)
        far = (rows.origin < begin - GAP_DAYS) | (rows.origin >= end + GAP_DAYS)
        middle, below, above = _spread(_grow(rows.x[far], rows.y[far], leaf), rows.x[held])
        error = rows.y[held] - middle
        errors[held] = np.where(error < 0, error / below, error / above)
    return errors
