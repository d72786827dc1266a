"""LightGBM quantile models through mlforecast, library defaults: what most people would try first.

One model per quantile level and horizon (mlforecast's direct form, ``max_horizon=7``) on ln RMSSD, over everybody in
the file at once. Features: lags 1-7, 14, 21, 28, rolling means of 7 and 28 days, rolling standard deviation of 28,
weekday. LightGBM has its default settings but for the loss, one thread and reproducible sums. Gaps are filled as for
the AutoX models, because mlforecast refuses missing values; a filled night is never a target. The eleven levels are
joined at the 23 by interpolation in normal scores, then sorted. (Standardising each series first,
``LocalStandardScaler``, gave narrower bands and no better scores.)

Where mlforecast 1.1 would be unfair to itself: its direct form trains every horizon on the weekday of the first night
ahead and then predicts with that of the night itself. Here both are the night's own.

Who learns from whom (no look-ahead):
- The span of a person's origins is cut in ``refits`` equal parts. Origins of part k are forecast by model k, and of
  that person's own nights model k has seen those up to the first origin of part k, nothing later.
- People stand in ``groups`` (their place in the list modulo ``groups``). The models of a group have seen, besides their
  own group's nights up to each person's cut, **all** nights of the people in the other groups, as a vendor's model
  would that was trained on other users; with ``groups=1`` everybody is cut (forecasting.md 2.1).
- The features of a forecast come from the person's values up to the origin: each (person, origin) enters the library
  as a series of its own that ends there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from model_training.opponents.auto_models import LEAST_NIGHTS, fill_gaps
from model_training.opponents.protocol import MissingLibrary, Person
from model_training.residual_law import to_ms

__all__ = ["LightGbmMlforecast"]

LEVELS = np.asarray(QUANTILE_LEVELS)
FITTED_LEVELS = (0.01, 0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.975, 0.99)
LAGS = [*range(1, 8), 14, 21, 28]
WINDOW_DAYS = 60
"""Days behind an origin that its forecast needs (the longest lag and rolling window, and room)."""
ROWS_AT_ONCE = 1_000_000


class LightGbmMlforecast:
    """Default LightGBM over the panel.

    Parameters
    ----------
    refits : int
        Models over each person's evaluated span.
    groups : int
        Groups of people with models of their own.
    settings : dict, optional
        LightGBM parameters other than its defaults.
    """

    name = "lightgbm_mlforecast"

    def __init__(self, refits: int = 2, groups: int = 2, settings: dict[str, Any] | None = None) -> None:
        self.refits, self.groups, self.settings = refits, groups, dict(settings or {})

    def panel_quantiles(self, people: Sequence[Person], origins: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Quantiles, per person [O_p, 7, 23] in ms; see ``PanelOpponent``. NaN before the 14th night.

        Raises
        ------
        ValueError
            There are not as many lists of origins as people.
        """
        if len(people) != len(origins):
            raise ValueError(
                f"expected one list of origins a person, got {len(origins)} for {len(people)} people"
            )
        logs = [_log(person) for person in people]
        asked = [_eligible(log, np.asarray(own, int)) for log, own in zip(logs, origins, strict=True)]
        out = [np.full((len(own), len(HORIZONS), len(LEVELS)), np.nan) for own in origins]
        for group in range(self.groups):
            members = [p for p in range(len(people)) if p % self.groups == group and len(asked[p])]
            for part in range(self.refits):
                self._one_model(people, logs, origins, asked, members, part, out)
        return out

    def _one_model(self, people, logs, origins, asked, members, part, out) -> None:
        """Fit the model of one group and part, and write its forecasts into ``out``."""
        wanted = {p: _part(asked[p], self.refits, part) for p in members}
        wanted = {p: own for p, own in wanted.items() if len(own)}
        if not wanted:
            return
        group = members[0] % self.groups
        train = []
        for p, log in enumerate(logs):
            if p % self.groups != group:
                train.append((str(p), people[p], log))
            elif p in members:
                cut = _part(asked[p], self.refits, part, or_last=True)[0]
                train.append((str(p), people[p], log[: int(cut) + 1]))
        model = self._fit(train)
        for p, own in wanted.items():
            law = _predict(model, people[p], logs[p], own)
            row = {origin: i for i, origin in enumerate(own)}
            for i, origin in enumerate(np.asarray(origins[p], int)):
                if origin in row:
                    out[p][i] = law[row[origin]]

    def _fit(self, series: list[tuple[str, Person, np.ndarray]]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside the libraries' own imports
            try:
                from lightgbm import LGBMRegressor
                from mlforecast import MLForecast
                from mlforecast.lag_transforms import RollingMean, RollingStd
            except ImportError as error:
                raise MissingLibrary(
                    f"{self.name} needs mlforecast and lightgbm, which are not installed ({error}). "
                    "Install them: pip install 'mlforecast>=1.1' 'lightgbm>=4.6'"
                ) from error

        fixed = dict(n_jobs=1, verbosity=-1, deterministic=True, force_row_wise=True, random_state=0)
        models = {
            f"q{i}": LGBMRegressor(objective="quantile", alpha=level, **(fixed | self.settings))
            for i, level in enumerate(FITTED_LEVELS)
        }
        rolling = [
            RollingMean(7, min_samples=1),
            RollingMean(28, min_samples=1),
            RollingStd(28, min_samples=2),
        ]
        model = MLForecast(
            models=models, freq="1d", lags=LAGS, lag_transforms={1: rolling}, date_features=["weekday"],
            num_threads=1,
        )  # fmt: skip
        frames, observed = [], []
        for key, person, log in series:
            frame, seen = _frame(key, person, log, 0, len(log))
            if len(frame) > len(HORIZONS):
                frames.append(frame)
                observed.append(seen)
        x, y = model.preprocess(
            pl.concat(frames), static_features=[], dropna=False, max_horizon=len(HORIZONS), return_X_y=True,
            as_numpy=True,
        )  # fmt: skip
        ahead = np.concatenate([_shifted(seen) for seen in observed])
        weekday = model.ts.features_order_.index("weekday")

        def per_horizon() -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
            for h in range(len(HORIZONS)):
                use = ahead[:, h] & np.isfinite(y[:, h])
                own = x[use].copy()
                own[:, weekday] = (own[:, weekday] - 1 + h) % 7 + 1  # Monday is 1
                yield h, own, y[use, h]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit_models(generator_factory=per_horizon)


def _predict(model: Any, person: Person, log: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Quantiles [O, 7, 23] in ms: every origin a series of its own that ends there."""
    laws, at_once = [], max(1, ROWS_AT_ONCE // WINDOW_DAYS)
    for begin in range(0, len(own), at_once):
        chunk = own[begin : begin + at_once]
        frames = [
            _frame(f"{origin:07d}", person, log[: origin + 1], max(0, origin + 1 - WINDOW_DAYS), origin + 1)[
                0
            ]
            for origin in map(int, chunk)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = model.predict(len(HORIZONS), new_df=pl.concat(frames)).sort("unique_id", "ds")
        columns = said.select(f"q{i}" for i in range(len(FITTED_LEVELS))).to_numpy()
        laws.append(_at_all_levels(columns).reshape(len(chunk), len(HORIZONS), -1))
    return to_ms(np.concatenate(laws))


def _frame(
    key: str, person: Person, log: np.ndarray, begin: int, end: int
) -> tuple[pl.DataFrame, np.ndarray]:
    """Long frame of filled ln RMSSD in [begin, end) from the first night on, and which of it are nights."""
    nights = np.isfinite(log)
    begin = max(begin, int(np.argmax(nights)) if nights.any() else end)
    first = person.first_day + timedelta(days=begin)
    days = pl.date_range(first, first + timedelta(days=end - begin - 1), eager=True) if end > begin else []
    frame = pl.DataFrame(
        {"unique_id": [key] * (end - begin), "ds": days, "y": fill_gaps(log)[begin:end]},
        schema={"unique_id": pl.String, "ds": pl.Date, "y": pl.Float64},
    )
    return frame, nights[begin:end]


def _shifted(observed: np.ndarray) -> np.ndarray:
    """Column h tells whether the night h days after each row is one; [N] -> [N, 7]."""
    padded = np.concatenate([observed, np.zeros(len(HORIZONS), bool)])
    return np.lib.stride_tricks.sliding_window_view(padded, len(HORIZONS))[: len(observed)]


def _at_all_levels(fitted: np.ndarray) -> np.ndarray:
    """Quantiles at ``FITTED_LEVELS`` [N, L] -> at all levels [N, 23], linear in normal scores, rising."""
    from scipy.special import ndtri

    known, wanted = ndtri(FITTED_LEVELS), ndtri(LEVELS)
    rising = np.sort(fitted, axis=1)
    return np.array([np.interp(wanted, known, row) for row in rising])


def _log(person: Person) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        log = np.log(np.asarray(person.values_ms, float))
    return np.where(np.isfinite(log), log, np.nan)


def _eligible(log: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Sorted origins with ``LEAST_NIGHTS`` nights behind them."""
    nights = np.cumsum(np.isfinite(log))
    return np.array(sorted({int(o) for o in origins if nights[o] >= LEAST_NIGHTS}), int)


def _part(origins: np.ndarray, parts: int, part: int, *, or_last: bool = False) -> np.ndarray:
    """One of ``parts`` stretches of sorted origins; with ``or_last`` an empty one falls back on the one before."""
    stretches = np.array_split(origins, parts)
    while or_last and not len(stretches[part]):
        part -= 1
    return stretches[part]
