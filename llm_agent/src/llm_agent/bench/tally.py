"""Counts to figures: a share with its Wilson interval, a paired difference with its bootstrap interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["mean_row", "paired_difference", "share", "share_row"]

Z95 = 1.959964
RESAMPLES = 4000


def share(hits: Sequence[bool]) -> tuple[float, float, float]:
    """Share of true with its 95 % interval (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Raises
    ------
    ValueError
        Nothing was counted.
    """
    n = len(hits)
    if not n:
        raise ValueError("expected at least one case, got none")
    p = sum(hits) / n
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n)) / (1 + Z95**2 / n)
    return p, max(0.0, centre - half), min(1.0, centre + half)


def paired_difference(a: Sequence[float], b: Sequence[float], *, seed: int) -> tuple[float, float, float]:
    """Mean of a - b over the same cases, with the 95 % percentile interval of cases drawn with replacement."""
    difference = np.asarray(a, float) - np.asarray(b, float)
    if not len(difference):
        raise ValueError("expected at least one case, got none")
    rng = np.random.default_rng(seed)
    drawn = difference[rng.integers(0, len(difference), (RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(difference.mean()), float(low), float(high)


def share_row(what: str, hits: Sequence[bool], goal: str = "") -> dict[str, Any]:
    """A figure in %, as a row of the benchmark."""
    if not hits:
        return {"what": what, "n": 0, "value": None, "low": None, "high": None, "unit": "%", "goal": goal}
    p, low, high = share(hits)
    return {"what": what, "n": len(hits), "value": 100 * p, "low": 100 * low, "high": 100 * high, "unit": "%",
            "goal": goal}  # fmt: skip


def mean_row(what: str, values: Sequence[float], unit: str, goal: str = "") -> dict[str, Any]:
    """Mean, with the smallest and the largest as its ends."""
    if not values:
        return {"what": what, "n": 0, "value": None, "low": None, "high": None, "unit": unit, "goal": goal}
    return {"what": what, "n": len(values), "value": sum(values) / len(values), "low": min(values),
            "high": max(values), "unit": unit, "goal": goal}  # fmt: skip
