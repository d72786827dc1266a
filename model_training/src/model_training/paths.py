"""Forecasters that speak for every origin of a history in one pass, and the base that most of ours share.

Row i of a path uses day indices up to i and nothing later (``tests/test_training_paths.py`` cuts and poisons the rest).
A benchmark takes the whole path; the day's forecast is its last row. So what is benchmarked is what is issued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.day_grid import DayGrid, day_grid
from model_training.forecasters.eligibility import require_nights
from model_training.pool import Pool, shipped_pool
from model_training.residual_law import PooledLaw, fit_law, personal_laws, to_ms

__all__ = ["LocationScale", "Located", "PathForecaster"]


FEW_NIGHTS = 1.5
"""After so many nights a band is twice as wide as it would be for a wearer long known."""


@runtime_checkable
class PathForecaster(Protocol):
    """A forecaster with a fast way through a whole history."""

    name: str
    version: str
    least_nights: int

    def path(self, grid: DayGrid, origins: np.ndarray) -> np.ndarray:
        """Quantiles [O, 7, 23] in ms at day indices ``origins``; NaN where there are too few nights."""
        ...


@dataclass(frozen=True)
class Located:
    """Where the next nights will lie before the law of errors is laid around it.

    Attributes
    ----------
    mean, sd : ndarray [N, 7], ln ms
        Of origin i and horizon h; NaN where there is no forecast.
    """

    mean: np.ndarray
    sd: np.ndarray


class LocationScale:
    """Base: a subclass says ``locate``; the law of standardised errors is pooled and then the wearer's own.

    Attributes
    ----------
    pool : Pool, optional
        What was learned from other people; the shipped one by default.
    """

    name: str
    version: str
    least_nights = 3
    refit_days = 1
    builds_on: tuple[str, ...] = ()

    def __init__(self, pool: Pool | None = None) -> None:
        self._pool = pool

    def pooled(self, slot: str) -> Mapping[str, Any]:
        """This forecaster's part of the pool."""
        return (self._pool or shipped_pool()).part(self.name, slot)

    def pooled_of(self, name: str, slot: str) -> Mapping[str, Any]:
        """The part of a forecaster that this one builds on."""
        return (self._pool or shipped_pool()).part(name, slot)

    def locate(self, grid: DayGrid) -> Located:
        """Location and scale at every origin."""
        raise NotImplementedError

    @classmethod
    def fit_pool(cls, grids: Sequence[DayGrid], parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Learn this forecaster's part of a pool from many people's grids of one slot.

        Parameters
        ----------
        parts : dict
            What the forecasters named in ``builds_on`` have learned from the same people.
        """
        raise NotImplementedError

    def fit(self, history: History) -> Self:
        """Refuse what can't be forecast; all learning is in the pool and in the pass through the history."""
        require_nights(history, self.least_nights, self.name)
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, self.least_nights, self.name)
        grid = day_grid(history)
        return self.path(grid, np.array([len(grid) - 1]))[0, np.asarray(horizons) - 1]

    def path(self, grid: DayGrid, origins: np.ndarray) -> np.ndarray:
        """Quantiles [O, 7, 23] in ms."""
        part = self.pooled(grid.slot)
        law = PooledLaw(np.asarray(part["law"]), np.asarray(part["law_mean_abs"]))
        return self.around(self.locate(grid), grid, origins, law)

    def around(self, located: Located, grid: DayGrid, origins: np.ndarray, law: PooledLaw) -> np.ndarray:
        """Lay the law around the location."""
        laws = personal_laws(standardised_errors(located, grid), origins, law)
        unsure = few_nights_widen(grid, origins)[:, None, None]
        log_ms = located.mean[origins, :, None] + located.sd[origins, :, None] * unsure * laws
        few = np.cumsum(np.isfinite(grid.log_hrv))[origins] < self.least_nights
        log_ms[few] = np.nan
        return to_ms(log_ms)


def few_nights_widen(grid: DayGrid, origins: np.ndarray) -> np.ndarray:
    """By how much a band is wider because the wearer's own spread is hardly known yet; ndarray [O], falls to 1.

    It stands outside the law of errors, which would otherwise learn to take it back.
    """
    return 1.0 + FEW_NIGHTS / np.maximum(np.cumsum(np.isfinite(grid.log_hrv))[origins], 1)


def standardised_errors(located: Located, grid: DayGrid) -> np.ndarray:
    """Error on day t of the forecast made h nights before, in its SDs; ndarray [N, 7]."""
    errors = np.full(located.mean.shape, np.nan)
    for k, h in enumerate(HORIZONS):
        if len(grid) > h:
            errors[h:, k] = (grid.log_hrv[h:] - located.mean[:-h, k]) / located.sd[:-h, k]
    return errors


def law_part(errors: list[np.ndarray]) -> dict[str, Any]:
    """The pooled law as a part of the pool."""
    law = fit_law(errors)
    return {"law": law.quantiles.tolist(), "law_mean_abs": law.mean_abs.tolist()}
