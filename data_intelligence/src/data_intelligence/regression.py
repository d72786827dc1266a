"""One regression for everything at once: a drifting level, AR(1) nights, Student-t surprises, and the coefficients.

Card. ``y[t] = level[t] + x[t] @ beta + u[t]``; the level is a random walk, ``u`` an AR(1) process (so that the "lagged
residual" is what is left of last night once its own behaviours are taken out) whose innovations are Student-t. Level
and coefficients are estimated jointly: the level can't swallow an effect first, as a trailing mean does. What comes
back is the likelihood of the coefficients with the level integrated out, as a quadratic: the curvature and the
maximum. Priors that are not Gaussian can then be laid over it (``sparse_prior``) without fitting again.

Assumes that effects add on the scale of ``y``. Is not: a sampler over everything; persistence, drift and tails are set
at their joint mode, and only the noise scale is integrated over (``scale_nights``). The robust weights come from the EM
of the t law as a scale mixture (Lange, Little & Taylor 1989, JASA 84:881); its Fisher information is (nu+1)/(nu+3) of
what plain EM weights say. A slow Gibbs sampler in the tests is the reference that this one must equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.special import gammaln

__all__ = ["JointFit", "Nature", "fit_joint"]

EM_STEPS, TOLERANCE = 25, 1e-4
SIGMA_FLOOR = 1e-3
PRIOR_SIGMA, PRIOR_NIGHTS = 0.16, 4.0
"""Scale of the t innovations of ln RMSSD (residual SD 0.23 with events, forecasting.md 2.3), worth so many nights."""

PERSISTENCE = (0.05, 0.15, 0.25, 0.35, 0.5)
PERSISTENCE_PRIOR = (0.23, 0.11)
"""AR(1) of the residual and its SD between people (forecasting.md 2.3)."""
DRIFT = (0.003, 0.006, 0.010, 0.016, 0.026)
DRIFT_PRIOR = (math.log(0.010), 0.7)
"""Step of the level from night to night, log-normal: about what SD 0.24 raw and 0.23 detrended leave for it."""
TAILS = (3.0, 4.0, 6.0, 12.0, 40.0)
TAILS_PRIOR = (math.log(5.0), 0.7)
FIRST_LEVEL_SD = 1.0


@dataclass(frozen=True)
class Nature:
    """How the nights behave by themselves: persistence (AR 1), drift of the level a night, degrees of freedom."""

    persistence: float
    drift: float
    tails: float


@dataclass(frozen=True)
class JointFit:
    """The likelihood of the coefficients, and what was estimated with them.

    Attributes
    ----------
    curvature : ndarray [K, K]
        Information of the nights on the coefficients, level integrated out.
    pull : ndarray [K]
        ``curvature @ beta_hat``: with a Gaussian prior ``N(m, 1 / P)`` the posterior precision is ``curvature + P``,
        its mean ``solve(curvature + P, pull + P @ m)``.
    sigma : float
        Scale of the Student-t innovations.
    scale_nights : float
        How many nights' worth is known of ``sigma**2`` (degrees of freedom of its posterior).
    level : ndarray [N]
        The level on each night.
    residual : ndarray [N]
        ``y - level - x @ beta`` at the joint mode.
    nature : Nature
    """

    curvature: np.ndarray
    pull: np.ndarray
    sigma: float
    scale_nights: float
    level: np.ndarray
    residual: np.ndarray
    nature: Nature
    log_evidence: float


def fit_joint(
    y: np.ndarray, x: np.ndarray, day: np.ndarray, prior_mean: np.ndarray, prior_sd: np.ndarray
) -> JointFit:
    """Fit one member.

    Parameters
    ----------
    y : ndarray [N]
        ln RMSSD of the nights that are known.
    x : ndarray [N, K]
    day : ndarray [N] of int
        Their days, increasing; gaps are allowed and lengthen drift and forgetting.
    prior_mean, prior_sd : ndarray [K]
        Of the coefficients while the nature of the nights is found; wide enough for what may come out.

    Returns
    -------
    JointFit
        Without nights: no curvature at all, so that a prior stays what it is.
    """
    if len(y) == 0:
        k = len(prior_mean)
        none = np.zeros(0)
        nature = Nature(PERSISTENCE_PRIOR[0], math.exp(DRIFT_PRIOR[0]), math.exp(TAILS_PRIOR[0]))
        return JointFit(np.zeros((k, k)), np.zeros(k), PRIOR_SIGMA, PRIOR_NIGHTS, none, none, nature, 0.0)
    problem = _Problem(y, x, np.diff(day).astype(float), prior_mean, prior_sd)
    first, warm, beta, used = problem.fit(Nature(0.25, 0.010, 4.0), None)
    rest = _Problem(y - x @ beta, x[:, :0], problem.gap, prior_mean[:0], prior_sd[:0], used)
    nature = _likeliest(rest, first.nature, warm)
    return first if nature == first.nature else problem.fit(nature, warm)[0]


def _likeliest(rest: _Problem, nature: Nature, warm: tuple[np.ndarray, float]) -> Nature:
    """Coordinate ascent over how the nights behave by themselves, once the coefficients are taken out."""
    evidence: dict[Nature, float] = {}
    for _ in range(2):
        before = nature
        for aspect, values in (("drift", DRIFT), ("persistence", PERSISTENCE), ("tails", TAILS)):
            for value in values:
                candidate = replace(nature, **{aspect: value})
                if candidate not in evidence:
                    evidence[candidate] = rest.fit(candidate, warm)[0].log_evidence
            nature = max(evidence, key=lambda n: evidence[n])
        if nature == before:
            break
    return nature


@dataclass(frozen=True)
class _Problem:
    y: np.ndarray
    x: np.ndarray
    gap: np.ndarray
    prior_mean: np.ndarray
    prior_sd: np.ndarray
    used_before: float = 0.0

    def fit(
        self, nature: Nature, warm: tuple[np.ndarray, float] | None
    ) -> tuple[JointFit, tuple[np.ndarray, float], np.ndarray, float]:
        """The joint mode under one nature of the nights; ``warm`` are weights and sigma to start from.

        Returns
        -------
        fit, (weights, sigma), beta, nights that the coefficients used up
        """
        n, nu = len(self.y), nature.tails
        rho = np.concatenate([[0.0], nature.persistence**self.gap])
        spread = np.sqrt(
            np.concatenate([[1.0], 1.0 - nature.persistence ** (2 * self.gap)])
            / (1.0 - nature.persistence**2)
        )
        walk = _walk_precision(self.gap * nature.drift**2)
        precision = np.diag(self.prior_sd**-2.0)
        weights, sigma = (np.ones(n), PRIOR_SIGMA) if warm is None else warm
        pulled = precision @ self.prior_mean
        for step in range(EM_STEPS):
            solved = _solve(self, weights / (sigma * spread) ** 2, rho, walk, precision, pulled)
            surprise = _whiten(self.y - solved.level - self.x @ solved.beta, rho) / spread
            free = max(n - solved.used - solved.used_by_level - self.used_before, 1.0)
            squares = float(weights @ surprise**2) + PRIOR_NIGHTS * PRIOR_SIGMA**2
            new_sigma = max(math.sqrt(squares / (free + PRIOR_NIGHTS)), SIGMA_FLOOR)
            weights = (nu + 1.0) / (nu + (surprise / new_sigma) ** 2)
            moved, sigma = abs(new_sigma / sigma - 1.0), new_sigma
            if step > 1 and moved < TOLERANCE:
                break
        return (
            self._finish(nature, solved, surprise, sigma, spread, free),
            (weights, sigma),
            solved.beta,
            solved.used,
        )

    def _finish(self, nature, solved, surprise, sigma, spread, free) -> JointFit:
        nu, n = nature.tails, len(self.y)
        share = (nu + 1.0) / (nu + 3.0)
        z = (surprise / sigma) ** 2
        log_p = n * (gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * math.log(nu * math.pi) - math.log(sigma))
        log_p += float(-np.log(spread).sum() - 0.5 * (nu + 1) * np.log1p(z / nu).sum())
        log_p += solved.log_prior_less_half_log_det
        log_p -= 0.5 * PRIOR_NIGHTS * (PRIOR_SIGMA**2 / sigma**2 + 2 * math.log(sigma))
        log_p -= 0.5 * ((nature.persistence - PERSISTENCE_PRIOR[0]) / PERSISTENCE_PRIOR[1]) ** 2
        log_p -= 0.5 * ((math.log(nature.drift) - DRIFT_PRIOR[0]) / DRIFT_PRIOR[1]) ** 2
        log_p -= 0.5 * ((math.log(nu) - TAILS_PRIOR[0]) / TAILS_PRIOR[1]) ** 2
        curvature = share * solved.curvature
        return JointFit(
            curvature=curvature,
            pull=curvature @ solved.beta + share * (solved.pull - solved.curvature @ solved.beta),
            sigma=sigma,
            scale_nights=free * nu / (nu + 3.0) + PRIOR_NIGHTS,
            level=solved.level,
            residual=self.y - solved.level - self.x @ solved.beta,
            nature=nature,
            log_evidence=log_p,
        )


@dataclass(frozen=True)
class _Solved:
    beta: np.ndarray
    level: np.ndarray
    curvature: np.ndarray
    pull: np.ndarray
    used: float
    used_by_level: float
    log_prior_less_half_log_det: float


def _solve(p: _Problem, weight, rho, walk, precision, pulled) -> _Solved:
    """Level and coefficients for given weights: the level's tridiagonal block is eliminated first."""
    n, k = p.x.shape
    rows = _whiten(np.column_stack([p.y - p.y.mean(), p.x]), rho)
    weighted = rows * weight[:, None]
    back = weighted.copy()  # D' W D [y, x]
    back[:-1] -= rho[1:, None] * weighted[1:]
    block = walk.copy()
    block[1] += weight
    block[1, :-1] += rho[1:] ** 2 * weight[1:]
    block[0, 1:] -= rho[1:] * weight[1:]
    factor = cholesky_banded(block)
    inner = cho_solve_banded((factor, False), back)
    gram = rows.T @ weighted - back.T @ inner
    curvature, pull = gram[1:, 1:], gram[1:, 0]
    whole = curvature + precision
    lower = np.linalg.cholesky(whole)
    beta = np.linalg.solve(whole, pull + pulled)
    level = inner[:, 0] - inner[:, 1:] @ beta
    used = float(np.trace(np.linalg.solve(whole, curvature)))
    off = beta - p.prior_mean
    stiff = float(level**2 @ walk[1] + 2.0 * (level[:-1] * level[1:]) @ walk[0, 1:])
    log = -0.5 * float(off @ precision @ off) + float(np.log(np.diag(precision)).sum()) / 2.0
    log += -0.5 * stiff + float(np.log(cholesky_banded(walk)[1]).sum())
    log -= float(np.log(factor[1]).sum() + np.log(np.diag(lower)).sum())
    return _Solved(beta, level + p.y.mean(), curvature, pull, used, _level_share(factor, block, walk), log)


