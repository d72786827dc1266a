"""Grown trees without the library that grew them: read from its text, predicted and explained with numpy.

LightGBM's import takes pandas and scikit-learn with it, and its wheel wants the system's OpenMP runtime; a forecast needs
neither. Predictions are LightGBM's bit for bit (``tests/test_training_grown_trees.py``).

Which leaf a row falls into is found with bit masks instead of walks (QuickScorer, Lucchese et al. 2015,
doi:10.1145/2766462.2767733). Contributions are exact path-dependent TreeSHAP (Lundberg et al. 2020,
doi:10.1038/s42256-019-0138-9): within a leaf the game is a product over features, so that its Shapley value is the
integral over t of the other features' factors ``unknown (1 - t) + known t``, which a few Gauss points give exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_training.errors import PoolDamaged

__all__ = ["Forest", "read_lightgbm"]

DEFAULT_LEFT, MISSING_SHIFT, MISSING_NAN = 2, 2, 2
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
        return np.add.reduce(np.take_along_axis(self.value, leaf, axis=1), axis=0)

    def contributions(self, x: np.ndarray) -> np.ndarray:
        """What each feature adds to the prediction of one row x [F]; ndarray [F + 1], the last is the mean of training."""
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
        trees = [_fields(block) for block in text.split("\nend of trees")[0].split("\nTree=")[1:]]
        nodes = max(len(tree["threshold"]) for tree in trees)
        leaves = max(len(tree["leaf_value"]) for tree in trees)
        bits = next(MASKS[size] for size in MASKS if leaves <= size)
        grown = [_padded(tree, nodes, leaves, bits) for tree in trees]
    except (KeyError, ValueError, IndexError, StopIteration) as error:
        raise PoolDamaged(
            f"Expected the text of LightGBM's numerical trees with at most 64 leaves, got one that can't be read: {error}. "
            "Fit the pool anew: python -m model_training fit-pool"
        ) from error
    return Forest(*map(np.array, zip(*grown, strict=True)))


def _fields(block: str) -> dict[str, list[str]]:
    return {key: value.split() for key, _, value in (line.partition("=") for line in block.splitlines())}


def _padded(tree: dict[str, list[str]], nodes: int, leaves: int, bits: type) -> tuple:
    kinds = [int(kind) for kind in tree.get("decision_type", [])]
    missing = [kind >> MISSING_SHIFT & 3 for kind in kinds]
    if tree["num_cat"] != ["0"] or tree.get("is_linear", ["0"]) != ["0"] or any(kind & 1 for kind in kinds):
        raise ValueError("a split on categories or a linear leaf")
    if 1 in missing:
        raise ValueError("zero as missing")
    feature, threshold, nan_left = np.zeros(nodes, int), np.full(nodes, np.inf), np.ones(nodes, bool)
    kept = np.full(nodes, np.iinfo(bits).max, bits)
    value, passed, share = np.zeros(leaves), np.zeros((leaves, nodes), int), np.ones((leaves, nodes))
    left, right = ([int(child) for child in tree.get(side, [])] for side in ("left_child", "right_child"))
    counts, at_leaf = ([int(n) for n in tree.get(key, [])] for key in ("internal_count", "leaf_count"))
    for m, (kind, how) in enumerate(zip(kinds, missing, strict=True)):
        feature[m], threshold[m] = int(tree["split_feature"][m]), float(tree["threshold"][m])
        nan_left[m] = bool(kind & DEFAULT_LEFT) if how == MISSING_NAN else threshold[m] >= 0

    def walk(node: int, path: Sequence[tuple[int, int, float]], first: int) -> int:
        """Number the leaves below from ``first`` on; returns the next free number."""
        if node < 0 or not kinds:
            value[first] = float(tree["leaf_value"][~node if kinds else 0])
            for m, side, part in path:
                passed[first, m], share[first, m] = side, part
            return first + 1
        sides = []
        for child in (left[node], right[node]):
            sides.append((counts[child] if child >= 0 else at_leaf[~child]) / counts[node])
        middle = walk(left[node], [*path, (node, 1, sides[0])], first)
        kept[node] &= bits(~(((1 << middle) - 1) ^ ((1 << first) - 1)) & int(np.iinfo(bits).max))
        return walk(right[node], [*path, (node, -1, sides[1])], middle)

    walk(0, [], 0)
    return feature, threshold, nan_left, kept, value, passed, share


def _shapley(unknown: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Shapley values of the product over features that are ``known`` or ``unknown``; both [D, L], ndarray [D, L]."""
    points, weights = np.polynomial.legendre.leggauss(len(unknown) // 2 + 1)
    t = (points[:, None] + 1) / 2
    factors = unknown[:, None] * (1 - t) + known[:, None] * t  # [D, points, L]
    others = np.array([np.prod(np.delete(factors, d, axis=0), axis=0) for d in range(len(factors))])
    return (known - unknown) * np.einsum("p,dpl->dl", weights / 2, others)
