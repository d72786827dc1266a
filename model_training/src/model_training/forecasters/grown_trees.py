"""Grown trees without the library that grew them: read from its text, predicted and explained with numpy.

LightGBM and XGBoost take pandas and scikit-learn with them when they are imported, and LightGBM's wheel wants the
system's OpenMP runtime; a forecast needs none of it. ``tests/test_training_grown_trees.py`` holds both against the
libraries: LightGBM's predictions bit for bit, XGBoost's to the rounding of its float32 sums.

Which leaf a row falls into is found with bit masks instead of walks (QuickScorer, Lucchese et al. 2015,
doi:10.1145/2766462.2767733). Contributions are exact path-dependent TreeSHAP (Lundberg et al. 2020,
doi:10.1038/s42256-019-0138-9): within a leaf the game is a product over features, so that its Shapley value is the
integral over t of the other features' factors ``unknown (1 - t) + known t``, which a few Gauss points give exactly.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_training.errors import PoolDamaged

__all__ = ["Forest", "read_lightgbm", "read_xgboost"]

DEFAULT_LEFT, MISSING_SHIFT, MISSING_ZERO, MISSING_NAN = 2, 2, 1, 2
MASKS = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}


@dataclass(frozen=True)
class Forest:
    """T trees of at most M nodes and L leaves, padded.

    Attributes
    ----------
    feature, threshold, nan_left : ndarray [T, M]
        A row goes left where ``x[feature] <= threshold``; where x is NaN, as ``nan_left`` says.
    kept_right : ndarray [T, M], unsigned
        Leaves (a bit each, the leftmost lowest) that a row can still reach after going right.
    value : ndarray [T, L]
        Of the leaves from left to right.
    passed : ndarray [T, L, M], int
        1 where the leaf's path goes left at the node, -1 where right, 0 where it does not pass it.
    share : ndarray [T, L, M]
        Share of the node's rows that the path's side had in training; 1 beside the path.
    """

    feature: np.ndarray
    threshold: np.ndarray
    nan_left: np.ndarray
    kept_right: np.ndarray
    value: np.ndarray
    passed: np.ndarray
    share: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Sum of the trees; x [R, F] with NaN = unknown, ndarray [R]."""
        full = self.kept_right.dtype.type(np.iinfo(self.kept_right.dtype).max)
        kept = np.where(self._goes_left(x), full, self.kept_right[..., None])
        reached = np.bitwise_and.reduce(kept, axis=1)  # [T, R]
        lowest = reached & (~reached + self.kept_right.dtype.type(1))
        leaf = np.frexp(lowest.astype(float))[1] - 1
        # one tree after the other, as LightGBM adds: a plain sum would add a single row in another order
        return np.add.accumulate(np.take_along_axis(self.value, leaf, axis=1), axis=0)[-1]

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """What each feature adds to the prediction of one row x [F]; ndarray [F + 1], the mean of training last."""
        goes_left = self._goes_left(x[None])[..., 0]
        agrees = np.where(goes_left[:, None, :], self.passed >= 0, self.passed <= 0)
        added = np.zeros(len(x) + 1)
        for t in range(len(self.value)):
            names, group = np.unique(self.feature[t], return_inverse=True)
            unknown, known = np.ones((2, len(names), self.value.shape[1]))
            for m, g in enumerate(group):
                unknown[g] *= self.share[t, :, m]
                known[g] *= agrees[t, :, m]
            added[names] += _shapley(unknown, known) @ self.value[t]
            added[-1] += np.prod(unknown, axis=0) @ self.value[t]
        return added

    def _goes_left(self, x: np.ndarray) -> np.ndarray:
        columns = np.ascontiguousarray(x.T)[self.feature]  # [T, M, R]
        return (columns <= self.threshold[..., None]) | (np.isnan(columns) & self.nan_left[..., None])


def read_lightgbm(text: str) -> Forest:
    """Read the trees of ``lightgbm.Booster.model_to_string()``.

    Raises
    ------
    PoolDamaged
        The text is not of that form, or has trees that are not read here: categories, linear leaves, zero as missing,
        more than 64 leaves.
    """
    try:
        blocks = text.split("\nend of trees")[0].split("\nTree=")[1:]
        return _forest([_lightgbm_tree(block) for block in blocks])
    except (KeyError, ValueError, IndexError, StopIteration) as error:
        raise _unread("LightGBM", error) from error


def read_xgboost(text: str) -> tuple[list[Forest], np.ndarray]:
    """Read the JSON of ``xgboost.Booster.save_raw("json")``: a forest for each output, and where each starts, [K].

    A row must be rounded to float32 before it is asked, as XGBoost does; then predictions differ from XGBoost's by the
    rounding of its float32 sums only.

    Raises
    ------
    PoolDamaged
        As for ``read_lightgbm``.
    """
    try:
        learner = json.loads(text)["learner"]
        model = learner["gradient_booster"]["model"]
        start = np.atleast_1d(json.loads(learner["learner_model_param"]["base_score"])).astype(float)
        grown = [_xgboost_tree(tree) for tree in model["trees"]]
        forests = [
            _forest([tree for tree, k in zip(grown, model["tree_info"], strict=True) if k == output])
            for output in range(len(start))
        ]
    except (KeyError, TypeError, ValueError, IndexError, StopIteration) as error:
        raise _unread("XGBoost", error) from error
    return forests, start


