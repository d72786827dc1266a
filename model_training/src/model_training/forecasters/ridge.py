"""ridge: a personal linear model that starts from what is known about people and is moved by the wearer's own nights.

Assumes      effects add up on the ln scale around the EWMA of half-life 8 nights; every effect has a prior (mean and
             wide SD, forecasting.md 2.4 and 4.3), so that a habit logged twice moves little and one logged fifty times
             is the wearer's own. What was not said about a night counts as the wearer's usual dose, which is not zero;
             an explicit "no" is zero.
Is not       causal: strain, weekday, drink and bedtime move together, and a coefficient shares the credit out. It knows
             no interaction and no saturation (doses are capped). In an evening that is not over, strain so far stands
             for the day's strain, which makes it a little too hopeful on days that still have a workout to come.
Refuses      below 30 scored nights, or when the last one is more than three days old.
Band         empirical quantiles of its leave-one-out residuals per horizon (skewed as the wearer's nights are); the
             band is as wide on an ordinary night as on an unusual one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from threadpoolctl import threadpool_limits

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.behaviours import BEHAVIOURS
from model_training.features import anchor_at_origin, features, training_rows
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.residual_law import log_quantiles, to_ms

__all__ = ["Ridge"]

LEAST_NIGHTS = 30
TRAIN_DAYS = 540
FADE = 0.55
"""An effect of the origin day, and its SD, shrink by this factor with every further night."""
DOSE_PSEUDO_NIGHTS = 5
CLIP_SD = 2.5
"""Residuals beyond so many robust SDs don't pull the location; the band has them in full."""

# name -> prior mean and SD of the change in ln RMSSD per unit at horizon 1
ORIGIN_PRIORS = {
    "last_dev": (0.05, 0.10),
    "before_dev": (0.0, 0.08),
    "fast_dev": (0.0, 0.15),
    "night_missing": (0.0, 0.03),
    "rhr_dev_bpm": (0.0, 0.006),
    "resp_dev_rpm": (0.0, 0.03),
    "skin_temp_dev_c": (0.0, 0.03),
    "asleep_dev_h": (0.0, 0.01),
    "strain_dev": (-0.019, 0.010),
    "strain_balance": (0.0, 0.008),
    "workout_dev_h": (0.0, 0.02),
    "late_workout": (-0.01, 0.03),
    "nap_h": (0.0, 0.03),
}
LASTING_PRIORS = {"one": (0.0, 0.03), "slow_dev": (0.4, 0.3)}
WEEKDAY_MEANS = (0.029, 0.023, 0.003, 0.007, -0.014, -0.022, -0.023)
"""Half of the mean residual by wake day, Monday first, in 17 people (forecasting.md 2.4); the rest is strain, drink."""
WEEKDAY_SD = 0.03
KNOWN_SD = 0.01


class Ridge:
    """Bayesian ridge with informative priors, one solution a horizon."""

    name = "ridge"
    version = code_version(
        "1.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py"
    )
    refit_days = 1

    def fit(self, history: History) -> Self:
        """Solve every horizon and keep its leave-one-out residual law."""
        require_nights(history, LEAST_NIGHTS, self.name)
        rows = training_rows(history, HORIZONS, last_days=TRAIN_DAYS)
        self.names_ = rows.names
        self.usual_dose_ = _usual_doses(rows.names, rows.x[rows.horizon == 1])
        self.effects_, self.law_, self.sigma_ = {}, {}, {}
        # one thread: matrices this small are slower with two, and the sum is the same every time
        with threadpool_limits(1):
            for h in HORIZONS:
                own = rows.horizon == h
                solution = solve(self._design(rows.x[own]), rows.y[own], *priors(h))
                self.effects_[h], self.sigma_[h], residuals = solution
                self.law_[h] = log_quantiles(residuals)
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        design = self._design(features(history, horizons)[1])
        anchor = anchor_at_origin(history)
        rows = [anchor + x @ self.effects_[h] + self.law_[h] for x, h in zip(design, horizons, strict=True)]
        return to_ms(np.array(rows))

    def effects(self, horizon: int = 1) -> dict[str, float]:
        """Change in ln RMSSD per unit of each column, as learned."""
        return dict(zip(COLUMNS, map(float, self.effects_[horizon]), strict=True))

    def _design(self, x: np.ndarray) -> np.ndarray:
        """Columns in the order of ``COLUMNS``; unknown values are the usual ones (0 after centring)."""
        at = {name: i for i, name in enumerate(self.names_)}
        columns = []
        for name in COLUMNS:
            if name == "one":
                columns.append(np.ones(len(x)))
            elif name.startswith("dose_"):
                columns.append(np.nan_to_num(x[:, at[name]] - self.usual_dose_[name]))
            else:
                columns.append(np.nan_to_num(x[:, at[name]]))
        return np.column_stack(columns)


