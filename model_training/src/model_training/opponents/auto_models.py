"""AutoETS, AutoARIMA and AutoTheta of statsforecast on ln RMSSD, week of seven nights, default settings otherwise.

The structure is chosen and the parameters are estimated anew whenever the person's history has grown by a twentieth
(ARIMA, the slow one: a tenth; Theta, the quick one: every day), and at the latest after ``refit_every`` days; in
between the fitted model runs forward over the newer nights (the library's own ``forward``). The days of a refit hang
on the person's calendar alone (the first is that of their 14th night), never on which origins are asked. A fit whose
mean leaves the range of the nights seen (an MA term on the unit circle, estimated from two weeks, does) is made anew
at that origin.

Missing nights: the models want a value a day. A gap is filled causally, each missing night with the level of half-life
8 nights as it stood before it. Filled nights bring almost no error of their own, so the libraries' bands come out too
narrow; their distance from the median is stretched by the root of (days / nights) of the window, which is what the
error variance over real nights alone would give.
Bands: the libraries' own prediction intervals at eleven levels plus their mean. Unstable ones (a multiplicative ETS can
explode) are clipped to the range of ln RMSSD in the window, widened by three of its standard deviations. Where the
library can't fit or answers with something not finite, mean and standard deviation of the window stand in.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from model_training.opponents.protocol import MissingLibrary
from model_training.residual_law import to_ms

__all__ = ["LEAST_NIGHTS", "AutoArima", "AutoEts", "AutoModel", "AutoTheta", "fill_gaps"]

LEAST_NIGHTS = 14
"""Two weeks: below, a weekly pattern can't even be looked for."""
WINDOW_DAYS = 730
"""What the models look back on; more slows them and only tells of a level that is long gone."""
WEEK = 7
FILL_HALF_LIFE_DAYS = 8.0
CLIP_SDS = 3.0
LEVELS = np.asarray(QUANTILE_LEVELS)
BANDS = [round(100 * (1 - 2 * level), 6) for level in QUANTILE_LEVELS[:MEDIAN_INDEX]]
"""Masses in % of the central intervals whose ends are our levels, widest first."""
BANDS = [int(band) if band == int(band) else band for band in BANDS]