@dataclass(frozen=True)
class _Tree:
    """A leaf with its value, or a split with its two sides; ``rows`` of training were in it."""

    rows: float
    value: float = 0.0
    feature: int = 0
    threshold: float = np.inf
    nan_left: bool = True
    sides: tuple[_Tree, ...] = ()


def _lightgbm_tree(block: str) -> _Tree:
    field = {key: value.split() for key, _, value in (line.partition("=") for line in block.splitlines())}
    kinds = [int(kind) for kind in field["decision_type"]]
    if field["num_cat"] != ["0"] or field["is_linear"] != ["0"] or any(kind & 1 for kind in kinds):
        raise ValueError("a split on categories or a linear leaf")
    if any(kind >> MISSING_SHIFT & 3 == MISSING_ZERO for kind in kinds):
        raise ValueError("zero as missing")

    def grow(node: int) -> _Tree:
        if node < 0:
            return _Tree(float(field["leaf_count"][~node]), float(field["leaf_value"][~node]))
        threshold, kind = float(field["threshold"][node]), kinds[node]
        # where nothing was missing in training NaN counts as 0
        learned = kind >> MISSING_SHIFT & 3 == MISSING_NAN
        sides = tuple(grow(int(field[side][node])) for side in ("left_child", "right_child"))
        return _Tree(
            float(field["internal_count"][node]), 0.0, int(field["split_feature"][node]), threshold,
            bool(kind & DEFAULT_LEFT) if learned else threshold >= 0, sides,
        )  # fmt: skip

    return grow(0 if kinds else -1)


def _xgboost_tree(tree: dict[str, Any]) -> _Tree:
    if any(tree["split_type"]):
        raise ValueError("a split on categories")

    def grow(node: int) -> _Tree:
        rows, number = float(tree["sum_hessian"][node]), np.float32(tree["split_conditions"][node])
        if tree["left_children"][node] < 0:
            return _Tree(rows, float(number))
        sides = tuple(grow(tree[side][node]) for side in ("left_children", "right_children"))
        below = float(np.nextafter(number, np.float32(-np.inf)))  # XGBoost's test is <, not <=
        return _Tree(rows, 0.0, tree["split_indices"][node], below, bool(tree["default_left"][node]), sides)

    return grow(0)


def _forest(trees: Sequence[_Tree]) -> Forest:
    """Number nodes and leaves of every tree, left to right, and pad them to one size."""
    laid = [([], []) for _ in trees]
    for tree, (nodes, leaves) in zip(trees, laid, strict=True):
        _lay_out(tree, (), nodes, leaves)
    most, wide = (max(map(len, part)) for part in zip(*laid, strict=True))
    shape, bits = (len(trees), max(most, 1)), next(MASKS[size] for size in MASKS if wide <= size)
    leaf_shape = (len(trees), wide, shape[1])
    forest = Forest(
        np.zeros(shape, int), np.full(shape, np.inf), np.ones(shape, bool), np.full(shape, np.iinfo(bits).max, bits),
        np.zeros(leaf_shape[:2]), np.zeros(leaf_shape, int), np.ones(leaf_shape),
    )  # fmt: skip
    for t, (nodes, leaves) in enumerate(laid):
        for m, (tree, first, middle) in enumerate(nodes):
            forest.feature[t, m], forest.threshold[t, m] = tree.feature, tree.threshold
            forest.nan_left[t, m] = tree.nan_left
            forest.kept_right[t, m] ^= bits((1 << middle) - (1 << first))
        for leaf, (value, path) in enumerate(leaves):
            forest.value[t, leaf] = value
            for m, side, share in path:
                forest.passed[t, leaf, m], forest.share[t, leaf, m] = side, share
    return forest


def _lay_out(tree: _Tree, path: tuple, nodes: list[Any], leaves: list[Any]) -> None:
    """Append splits as (tree, first leaf, first leaf of the right side) and leaves as (value, path)."""
    if not tree.sides:
        leaves.append((tree.value, path))
        return
    m, first = len(nodes), len(leaves)
    nodes.append(None)
    left, right = tree.sides
    _lay_out(left, (*path, (m, 1, left.rows / tree.rows)), nodes, leaves)
    nodes[m] = (tree, first, len(leaves))
    _lay_out(right, (*path, (m, -1, right.rows / tree.rows)), nodes, leaves)


def _unread(library: str, error: Exception) -> PoolDamaged:
    return PoolDamaged(
        f"Expected the text of {library}'s numerical trees with at most 64 leaves, got one that can't be read "
        f"({type(error).__name__}: {error}). Fit the pool anew: python -m model_training fit-pool"
    )


def _shapley(unknown: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Shapley values of the product over features that are ``known`` or ``unknown``; both [D, L], ndarray [D, L]."""
    t, weights = _gauss_points(len(unknown) // 2 + 1)
    factors = unknown[:, None] * (1 - t) + known[:, None] * t  # [D, points, L]
    others = np.array([np.prod(np.delete(factors, d, axis=0), axis=0) for d in range(len(factors))])
    return (known - unknown) * np.einsum("p,dpl->dl", weights, others)


@functools.cache
def _gauss_points(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points [count, 1] in 0..1 and their weights."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return (points[:, None] + 1) / 2, weights / 2
