"""The analysis that is fixed before an experiment starts, version 1.

Outcome: ln RMSSD of the night after each evening, less what is known beforehand (weekday rhythm and strain of the day,
by numbers settled before the start), drawn in to 2.5 SD around the level before the start. Estimate: least squares of
the outcome on the coin within blocks. Test: the same estimate under every plan that could have been drawn
(randomisation test, two sided). Interval: t, 90 %. Posterior: prior Normal(0, 6 %) times that. By intention (as the
coin said) and, beside it, per protocol (only nights on which the journal says that the coin was followed).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

__all__ = ["ANALYSIS_VERSION", "Adjustment", "Estimate", "adjusted", "analyse", "coin_estimates"]

ANALYSIS_VERSION = "1"
PRIOR_SD_LN, WINSOR_SD, MASS, MIN_NIGHTS = 0.06, 2.5, 0.90, 8


@dataclass(frozen=True)
class Adjustment:
    """Numbers of the wearer settled before the start.

    Attributes
    ----------
    level_ln, sd_ln, autocorrelation : float
        Of ln RMSSD around its level, after the adjustments.
    weekday_ln : tuple [7]
        Rhythm by wake day, Monday first.
    strain_slope_ln, strain_mean : float
        ln RMSSD a point of strain of the day before.
    nights : int
        Nights that it rests on.
    """

    level_ln: float
    sd_ln: float
    autocorrelation: float
    weekday_ln: tuple[float, ...]
    strain_slope_ln: float
    strain_mean: float
    nights: int

    def describe(self) -> dict[str, Any]:
        """As the record keeps it."""
        return asdict(self) | {"weekday_ln": list(self.weekday_ln)}


@dataclass(frozen=True)
class Estimate:
    """Effect of following the coin's "yes", in %; p by randomisation; None where too few nights are known."""

    n_yes: int
    n_no: int
    effect_pct: float | None
    low90_pct: float | None
    high90_pct: float | None
    p: float | None
    posterior_pct: float | None
    posterior_low90_pct: float | None
    posterior_high90_pct: float | None
    p_negative: float | None

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def adjusted(
    ln_hrv: np.ndarray, weekday: np.ndarray, strain_before: np.ndarray, fixed: Adjustment
) -> np.ndarray:
    """The outcome [N]: what is known beforehand taken out, outliers drawn in; NaN stays."""
    strain = np.where(np.isfinite(strain_before), strain_before, fixed.strain_mean)
    expected = fixed.level_ln + np.asarray(fixed.weekday_ln)[weekday]
    rest = ln_hrv - expected - fixed.strain_slope_ln * (strain - fixed.strain_mean)
    return np.clip(rest, -WINSOR_SD * fixed.sd_ln, WINSOR_SD * fixed.sd_ln)


def analyse(y: np.ndarray, plan: np.ndarray, plans: np.ndarray, blocks: np.ndarray) -> Estimate:
    """Estimate, test and posterior.

    Parameters
    ----------
    y : ndarray [N]
        Outcome (`adjusted`), NaN where the night does not count.
    plan : ndarray of bool [N]
    plans : ndarray of bool [S, N]
        What could have been drawn.
    blocks : ndarray of int [N]
    """
    known = np.isfinite(y)
    n_yes, n_no = int((plan & known).sum()), int((~plan & known).sum())
    own = coin_estimates(y, plan[None, :], blocks)
    if known.sum() < MIN_NIGHTS or min(n_yes, n_no) < 3 or not np.isfinite(own[0]):
        return Estimate(n_yes, n_no, *(None,) * 8)
    effect = float(own[0])
    under_null = coin_estimates(y, plans, blocks)
    under_null = np.abs(under_null[np.isfinite(under_null)])
    p = float((1 + (under_null >= abs(effect) - 1e-12).sum()) / (1 + len(under_null)))
    error, freedom = _standard_error(y, plan, blocks, effect)
    half = float(stdtrit(freedom, (1 + MASS) / 2)) * error
    weight = PRIOR_SD_LN**2 / (PRIOR_SD_LN**2 + error**2)
    centre, spread = weight * effect, np.sqrt(weight) * error
    reach = float(ndtri((1 + MASS) / 2)) * spread
    return Estimate(
        n_yes, n_no, _pct(effect), _pct(effect - half), _pct(effect + half), round(p, 4), _pct(centre),
        _pct(centre - reach), _pct(centre + reach), round(float(ndtr(-centre / spread)), 3),
    )  # fmt: skip


def coin_estimates(y: np.ndarray, plans: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Least-squares effect of the coin within blocks on the known nights, for every plan; [S]."""
    known = np.isfinite(y)
    values, coins, block = y[known], plans[:, known].astype(float), blocks[known]
    member = (block[:, None] == np.unique(block)[None, :]).astype(float)
    share = member / np.maximum(member.sum(axis=0), 1.0)
    values = values - member @ (share.T @ values)
    coins = coins - (coins @ share) @ member.T
    spread = (coins**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, coins @ values / spread, np.nan)


def _standard_error(y: np.ndarray, plan: np.ndarray, blocks: np.ndarray, effect: float) -> tuple[float, int]:
    known = np.isfinite(y)
    values, coin, block = y[known], plan[known].astype(float), blocks[known]
    for one in np.unique(block):
        at = block == one
        values, coin = values.copy(), coin.copy()
        values[at] -= values[at].mean()
        coin[at] -= coin[at].mean()
    rest = values - effect * coin
    freedom = max(int(known.sum()) - len(np.unique(block)) - 1, 2)
    return float(np.sqrt((rest**2).sum() / freedom / (coin**2).sum())), freedom


def _pct(ln: float) -> float:
    return round(100 * float(np.exp(ln) - 1), 1)
