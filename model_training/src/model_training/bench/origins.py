"""Which origins count: the second half of each person's nights, and apart from it the first nights of all."""

from __future__ import annotations

import numpy as np

from model_training.day_grid import DayGrid

__all__ = ["FIRST", "LADDER", "MAIN", "WEEK", "periods"]

MAIN, FIRST, LADDER, WEEK = "main", "first_nights", "ladder", "week"
LEAST_NIGHTS = 28
"""Scored nights before the first origin that counts, so that the last 28 nights are 28."""
FIRST_NIGHTS = (3, 27)


def periods(grid: DayGrid) -> dict[str, np.ndarray]:
    """Day indices by period.

    Returns
    -------
    dict of ndarray of int
        ``main``: from the middle of the person's scored nights on, and after at least 28. ``first_nights``: from the
        third to the 27th scored night.
    """
    nights = np.cumsum(np.isfinite(grid.log_hrv))
    days = np.arange(len(grid))
    later = nights >= max(LEAST_NIGHTS, nights[-1] // 2) if len(grid) else np.array([], bool)
    first = (nights >= FIRST_NIGHTS[0]) & (nights <= FIRST_NIGHTS[1])
    return {MAIN: days[later][:-1], FIRST: days[first]}
