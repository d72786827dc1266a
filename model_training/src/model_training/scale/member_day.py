"""One day's work for some members: from their tables to every forecaster's quantiles and the combination of them.

A pure function of two tables. It knows no engine, no file, no clock; the same bits come out wherever it runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as clock_time
from inspect import signature
from typing import TypeVar

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS, STALE_AFTER_DAYS
from hrv_shared.history import make_history
from model_training.combination import combine
from model_training.day_grid import DayGrid, day_grid
from model_training.paths import PathForecaster
from model_training.pool import Pool

__all__ = ["DayOfMembers", "forecast_members", "made"]

T = TypeVar("T")
HISTORY, COMBINATION = "history", "combination"


@dataclass(frozen=True)
class DayOfMembers:
    """What a day's work gives.

    Attributes
    ----------
    members : list of str [M]
        Sorted.
    quantiles_ms : ndarray [M, F + 1, W, 7, 23], ms
        Of every forecaster in its order, then their combination, at the last W origins; NaN = refused.
    cpu_s : dict
        CPU-seconds by part of the work: 'history', each forecaster, 'combination'.
    """

    members: list[str]
    quantiles_ms: np.ndarray
    cpu_s: dict[str, float] = field(compare=False)

    @property
    def spoken(self) -> int:
        """Forecasts of single forecasters (one member, one origin, seven nights) that were issued."""
        return int(np.isfinite(self.quantiles_ms[:, :-1, :, 0, 0]).sum())


def forecast_members(
    days: pl.DataFrame,
    journal: pl.DataFrame,
    forecasters: Sequence[PathForecaster],
    *,
    slot: str,
    windows: int,
) -> DayOfMembers:
    """Forecast every member of the tables as of the last day that they hold.

    Parameters
    ----------
    days, journal : DataFrame
        Schemas ``days`` and ``journal_facts`` (any number of members).
    windows : int
        Origins: the last day (1), or with it the days before.
    """
    cpu_s: dict[str, float] = dict.fromkeys((HISTORY, *(f.name for f in forecasters), COMBINATION), 0.0)
    said_of = {}
    with threadpool_limits(1):  # one thread adds in one order: the same bits on every engine
        start = time.process_time()
        days_of = days.partition_by("member_id", as_dict=True, include_key=True)
        journal_of = journal.partition_by("member_id", as_dict=True, include_key=True)
        silent = journal.clear()
        cpu_s[HISTORY] += time.process_time() - start
        for key in sorted(days_of):
            grid = _timed(
                cpu_s, HISTORY, lambda key=key: _grid(key[0], days_of[key], journal_of.get(key, silent), slot)
            )
            said_of[key[0]] = _said(grid, forecasters, windows, cpu_s)
    shape = (len(said_of), len(forecasters) + 1, windows, len(HORIZONS), len(QUANTILE_LEVELS))
    return DayOfMembers(list(said_of), np.array(list(said_of.values())).reshape(shape), cpu_s)


def made(kinds: Sequence[type], pool: Pool | None) -> list[PathForecaster]:
    """The forecasters, those that start from other people's nights with the pool."""
    return [kind(pool) if "pool" in signature(kind).parameters else kind() for kind in kinds]


def _said(
    grid: DayGrid, forecasters: Sequence[PathForecaster], windows: int, cpu_s: dict[str, float]
) -> np.ndarray:
    """Quantiles [F + 1, W, 7, 23] in ms of one member."""
    said = np.full((len(forecasters) + 1, windows, len(HORIZONS), len(QUANTILE_LEVELS)), np.nan)
    first = max(len(grid) - windows, 0)
    origins = np.arange(first, len(grid))
    origins = origins[_nights_since(grid)[origins] <= STALE_AFTER_DAYS]
    if not len(origins):
        return said
    at = origins - len(grid) + windows
    for k, forecaster in enumerate(forecasters):
        said[k, at] = _timed(cpu_s, forecaster.name, lambda f=forecaster: f.path(grid, origins))
    outcomes_ms = np.full(windows, np.nan)
    outcomes_ms[windows - (len(grid) - first) :] = np.exp(grid.log_hrv[first:])
    named = {forecaster.name: said[k] for k, forecaster in enumerate(forecasters)}
    said[-1] = _timed(cpu_s, COMBINATION, lambda: combine(named, outcomes_ms).quantiles_ms)
    return said


def _grid(member: str, days: pl.DataFrame, journal: pl.DataFrame, slot: str) -> DayGrid:
    origin: date = days["day"].max()
    as_of = datetime.combine(origin, clock_time(22) if slot == "evening" else clock_time(10), UTC)
    return day_grid(make_history(days, journal, member, as_of, origin, slot))


def _nights_since(grid: DayGrid) -> np.ndarray:
    """Days since the last scored night; ndarray [N], int."""
    at = np.arange(len(grid))
    return at - np.maximum.accumulate(np.where(np.isfinite(grid.log_hrv), at, -len(grid)))


def _timed(cpu_s: dict[str, float], part: str, work: Callable[[], T]) -> T:
    start = time.process_time()
    done = work()
    cpu_s[part] += time.process_time() - start
    return done
