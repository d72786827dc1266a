"""boosted: scikit-learn's quantile trees on what ridge leaves over.

Assumes      what a straight line misses (thresholds, two facts together) is alike in many people, once it is told in
             each one's own units. Trees for the 16, 50 and 84 % quantiles of ridge's error were grown on the pool, once
             for the coming night and once for nights 2-7 together, with the horizon as a feature.
Is not       grown on the wearer: it adapts through ridge below it and through the law of errors above it. An unknown
             value counts as the usual one. In an evening that is not over, strain so far stands for the day's strain.
Refuses      below 10 scored nights, or when the last one is more than three days old.
Band         half the distance from the 16 to the 84 % quantile is the night's own SD; around it the standardised
             errors' law of the pool, scaled and bent by the wearer's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model_training.day_grid import DayGrid
from model_training.design import design, person_weights
from model_training.features import Features, features
from model_training.forecasters import ridge
from model_training.forecasters.fingerprint import code_version
from model_training.paths import Located, LocationScale, law_part, standardised_errors
from model_training.pool import shipped_digest

__all__ = ["Boosted", "RidgeResidual", "grown_trees", "predicted_by_trees", "residual_rows"]

QUANTILES = (0.16, 0.5, 0.84)
GROUPS: dict[str, tuple[int, ...]] = {"night_1": (1,), "later": (2, 3, 4, 5, 6, 7)}
"""Horizons that share trees: the day before acts on the coming night alone."""
CLIP = 4.0
"""Errors beyond so many spreads count as this far."""
LEAST_SD = 0.2
"""Personal units; keeps a lucky leaf from a band of no width."""
NIGHTS_MOST = 100
ROWS_MOST = 30_000
"""Evenly spaced rows that scikit-learn's exact trees are grown on; all of a large pool would take minutes."""
SETTINGS: dict[str, Any] = {
    "n_estimators": 40, "max_depth": 3, "learning_rate": 0.08, "min_samples_leaf": 60, "subsample": 0.3,
    "max_features": 0.3, "random_state": 0,
}  # fmt: skip