def _level_share(factor: np.ndarray, block: np.ndarray, walk: np.ndarray) -> float:
    """How many nights the level uses up: the trace of ``inv(block) @ (block - walk)``, by the tridiagonal inverse."""
    n = block.shape[1]
    ratio = (factor[0, 1:] / factor[1, :-1]).tolist()  # a loop over arrays takes several times as long
    own = (factor[1] ** -2.0).tolist()
    diagonal, above = [0.0] * n, [0.0] * n  # of inv(block), from the last night back (Takahashi)
    diagonal[-1] = own[-1]
    for i in range(n - 2, -1, -1):
        above[i + 1] = -ratio[i] * diagonal[i + 1]
        diagonal[i] = own[i] - ratio[i] * above[i + 1]
    variance, beside = np.array(diagonal), np.array(above)
    return float(variance @ (block[1] - walk[1]) + 2.0 * beside[1:] @ (block[0, 1:] - walk[0, 1:]))


def _walk_precision(variance: np.ndarray) -> np.ndarray:
    """Precision of a random walk with these step variances, in upper banded form [2, N]."""
    n = len(variance) + 1
    banded = np.zeros((2, n))
    banded[1, 0] = FIRST_LEVEL_SD**-2.0
    banded[1, :-1] += 1.0 / variance
    banded[1, 1:] += 1.0 / variance
    banded[0, 1:] = -1.0 / variance
    return banded


def _whiten(values: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """What is new each night: ``v[t] - rho[t] v[t-1]``."""
    out = values.copy()
    out[1:] -= (rho[1:] if values.ndim == 1 else rho[1:, None]) * values[:-1]
    return out