class AutoModel:
    """A statsforecast model as an opponent; subclasses name the model.

    Parameters
    ----------
    refit_every : int, optional
        Most days between two choices of structure and parameters; 1 makes every origin a refit.
    window_days : int
        Days the model looks back on.
    """

    name: str
    refit_every = 7
    refit_growth = 20

    def __init__(self, refit_every: int | None = None, window_days: int = WINDOW_DAYS) -> None:
        self.refit_every = self.refit_every if refit_every is None else refit_every
        self.window_days = window_days

    def quantiles(self, values_ms: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Quantiles [O, 7, 23] in ms; see ``SeriesOpponent``. NaN before the 14th night."""
        with np.errstate(invalid="ignore", divide="ignore"):
            log_hrv = np.log(np.asarray(values_ms, float))
        out = np.full((len(origins), len(HORIZONS), len(LEVELS)), np.nan)
        nights = np.cumsum(np.isfinite(log_hrv))
        if not len(nights) or nights[-1] < LEAST_NIGHTS:
            return out
        first = int(np.argmax(nights >= 1))
        speaks_from = int(np.argmax(nights >= LEAST_NIGHTS))
        filled = fill_gaps(log_hrv)
        refits = self._refit_days(first, speaks_from, len(filled))
        fit_at, model = -1, None
        for row in np.argsort(origins, kind="stable"):
            origin = int(origins[row])
            if origin < speaks_from:
                continue
            due = int(refits[np.searchsorted(refits, origin, side="right") - 1])
            begin = max(first, due + 1 - self.window_days)
            if fit_at != due:
                fit_at, model = due, self.fit_log(filled[begin : due + 1])
            window = slice(begin, origin + 1)
            out[row] = to_ms(self.predict_log(model, filled[window], np.isfinite(log_hrv[window])))
        return out

    def fit_log(self, filled: np.ndarray) -> Any:
        """Choose and fit the model on ln ms [N] without gaps; None when the library can't."""
        model = self._model()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # convergence notes of candidates that are then not chosen
            try:
                return model.fit(filled)
            except Exception:  # the library raises bare Exception too ("no model able to be fitted")
                return None

    def predict_log(self, model: Any, filled: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Quantiles [7, 23] in ln ms for the nights after the last of ``filled`` [N], ln ms.

        Parameters
        ----------
        model : object
            From ``fit_log`` on a beginning of ``filled``.
        observed : ndarray [N], bool
            Which of ``filled`` are nights and not fillings.
        """
        nights = filled[observed]
        spread = max(float(nights.std(ddof=1)), 1e-3)
        law = _library_law(model, filled, nights)
        if law is None:
            law = _library_law(self.fit_log(filled), filled, nights)
        if law is None:
            law = _history_law(nights, spread)
        else:
            centre = law[:, [MEDIAN_INDEX]]
            law = centre + (law - centre) * np.sqrt(len(filled) / len(nights))
        law = np.clip(law, nights.min() - CLIP_SDS * spread, nights.max() + CLIP_SDS * spread)
        return np.sort(law, axis=1)

    def _refit_days(self, first: int, speaks_from: int, end: int) -> np.ndarray:
        days = [speaks_from]
        while days[-1] < end:
            days.append(days[-1] + max(1, min(self.refit_every, (days[-1] + 1 - first) // self.refit_growth)))
        return np.array(days)

    def _model(self) -> Any:
        raise NotImplementedError


class AutoEts(AutoModel):
    """Exponential smoothing, form chosen by AICc."""

    name = "auto_ets"

    def _model(self) -> Any:
        return _models().AutoETS(season_length=WEEK)


class AutoTheta(AutoModel):
    """The theta method, form chosen by mean squared error."""

    name = "auto_theta"
    refit_every = 1

    def _model(self) -> Any:
        return _models().AutoTheta(season_length=WEEK)


class AutoArima(AutoModel):
    """Seasonal ARIMA, orders chosen by KPSS tests and stepwise AICc."""

    name = "auto_arima"
    refit_every = 28
    refit_growth = 10

    def _model(self) -> Any:
        return _models().AutoARIMA(season_length=WEEK)


def fill_gaps(log_hrv: np.ndarray, half_life_days: float = FILL_HALF_LIFE_DAYS) -> np.ndarray:
    """Put the level as it stood before into every missing night; [N] -> [N], NaN before the first night.

    A prefix of the result is the result of the prefix.
    """
    keep = 0.5 ** (1 / half_life_days)
    filled, total, weight = np.array(log_hrv, float), 0.0, 0.0
    for i, value in enumerate(log_hrv):
        total, weight = total * keep, weight * keep
        if np.isfinite(value):
            total, weight = total + value, weight + 1.0
        elif weight > 0:
            filled[i] = total / weight
    return filled


def _models() -> Any:
    """``statsforecast.models``, imported on first use (seconds)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the library's own imports
        try:
            import statsforecast.models
        except ImportError as error:
            raise MissingLibrary(
                f"AutoETS, AutoARIMA and AutoTheta need statsforecast, which is not installed ({error}). "
                "Install it: pip install 'statsforecast>=2.1'"
            ) from error
    return statsforecast.models


def _library_law(model: Any, filled: np.ndarray, nights: np.ndarray) -> np.ndarray | None:
    """Mean and intervals as quantiles [7, 23]; None when not finite, or when the mean left the nights' range."""
    if model is None:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            said = model.forward(filled, h=len(HORIZONS), level=BANDS)
        except Exception:  # as in fit_log
            return None
    columns = [said[f"lo-{b}"] for b in BANDS] + [said["mean"]] + [said[f"hi-{b}"] for b in reversed(BANDS)]
    law = np.column_stack([np.asarray(column, float) for column in columns])
    mean = law[:, MEDIAN_INDEX]
    if not np.isfinite(law).all() or mean.min() < nights.min() or mean.max() > nights.max():
        return None
    return law


def _history_law(nights: np.ndarray, spread: float) -> np.ndarray:
    from scipy.special import ndtri

    return np.tile(nights.mean() + spread * ndtri(LEVELS), (len(HORIZONS), 1))
