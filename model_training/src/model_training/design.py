"""Rows of a linear or tree model: features of the origin, columns of the target night, and what came true.

Targets are ln RMSSD relative to the wearer's anchor in units of the wearer's spread, so that rows of many people can
stand in one table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import DayGrid
from model_training.features import Features, features, target_columns

__all__ = ["BURN_IN_NIGHTS", "Design", "design", "person_weights"]

BURN_IN_NIGHTS = 7
"""Scored nights before the first origin that may train."""
DOSE_PSEUDO_NIGHTS = 5.0


@dataclass(frozen=True)
class Design:
    """One grid and horizon, every origin.

    Attributes
    ----------
    names : tuple of str [F]
    x : ndarray [N, F]
        NaN = unknown.
    y : ndarray [N], personal units
        NaN = not come true, or the origin is too early to train.
    anchor, scale : ndarray [N], ln ms
    """

    names: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    anchor: np.ndarray
    scale: np.ndarray

    def known(self) -> np.ndarray:
        """Origins whose outcome is there, ndarray of int."""
        return np.flatnonzero(np.isfinite(self.y))


def design(grid: DayGrid, horizon: int, seen: Features | None = None) -> Design:
    """Lay out one horizon.

    Parameters
    ----------
    seen : Features, optional
        ``features(grid)`` where the caller has it.
    """
    seen = seen or features(grid)
    names, columns = target_columns(grid, horizon)
    y = np.full(len(grid), np.nan)
    if len(grid) > horizon:
        y[:-horizon] = (grid.log_hrv[horizon:] - seen.anchor[:-horizon]) / seen.scale[:-horizon]
    y[seen.nights < BURN_IN_NIGHTS] = np.nan
    return Design(seen.names + names, np.column_stack([seen.x, columns]), y, seen.anchor, seen.scale)


def usual_doses(grid: DayGrid) -> np.ndarray:
    """Running mean of each behaviour's known doses, drawn to what is usual in people; ndarray [N, B]."""
    dose = grid.dose[:, 0, :]
    known = np.isfinite(dose)
    expected = np.array([b.usual_dose for b in BEHAVIOURS])
    total = np.cumsum(np.where(known, dose, 0.0), axis=0) + DOSE_PSEUDO_NIGHTS * expected
    return total / (np.cumsum(known, axis=0) + DOSE_PSEUDO_NIGHTS)


def person_weights(counts: list[int]) -> np.ndarray:
    """A weight for each of the stacked rows: a person counts as the root of their rows; mean 1."""
    weights = np.concatenate([np.full(n, 1 / np.sqrt(max(n, 1))) for n in counts])
    return weights / weights.mean()
