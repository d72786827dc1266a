"""What a forecaster is: a small protocol, found by entry point, so that anyone can add one without touching ours."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Protocol, Self, runtime_checkable

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History

__all__ = ["ENTRY_POINT_GROUP", "Forecaster", "find_forecasters"]

ENTRY_POINT_GROUP = "hrv.forecasters"


@runtime_checkable
class Forecaster(Protocol):
    """Fits on a history, then speaks for any later as-of view of it; no clock, store or network."""

    name: str
    version: str

    def fit(self, history: History) -> Self:
        """Learn from what was known.

        Raises
        ------
        Refusal
            The history does not bear an honest forecast (``TooFewNights``, ``StaleData``).
        """
        ...

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles of nightly RMSSD.

        Returns
        -------
        ndarray [H, 23], ms
            Positive, rising along the last axis, at ``QUANTILE_LEVELS``.
        """
        ...


def find_forecasters() -> dict[str, type[Forecaster]]:
    """Every registered forecaster class by name, sorted."""
    found = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    return {point.name: point.load() for point in found}
