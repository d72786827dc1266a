"""The other ways of saying "alcohol costs you 9 ms": the raw difference, plain regression, and shrinking it to zero."""

from __future__ import annotations

import numpy as np

from data_intelligence.bench_effects.members import Member

__all__ = ["RIVALS", "adjusted", "raw_difference", "shrunk"]

HALF_LIFE, FROM_NIGHTS = 14.0, 7
MIN_YES = 3
PRIOR_SD = {"intercept": 0.1, "lag": 0.3, "strain": 0.06, "weekday": 0.05, "behaviour": 0.06}


def raw_difference(member: Member) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the nights with minus mean of those without, and its standard error (Welch); NaN below 3 nights."""
    effect, error = np.full(member.done.shape[1], np.nan), np.full(member.done.shape[1], np.nan)
    for j, column in enumerate(member.done.T):
        with_it, without = member.y[column > 0], member.y[column == 0]
        if min(len(with_it), len(without)) >= MIN_YES:
            effect[j] = with_it.mean() - without.mean()
            error[j] = np.sqrt(with_it.var(ddof=1) / len(with_it) + without.var(ddof=1) / len(without))
    return effect, error


def adjusted(member: Member) -> tuple[np.ndarray, np.ndarray]:
    """Least squares on ln RMSSD less a trailing level, with weekday, strain, lagged residual and all behaviours."""
    x, y, _ = _plain_design(member)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    rest = y - x @ beta
    free = max(len(y) - np.linalg.matrix_rank(x), 1)
    cov = rest @ rest / free * np.linalg.pinv(x.T @ x)
    own = slice(-member.done.shape[1], None)
    return beta[own], np.sqrt(np.maximum(np.diag(cov)[own], 1e-12))


def shrunk(member: Member) -> tuple[np.ndarray, np.ndarray]:
    """The same under Normal(0, 6 %) for every behaviour: the prototype of the reference."""
    x, y, sds = _plain_design(member)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    rest = y - x @ beta
    sigma2 = rest @ rest / max(len(y) - np.linalg.matrix_rank(x), 1)
    precision = x.T @ x / sigma2 + np.diag(sds**-2.0)
    own = slice(-member.done.shape[1], None)
    mean = np.linalg.solve(precision, x.T @ y / sigma2)
    return mean[own], np.sqrt(np.diag(np.linalg.inv(precision))[own])


RIVALS = {"raw difference": raw_difference, "adjusted": adjusted, "shrunk": shrunk}


def _plain_design(member: Member) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    level = _trailing_level(member.y)
    before = np.nan_to_num(np.concatenate([[0.0], (member.y - level)[:-1]]))
    n = len(member.y)
    weekdays = np.column_stack([member.weekday == w for w in range(6)]).astype(float)
    use = np.arange(n) >= FROM_NIGHTS
    x = np.column_stack([np.ones(n), before, member.strain, weekdays, member.done])[use]
    sds = np.array([
        PRIOR_SD["intercept"], PRIOR_SD["lag"], PRIOR_SD["strain"], *[PRIOR_SD["weekday"]] * 6,
        *[PRIOR_SD["behaviour"]] * member.done.shape[1],
    ])  # fmt: skip
    return x, (member.y - level)[use], sds


def _trailing_level(y: np.ndarray) -> np.ndarray:
    """Exponentially weighted mean of the nights before each, NaN for the first seven."""
    decay = 0.5 ** (1.0 / HALF_LIFE)
    total = weight = 0.0
    level = np.full(len(y), np.nan)
    for i, value in enumerate(y):
        if i >= FROM_NIGHTS:
            level[i] = total / weight
        total, weight = total * decay + value, weight * decay + 1.0
    return level
