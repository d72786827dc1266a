"""From parts that add up on the ln scale to parts that add up in ms.

With base b and median m, each part x of ln(m / b) becomes x L(m, b) ms, where L(m, b) = (m - b) / (ln m - ln b) is the
logarithmic mean. The parts then sum to m - b exactly, whatever their order, and a part without effect is zero (additive
LMDI, Ang 2005, Energy Policy 33:867, doi 10.1016/j.enpol.2003.10.010).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from hrv_shared.history import History

__all__ = ["BASE_NIGHTS", "log_mean", "rounded", "usual_level_ms"]

BASE_NIGHTS = 60
"""The usual level is the median of so many last scored nights."""


def usual_level_ms(history: History) -> float:
    """The level that every forecast is told from: median RMSSD of the last ``BASE_NIGHTS`` scored nights, ms."""
    nights = history.scored_nights().sort("day").tail(BASE_NIGHTS)["hrv_rmssd_ms"].to_numpy()
    return float(np.exp(np.median(np.log(nights))))


def log_mean(a: float, b: float) -> float:
    """Logarithmic mean of two positive numbers; their common value when they are equal."""
    distance = math.log(a) - math.log(b)
    return b * (math.expm1(distance) / distance if distance else 1.0)


def rounded(parts: Mapping[str, float], digits: int = 1) -> dict[str, float]:
    """Parts rounded so that they sum to their rounded sum: who is cut most is rounded up first (largest remainder)."""
    unit = Fraction(1, 10**digits)
    exact = {name: Fraction(value) / unit for name, value in parts.items()}
    down = {name: math.floor(value) for name, value in exact.items()}
    missing = round(sum(exact.values())) - sum(down.values())
    for name in sorted(exact, key=lambda n: down[n] - exact[n])[:missing]:
        down[name] += 1
    return {name: float(count * unit) for name, count in down.items()}
