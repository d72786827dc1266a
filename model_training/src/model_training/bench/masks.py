"""The ladder: what each kind of knowledge adds, rung by rung."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model_training.day_grid import DayGrid

__all__ = ["RUNGS", "masked"]

RUNGS = ("history", "wearable", "strain", "calendar", "journal")
"""Nights alone; + the night's other values and yesterday's load; + today's load; + the weekday; + the journal."""


def masked(grid: DayGrid, rung: str) -> DayGrid:
    """The grid with everything above a rung hidden."""
    level = RUNGS.index(rung)
    night = {
        name: values if level >= 1 else np.full(len(grid), np.nan) for name, values in grid.night.items()
    }
    daytime = {name: _load(values, level) for name, values in grid.daytime.items()}
    dose = grid.dose if level >= 4 else np.full_like(grid.dose, np.nan)
    return replace(grid, night=night, daytime=daytime, dose=dose, knows_weekday=level >= 3)


def _load(values: np.ndarray, level: int) -> np.ndarray:
    if level >= 2:
        return values
    if level == 1:  # as in the morning: the day before
        return np.concatenate(([np.nan], values[:-1]))
    return np.full(len(values), np.nan)