class RidgeResidual(LocationScale):
    """Base of members that say three quantiles of ridge's error: ``grown`` on the pool, ``quantiles`` from then on."""

    least_nights = 10
    builds_on = ("ridge",)

    @staticmethod
    def grown(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Any:
        """Learn ``QUANTILES`` of y [R] given x [R, F]; JSON-able."""
        raise NotImplementedError

    @staticmethod
    def quantiles(held: Any, x: np.ndarray) -> np.ndarray:
        """``QUANTILES`` of what was grown, ndarray [R, 3], in any order along the last axis."""
        raise NotImplementedError

    def locate(self, grid: DayGrid) -> Located:
        """Location and scale at every origin."""
        below = ridge.locate(grid, self.pooled_of("ridge", grid.slot)["effects"])
        return self.around_ridge(grid, below, self.pooled(grid.slot)["grown"])

    def contributions(self, grid: DayGrid) -> dict[str, np.ndarray]:
        """Ridge's groups, ln ms [7] each, and as ``other`` by how much the trees move it."""
        effects = self.pooled_of("ridge", grid.slot)["effects"]
        moved = self.locate(grid).mean[-1] - ridge.locate(grid, effects).mean[-1]
        groups = ridge.location_parts(grid, effects)
        return groups | {"other": groups.get("other", 0.0) + moved}

    @classmethod
    def around_ridge(cls, grid: DayGrid, below: Located, grown: dict[str, Any]) -> Located:
        """Ridge's location moved by the median error, and the night's own SD."""
        seen = features(grid)
        mean, sd = np.empty_like(below.mean), np.empty_like(below.mean)
        for group, horizons in GROUPS.items():
            x, _ = residual_rows(grid, below, horizons, seen)
            said = np.sort(cls.quantiles(grown[group], x), axis=1).reshape(len(horizons), len(grid), -1)
            for (low, middle, high), h in zip(np.moveaxis(said, 2, 1), horizons, strict=True):
                mean[:, h - 1] = below.mean[:, h - 1] + seen.scale * middle
                sd[:, h - 1] = seen.scale * np.maximum((high - low) / 2, LEAST_SD)
        return Located(mean, sd)

    @classmethod
    def fit_pool(cls, grids: Sequence[DayGrid], parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Trees on the error of ridge's part, and the law of errors around them."""
        if parts is None:
            raise ValueError("expected the part of ridge, got none")
        effects = parts["ridge"]["effects"]
        below = [ridge.locate(grid, effects) for grid in grids]
        grown = {}
        for group, horizons in GROUPS.items():
            laid = [residual_rows(grid, at, horizons) for grid, at in zip(grids, below, strict=True)]
            known = [np.isfinite(y) for _, y in laid]
            x = np.vstack([x[k] for (x, _), k in zip(laid, known, strict=True)])
            y = np.concatenate([y[k] for (_, y), k in zip(laid, known, strict=True)])
            grown[group] = cls.grown(
                x, np.clip(y, -CLIP, CLIP), person_weights([int(k.sum()) for k in known])
            )
        errors = [
            standardised_errors(cls.around_ridge(grid, at, grown), grid)
            for grid, at in zip(grids, below, strict=True)
        ]
        return {"grown": grown} | law_part(errors)


class Boosted(RidgeResidual):
    """Gradient-boosted quantile trees, read without scikit-learn."""

    name = "boosted"
    version = code_version(
        "2.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py", "design.py", "paths.py",
        "forecasters/ridge.py", also=shipped_digest(),
    )  # fmt: skip

    @staticmethod
    def grown(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> list[dict[str, Any]]:
        """One forest a quantile, as plain arrays."""
        some = slice(None, None, -(-len(y) // ROWS_MOST))
        x = np.nan_to_num(x[some])
        return [grown_trees(x, y[some], weights[some], level) for level in QUANTILES]

    @staticmethod
    def quantiles(held: list[dict[str, Any]], x: np.ndarray) -> np.ndarray:
        """Quantiles [R, 3] in personal units."""
        return np.column_stack([predicted_by_trees(forest, np.nan_to_num(x)) for forest in held])


def residual_rows(
    grid: DayGrid, below: Located, horizons: Sequence[int], seen: Features | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Features of every origin and horizon, horizon by horizon, and ridge's error there.

    Returns
    -------
    x : ndarray [H * N, F]
        NaN = unknown; the last columns are ridge's location in personal units, the horizon and the scored nights.
    y : ndarray [H * N], personal units
        NaN = not come true.
    """
    seen = seen or features(grid)
    rows, errors = [], []
    for h in horizons:
        laid = design(grid, h, seen)
        said = (below.mean[:, h - 1] - laid.anchor) / laid.scale
        nights = np.minimum(seen.nights, NIGHTS_MOST)
        rows.append(np.column_stack([laid.x, said, np.full(len(grid), h), nights]))
        errors.append(laid.y - said)
    return np.vstack(rows), np.concatenate(errors)


def grown_trees(x: np.ndarray, y: np.ndarray, weights: np.ndarray, level: float) -> dict[str, Any]:
    """Grow one quantile's trees; node k of tree t goes left where x[feature] <= threshold, leaves have feature -1."""
    from sklearn.ensemble import GradientBoostingRegressor

    fitted = GradientBoostingRegressor(loss="quantile", alpha=level, **SETTINGS).fit(
        x, y, sample_weight=weights
    )
    trees = [tree.tree_ for tree in fitted.estimators_[:, 0]]
    return {
        "start": float(fitted.init_.constant_.ravel()[0]),
        "feature": [np.where(t.children_left < 0, -1, t.feature).tolist() for t in trees],
        "threshold": [np.where(t.children_left < 0, 0.0, t.threshold).round(6).tolist() for t in trees],
        "left": [t.children_left.tolist() for t in trees],
        "right": [t.children_right.tolist() for t in trees],
        "value": [(fitted.learning_rate * t.value.ravel()).round(6).tolist() for t in trees],
    }


def predicted_by_trees(forest: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Sum of the trees for rows x [R, F]; ndarray [R]."""
    x = x.astype(np.float32)
    total = np.full(len(x), forest["start"])
    at_row = np.arange(len(x))
    parts = (forest[name] for name in ("feature", "threshold", "left", "right", "value"))
    for tree in zip(*parts, strict=True):
        feature, threshold, left, right, value = map(np.asarray, tree)
        node = np.zeros(len(x), dtype=int)
        for _ in range(SETTINGS["max_depth"]):
            goes_left = x[at_row, feature[node]] <= threshold[node]
            node = np.where(feature[node] < 0, node, np.where(goes_left, left[node], right[node]))
        total += value[node]
    return total