COLUMNS = (
    *LASTING_PRIORS, *ORIGIN_PRIORS, *(f"wakes_on_{k}" for k in range(7)),
    *(f"{part}_{b.name}" for b in BEHAVIOURS for part in ("dose", "known")),
)  # fmt: skip


def priors(horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Prior mean and SD of every column at a horizon; both ndarray [F], ln ms per unit."""
    fade = FADE ** (horizon - 1)
    pairs = [
        *LASTING_PRIORS.values(),
        *((mean * fade, sd * max(fade, 0.2)) for mean, sd in ORIGIN_PRIORS.values()),
        *((mean, WEEKDAY_SD) for mean in WEEKDAY_MEANS),
    ]
    for behaviour in BEHAVIOURS:
        pairs += [(behaviour.effect, behaviour.effect_sd), (0.0, KNOWN_SD)]
    mean, sd = np.array(pairs).T
    return mean, sd


def solve(
    design: np.ndarray, y: np.ndarray, mean: np.ndarray, sd: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    """Posterior mean of a linear model with independent normal priors.

    Parameters
    ----------
    design : ndarray [N, F]
    y : ndarray [N]
    mean, sd : ndarray [F]

    Returns
    -------
    effects : ndarray [F]
    sigma : float
        Residual SD (robust: from the median absolute residual).
    residuals : ndarray [N]
        Leave-one-out: each is the error of the model that was solved without its row (exact for fixed sigma).
    """
    effects = mean.copy()
    sigma = _robust_sd(y - design @ effects)
    target = y
    for _ in range(3):
        fitted = design @ effects
        target = fitted + np.clip(y - fitted, -CLIP_SD * sigma, CLIP_SD * sigma)
        precision = design.T @ design / sigma**2 + np.diag(sd**-2.0)
        effects = np.linalg.solve(precision, design.T @ target / sigma**2 + mean / sd**2)
        sigma = _robust_sd(y - design @ effects)
    precision = design.T @ design / sigma**2 + np.diag(sd**-2.0)
    leverage = np.einsum("nf,nf->n", design, np.linalg.solve(precision, design.T).T) / sigma**2
    left_out = target - (target - design @ effects) / (1 - leverage)
    return effects, sigma, y - left_out


def _robust_sd(residuals: np.ndarray) -> float:
    if len(residuals) < 2:
        return 0.24
    return max(float(1.4826 * np.median(np.abs(residuals - np.median(residuals)))), 0.03)


def _usual_doses(names: tuple[str, ...], x: np.ndarray) -> dict[str, float]:
    """Mean known dose of each behaviour, drawn towards what is usual while little is known."""
    usual = {}
    for behaviour in BEHAVIOURS:
        name = f"dose_{behaviour.name}"
        known = x[:, names.index(name)]
        known = known[np.isfinite(known)]
        total = known.sum() + DOSE_PSEUDO_NIGHTS * behaviour.usual_dose
        usual[name] = float(total / (len(known) + DOSE_PSEUDO_NIGHTS))
    return usual
