"""What an opponent is: numbers in, quantiles out, nothing after the origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

import numpy as np

from model_training.errors import TrainingError

__all__ = ["MissingLibrary", "PanelOpponent", "Person", "SeriesOpponent"]


class MissingLibrary(TrainingError):
    """An opponent's library is not installed."""


@dataclass(frozen=True)
class Person:
    """One person's nights on a dense calendar.

    Attributes
    ----------
    first_day : date
        Wake day of ``values_ms[0]``.
    values_ms : ndarray [N], ms
        One a calendar day; NaN where there is no usable night.
    """

    first_day: date
    values_ms: np.ndarray


@runtime_checkable
class SeriesOpponent(Protocol):
    """Looks at one person at a time."""

    name: str

    def quantiles(self, values_ms: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecast the seven nights after each origin from ``values_ms[:origin + 1]`` alone.

        Parameters
        ----------
        values_ms : ndarray [N], ms
            Dense calendar days, NaN = missing.
        origins : ndarray [O], int
            Indices into ``values_ms``, in any order. What is said at one does not depend on which others are asked.

        Returns
        -------
        ndarray [O, 7, 23], ms
            Rising along the last axis, at ``QUANTILE_LEVELS``; all NaN at an origin with too few nights behind it.
        """
        ...


@runtime_checkable
class PanelOpponent(Protocol):
    """Looks at everybody in the file at once."""

    name: str

    def panel_quantiles(self, people: Sequence[Person], origins: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Forecast the seven nights after each of each person's origins.

        Parameters
        ----------
        people : sequence of Person, length P
        origins : sequence of ndarray [O_p], int
            Per person, indices into their ``values_ms``.

        Returns
        -------
        list of ndarray [O_p, 7, 23], ms
            As in ``SeriesOpponent.quantiles``.
        """
        ...
