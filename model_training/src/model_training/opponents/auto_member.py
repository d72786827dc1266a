"""An AutoX opponent as a forecaster of the house: the same fit and the same bands, spoken through histories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.opponents.auto_models import LEAST_NIGHTS, AutoModel, fill_gaps
from model_training.residual_law import to_ms

__all__ = ["AutoMember", "member_version"]


class AutoMember:
    """Fits an ``AutoModel`` on a history and runs it forward over later ones; subclasses name the model.

    A saved fit holds the nights that it was made of and not the library's objects, which no safe format can carry; the
    model is estimated again, with the same result, when it is first asked after loading.
    """

    name: str
    version: str
    opponent: type[AutoModel]

    def fit(self, history: History) -> Self:
        """Choose and fit the model.

        Raises
        ------
        TooFewNights, StaleData
            See ``require_nights``; 14 nights.
        MissingLibrary
            statsforecast is not installed.
        """
        require_nights(history, LEAST_NIGHTS, self.name)
        days, filled, _ = _window(history)
        begin = max(0, len(filled) - self.opponent().window_days)
        self.first_ordinal_ = days[begin].toordinal()
        self.filled_ = filled[begin:]
        self._model: Any = self.opponent().fit_log(self.filled_)
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        days, filled, observed = _window(history)
        begin = max(0, self.first_ordinal_ - days[0].toordinal())
        if not hasattr(self, "_model"):
            self._model = self.opponent().fit_log(self.filled_)
        law = self.opponent().predict_log(self._model, filled[begin:], observed[begin:])
        return to_ms(law[[h - 1 for h in horizons]])

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_model"}


def member_version(number: str, own_file: str) -> str:
    """Version of a member: its code, and the library's number, without which it could not speak the same again."""
    try:
        library = version("statsforecast")
    except PackageNotFoundError:
        library = "absent"
    return code_version(
        number,
        own_file,
        "opponents/auto_member.py",
        "opponents/auto_models.py",
        "residual_law.py",
        also=library,
    )


def _window(history: History) -> tuple[list[date], np.ndarray, np.ndarray]:
    """Days, filled ln RMSSD and which of it are nights."""
    days, values_ms = history.hrv_series()
    log_hrv = np.log(values_ms)
    return days, fill_gaps(log_hrv), np.isfinite(log_hrv)
