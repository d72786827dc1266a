"""Many forecasts into one, online: weights follow the CRPS, quantiles follow the coverage, each as late as life.

The score of a forecast of h nights is known h nights later, and only then does it count: at the origin of day i the
weights and the calibration of horizon h rest on outcomes of days up to i. Both start from what was shipped, so that a
wearer without any scored night already gets the shares that did well for other people.

Averaging is level by level (Vincent), weights by exponential aggregation on relative CRPS (V'yugin & Trunov 2019, arXiv
1902.10173; per-horizon as in Berrisch & Ziel 2021, arXiv 2102.00968); calibration is online quantile tracking
(``hrv_shared.quantile_tracking``). It never moves the median, which is the members' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.quantile_tracking import moved, no_offsets, tracked
from hrv_shared.scoring import crps_from_quantiles

__all__ = ["SHARES", "Combined", "combine"]

LEVELS = np.asarray(QUANTILE_LEVELS)

SHARES: dict[str, tuple[float, float]] = {
    "state_space": (0.30, 0.28), "hit_night": (0.14, 0.08), "ridge": (0.14, 0.12), "trees": (0.14, 0.08),
    "global_xgboost": (0.10, 0.06), "boosted": (0.06, 0.04), "fracast": (0.12, 0.34),
}  # fmt: skip
"""Starting shares, night 1 and later, chosen before any wearer is seen; who is not named starts at ``OTHERS_SHARE``."""
OTHERS_SHARE = 0.03
RATE = 0.3
"""A forecaster whose relative CRPS is lower by d on a night gains a factor exp(RATE d)."""
WEIGHT_HALF_LIFE = 60.0
"""Nights after which a score counts half."""


@dataclass(frozen=True)
class Combined:
    """The combination at every origin.

    Attributes
    ----------
    quantiles_ms : ndarray [N, 7, 23]
        Calibrated; NaN where nobody spoke.
    averaged_ms : ndarray [N, 7, 23]
        Before calibration.
    weights : ndarray [N, 7, M]
        Of the members in their order, those that spoke; sum to 1.
    scored : ndarray [N, 7], int
        Outcomes that the weights rest on.
    """

    quantiles_ms: np.ndarray
    averaged_ms: np.ndarray
    weights: np.ndarray
    scored: np.ndarray


def combine(members: Mapping[str, np.ndarray], outcomes_ms: np.ndarray) -> Combined:
    """Walk through the origins and combine what the members said at each.

    Parameters
    ----------
    members : dict of ndarray [N, 7, 23], ms
        Forecast of day index i + h at [i, h - 1]; NaN where a member did not speak.
    outcomes_ms : ndarray [N], ms
        NaN where there is none.

    Returns
    -------
    Combined
    """
    names = list(members)
    said = np.stack([members[name] for name in names], axis=2)  # [N, 7, M, 23]
    n = len(outcomes_ms)
    averaged = np.full((n, len(HORIZONS), len(LEVELS)), np.nan)
    calibrated, weights = averaged.copy(), np.zeros((n, len(HORIZONS), len(names)))
    scored = np.zeros((n, len(HORIZONS)), dtype=int)
    for k, h in enumerate(HORIZONS):
        start = np.log([SHARES.get(name, (OTHERS_SHARE, OTHERS_SHARE))[min(k, 1)] for name in names])
        gains, offsets, count = np.zeros(len(names)), no_offsets(), 0
        losses = _relative_losses(said[:, k], outcomes_ms, h)
        for i in range(n):
            if np.isfinite(outcomes_ms[i]) and i >= h and np.isfinite(calibrated[i - h, k, 0]):
                gains = gains * 0.5 ** (1 / WEIGHT_HALF_LIFE) - RATE * np.nan_to_num(losses[i])
                offsets = tracked(offsets, calibrated[i - h, k], outcomes_ms[i])
                count += 1
            spoke = np.isfinite(said[i, k, :, 0])
            if not spoke.any():
                continue
            weights[i, k] = _shares(start + gains, spoke)
            averaged[i, k] = weights[i, k, spoke] @ said[i, k, spoke]
            calibrated[i, k] = moved(averaged[i, k], offsets)
            scored[i, k] = count
    return Combined(calibrated, averaged, weights, scored)


def _relative_losses(said: np.ndarray, outcomes_ms: np.ndarray, horizon: int) -> np.ndarray:
    """CRPS of each member on each day, less the members' mean and in units of it; ndarray [N, M], NaN = not scored."""
    n, members, _ = said.shape
    losses = np.full((n, members), np.nan)
    if n > horizon:
        for m in range(members):
            losses[horizon:, m] = crps_from_quantiles(said[:-horizon, m], outcomes_ms[horizon:])
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.isfinite(losses)
        mean = np.where(known, losses, 0.0).sum(axis=1, keepdims=True) / known.sum(axis=1, keepdims=True)
        return losses / mean - 1.0


def _shares(log_share: np.ndarray, spoke: np.ndarray) -> np.ndarray:
    share = np.where(spoke, np.exp(log_share - log_share[spoke].max()), 0.0)
    return share / share.sum()
