"""Posterior draws of effects under the belief that most behaviours do little and a few do much.

Card. Each coefficient's prior is a mixture of two normal laws: *does little* around zero and *does something*, which is
wide and, where the literature knows the behaviour, centred on what it says. For a behaviour that nobody has studied
the mixture has an SD of about 6 % (forecasting.md 8), the same as one normal law, but it shrinks a real effect of
-15 % far less and a chance pattern far more. The likelihood is the quadratic of ``regression``; its noise scale is
drawn for each chain from its posterior. Gibbs over one coefficient at a time, many chains side by side; equal input,
equal draws. Source of the method: George & McCulloch 1993, JASA 88:881.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Prior", "draw_coefficients"]

CHAINS, BURN_IN, KEPT, THINNING = 256, 20, 20, 2


@dataclass(frozen=True)
class Prior:
    """Two normal laws: *something* with probability ``p_something``, else *little* around zero."""

    mean: float
    sd: float
    p_something: float = 1.0
    little_sd: float = 0.012


def draw_coefficients(
    curvature: np.ndarray, pull: np.ndarray, priors: list[Prior], scale_nights: float, *, seed: int = 0
) -> np.ndarray:
    """Draws of all coefficients.

    Parameters
    ----------
    curvature, pull : ndarray [K, K], [K]
        The log likelihood is ``pull @ beta - beta @ curvature @ beta / 2``.
    scale_nights : float
        Degrees of freedom of the noise variance's posterior.

    Returns
    -------
    ndarray [S, K]
    """
    rng = np.random.default_rng(seed)
    k = len(priors)
    mean = np.array([p.mean for p in priors])
    stiff = np.array([p.sd**-2.0 for p in priors])
    little = np.array([p.little_sd**-2.0 for p in priors])
    odds = np.array([_log_odds(p.p_something) for p in priors]) + 0.5 * (np.log(stiff) - np.log(little))
    sharp = rng.chisquare(scale_nights, CHAINS) / scale_nights
    own = np.diag(curvature)
    own_sharp = own[:, None] * sharp
    p1, p0 = own_sharp + stiff[:, None], own_sharp + little[:, None]
    centred = (stiff * mean)[:, None]
    odds = odds[:, None] + 0.5 * (np.log(p0) - np.log(p1) - centred * mean[:, None])
    spread1, spread0 = p1**-0.5, p0**-0.5
    beta = _start(curvature, pull, mean, stiff, rng)
    kept = []
    for sweep in range(BURN_IN + KEPT * THINNING):
        uniform, normal = rng.random((k, CHAINS)), rng.standard_normal((k, CHAINS))
        limit = 2.0 * (np.log(uniform) - np.log1p(-uniform) - odds)
        wide, narrow = normal * spread1, normal * spread0
        for j in range(k):
            lean = sharp * (pull[j] - curvature[j] @ beta + own[j] * beta[j])
            lean1 = lean + centred[j]
            mean1, mean0 = lean1 / p1[j], lean / p0[j]
            big = limit[j] < lean1 * mean1 - lean * mean0
            beta[j] = np.where(big, mean1 + wide[j], mean0 + narrow[j])
        if sweep >= BURN_IN and (sweep - BURN_IN) % THINNING == 0:
            kept.append(beta.T.copy())
    return np.concatenate(kept)


def _start(curvature, pull, mean, stiff, rng) -> np.ndarray:
    """Draws under the *something* laws alone [K, CHAINS]."""
    whole = curvature + np.diag(stiff)
    lower = np.linalg.cholesky(whole)
    centre = np.linalg.solve(whole, pull + stiff * mean)
    return centre[:, None] + np.linalg.solve(lower.T, rng.standard_normal((len(mean), CHAINS)))


def _log_odds(p: float) -> float:
    return 50.0 if p >= 1.0 else float(np.log(p / (1.0 - p)))
