"""Is one forecast better than another? Paired tests and intervals that know that neighbouring nights are alike.

Everything here takes losses (CRPS in ms or any other score where less is better) of two or more forecasters on
identical nights, and never averages ms over people: a person with 17 ms and one with 140 ms count alike through ratios
of means (forecasting.md, trap 25). Numpy only; no clock, store or global random state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

__all__ = [
    "ConfidenceSet",
    "PooledSkill",
    "diebold_mariano",
    "energy_score",
    "energy_scores",
    "model_confidence_set",
    "nights_to_tell",
    "pooled_skill",
]

WEEK = 7
"""Fewest lags of a long-run variance (the weekly rhythm) and length of a bootstrap block, in nights."""


@dataclass(frozen=True)
class PooledSkill:
    """Skill over people with its bootstrap interval.

    Attributes
    ----------
    skill_pct, ci_low, ci_high : float, %
        100 (1 - geometric mean over people of mean loss / mean reference loss); positive is better.
    n_forecasts, n_people : int
        Pairs and people that counted.
    people_positive : int
        People whose own skill is above zero.
    p_value : float
        One-sided: how often the bootstrap puts the skill at or below zero, (1 + hits) / (1 + resamples).
    """

    skill_pct: float
    ci_low: float
    ci_high: float
    n_forecasts: int
    n_people: int
    people_positive: int
    p_value: float


@dataclass(frozen=True)
class ConfidenceSet:
    """Models that can't be told from the best (``names``), out of all (``p_values``: at least 1 - level is in)."""

    names: tuple[str, ...]
    p_values: dict[str, float]


def diebold_mariano(
    loss_a: np.ndarray, loss_b: np.ndarray, horizon: int, *, lags: int | None = None
) -> tuple[float, float]:
    """Test that two forecasters lose the same, from one person's losses in the order of their target days.

    Diebold & Mariano 1995 (doi:10.1080/07350015.1995.10524599) with the small-sample factor and the t law of Harvey,
    Leybourne & Newbold 1997 (doi:10.1016/S0169-2070(96)00719-4). Errors ``horizon`` nights ahead overlap for
    ``horizon - 1`` nights and nights have a weekly rhythm, so the variance takes at least seven lags; the factor is
    then that of ``lags + 1`` steps. Autocovariances enter with Bartlett weights (Newey & West 1987,
    doi:10.2307/1913610), which can't give a negative variance as the plain sum can.

    Parameters
    ----------
    loss_a, loss_b : ndarray [N]
        Paired; a pair with a NaN is dropped.
    horizon : int, nights
    lags : int, optional
        Autocovariances in the variance; default max(horizon - 1, 7).

    Returns
    -------
    statistic : float
        Negative when ``a`` loses less. 0 when the two are equal everywhere.
    p_two_sided : float

    Raises
    ------
    ValueError
        Unpaired losses, a horizon below 1, or fewer than 2 (lags + 1) pairs.
    """
    difference = _paired(loss_a, loss_b)
    if horizon < 1 or (lags is not None and lags < 0):
        raise ValueError(
            f"expected a horizon of 1 night or more and lags from 0 on, got {horizon} and {lags}"
        )
    lags = max(horizon - 1, WEEK) if lags is None else lags
    n = len(difference)
    if n < 2 * (lags + 1):
        raise ValueError(
            f"expected at least {2 * (lags + 1)} paired losses for {lags} lags, got {n}; "
            "collect more nights or pool people"
        )
    if np.ptp(difference) == 0 and difference[0] == 0:
        return 0.0, 1.0
    variance = _long_run_variance(difference, lags)
    if variance <= 0:
        raise ValueError("expected differences that vary, got the same difference every night")
    steps = lags + 1
    factor = math.sqrt((n + 1 - 2 * steps + steps * (steps - 1) / n) / n)
    statistic = factor * float(difference.mean()) / math.sqrt(variance / n)
    return statistic, _student_two_sided(statistic, n - 1)


def pooled_skill(
    per_person: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    seed: int,
    resamples: int = 1000,
    block: int = WEEK,
    level: float = 0.90,
) -> PooledSkill:
    """Skill over people, with an interval that draws people and, within them, weeks.

    Two-stage bootstrap: people with replacement, then circular blocks of ``block`` successive scored days within each
    (Politis & Romano 1992; for clusters Davison & Hinkley 1997, 3.8). Percentile interval.

    Parameters
    ----------
    per_person : sequence of (crps [N_i], ref_crps [N_i], day_index [N_i])
        Paired losses and the target day of each as an integer; several rows of a day (horizons) stay together. Pairs
        with a NaN are dropped, people without a pair do not count.
    block : int, days
    level : float
        Of the interval; the same seed gives the same one.

    Raises
    ------
    ValueError
        Nobody has a pair, lengths differ, or a person's losses sum to nothing.
    """
    counted = []
    for crps, reference, day_index in per_person:
        losses, days = _aligned([crps, reference], day_index)
        if len(days):
            counted.append((losses, days))
    if not counted:
        raise ValueError(
            "expected at least one person with a pair of losses, got none; nothing can be compared"
        )
    totals = np.array([losses.sum(axis=1) for losses, _ in counted])
    if (totals <= 0).any():
        raise ValueError(
            "expected losses above zero for every person, got a person whose losses sum to zero or less"
        )
    own = np.log(totals[:, 0] / totals[:, 1])
    drawn = _resampled_logs(counted, seed=seed, resamples=resamples, block=block)
    skills = 100 * (1 - np.exp(drawn[:, 0] - drawn[:, 1]))
    low, high = np.quantile(skills, [(1 - level) / 2, (1 + level) / 2])
    return PooledSkill(
        skill_pct=float(100 * (1 - np.exp(own.mean()))), ci_low=float(low), ci_high=float(high),
        n_forecasts=sum(losses.shape[1] for losses, _ in counted), n_people=len(counted),
        people_positive=int((own < 0).sum()), p_value=float((1 + (skills <= 0).sum()) / (1 + resamples)),
    )  # fmt: skip


def model_confidence_set(
    losses: Mapping[str, Sequence[np.ndarray]],
    *,
    seed: int,
    day_index: Sequence[np.ndarray] | None = None,
    resamples: int = 1000,
    block: int = WEEK,
    level: float = 0.90,
) -> ConfidenceSet:
    """Which models can't be told from the best: Hansen, Lunde & Nason 2011 (doi:10.3982/ECTA5771), T_max.

    A model's loss is the mean over people of the log of their mean loss, so differences are log ratios; the bootstrap
    is that of ``pooled_skill``, with the same draws for all models.

    Parameters
    ----------
    losses : mapping name -> sequence of ndarray [N_i]
        Per person, paired over the models; nights on which any model has a NaN are dropped.
    day_index : sequence of ndarray [N_i], optional
        Target day of each row; by default rows are successive days.
    level : float
        Of the set.

    Raises
    ------
    ValueError
        No model, lists that are not paired, or no night common to all.
    """
    names = list(losses)
    if not names or len({len(of_people) for of_people in losses.values()}) != 1:
        raise ValueError(
            f"expected the same people for every model, got { ({n: len(v) for n, v in losses.items()}) }"
        )
    counted = []
    for person, rows in enumerate(zip(*losses.values(), strict=True)):
        days = np.arange(len(rows[0])) if day_index is None else day_index[person]
        own, own_days = _aligned(rows, days)
        if len(own_days):
            counted.append((own, own_days))
    if not counted:
        raise ValueError("expected nights on which all models have a loss, got none; compare fewer models")
    mean = np.mean([np.log(own.mean(axis=1)) for own, _ in counted], axis=0)
    drawn = _resampled_logs(counted, seed=seed, resamples=resamples, block=block)
    kept, p_values, p_so_far = list(range(len(names))), {}, 0.0
    while len(kept) > 1:
        worst, p = _worst(mean[kept], drawn[:, kept])
        p_so_far = max(p_so_far, p)
        p_values[names[kept.pop(worst)]] = p_so_far
    p_values[names[kept[0]]] = 1.0
    order = sorted(p_values, key=lambda name: mean[names.index(name)])
    inside = tuple(name for name in order if p_values[name] >= 1 - level - 1e-12)
    return ConfidenceSet(inside, {name: p_values[name] for name in order})


def energy_score(paths: np.ndarray, y: np.ndarray) -> float:
    """Energy score of sampled paths; ``paths`` [S, H] ms, ``y`` [H] ms -> ms. See ``energy_scores``."""
    return float(energy_scores(np.asarray(paths)[None], np.asarray(y)[None])[0])


def energy_scores(paths: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Energy score of many origins: mean |X - y| - mean |X - X'| / 2.

    Gneiting & Raftery 2007 (doi:10.1198/016214506000001437), eq. 22, over all pairs of paths.

    Parameters
    ----------
    paths : ndarray [N, S, H], ms
    y : ndarray [N, H], ms
        A NaN night is left out of its origin's vectors; an origin without any night scores NaN.

    Returns
    -------
    ndarray [N], ms
    """
    paths, y = np.asarray(paths, float), np.asarray(y, float)
    if paths.ndim != 3 or y.shape != (paths.shape[0], paths.shape[2]) or not paths.shape[1]:
        raise ValueError(f"expected paths [N, S, H] and outcomes [N, H], got {paths.shape} and {y.shape}")
    seen = np.isfinite(y)
    x = np.where(seen[:, None, :], paths, 0.0)
    to_outcome = np.linalg.norm(x - np.where(seen, y, 0.0)[:, None, :], axis=2).mean(axis=1)
    between = np.array([_mean_distance(sample) for sample in x])
    return np.where(seen.any(axis=1), to_outcome - between / 2, np.nan)


def nights_to_tell(crps: np.ndarray, ref: np.ndarray, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """How many more nights until a one-sided paired test would tell the edge seen so far.

    The nights at which a test at ``alpha`` finds the present mean difference with probability ``power``, given its
    long-run variance (Bartlett, seven lags), less those already there.

    Parameters
    ----------
    crps, ref : ndarray [N], ms
        Paired losses in the order of their target days; pairs with a NaN are dropped.

    Returns
    -------
    int or None
        0 when there are enough; None when there is no edge to tell (the mean difference is not above zero).

    Raises
    ------
    ValueError
        Fewer than 16 pairs: their variance says nothing.
    """
    edge = -_paired(crps, ref)
    if len(edge) < 2 * (WEEK + 1):
        raise ValueError(
            f"expected at least {2 * (WEEK + 1)} paired nights, got {len(edge)}; ask again later"
        )
    if edge.mean() <= 0:
        return None
    z = NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)
    needed = z**2 * _long_run_variance(edge, WEEK) / edge.mean() ** 2
    return max(0, math.ceil(needed - len(edge)))


def _mean_distance(sample: np.ndarray) -> float:
    """Mean Euclidean distance over all pairs of rows [S, H], a row with itself included."""
    centred = sample - sample.mean(axis=0)
    squares = (centred**2).sum(axis=1)
    squared = squares[:, None] + squares - 2 * centred @ centred.T
    np.fill_diagonal(squared, 0.0)
    return float(np.sqrt(np.maximum(squared, 0.0)).mean())


def _paired(loss_a: np.ndarray, loss_b: np.ndarray) -> np.ndarray:
    a, b = np.asarray(loss_a, float), np.asarray(loss_b, float)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"expected two paired series of losses, got shapes {a.shape} and {b.shape}")
    difference = a - b
    return difference[np.isfinite(difference)]


def _long_run_variance(values: np.ndarray, lags: int) -> float:
    """Bartlett-weighted sum of autocovariances, of which the variance of the mean is the N-th part."""
    centred = values - values.mean()
    n = len(values)
    total = centred @ centred / n
    for lag in range(1, min(lags, n - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag]) / n
    return float(total)


def _student_two_sided(t: float, freedom: int) -> float:
    """P(|T| > |t|) of Student's law: the regularised incomplete beta function at v / (v + t^2) with v/2 and 1/2."""
    x = freedom / (freedom + t * t)
    a, b = freedom / 2, 0.5
    if x >= 1:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return 1 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated by Lentz's method."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + step * d)
            c = 1 + step / c
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _aligned(losses: Sequence[np.ndarray], day_index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Losses [M, N] and days [N] in the order of the days, without rows where any loss is NaN."""
    days = np.asarray(day_index)
    rows = [np.asarray(loss, float) for loss in losses]
    if any(row.shape != days.shape or row.ndim != 1 for row in rows):
        shapes = [row.shape for row in rows]
        raise ValueError(f"expected losses paired night by night, got shapes {shapes} and {days.shape}")
    stacked = np.array(rows)
    keep = np.isfinite(stacked).all(axis=0)
    order = np.argsort(days[keep], kind="stable")
    return stacked[:, keep][:, order], days[keep][order]


def _resampled_logs(
    people: Sequence[tuple[np.ndarray, np.ndarray]], *, seed: int, resamples: int, block: int
) -> np.ndarray:
    """Mean over drawn people of the log of their mean loss on drawn blocks, per model; [resamples, M]."""
    rng = np.random.default_rng(seed)
    logs = np.array([_block_logs(losses, days, rng, resamples, block) for losses, days in people])
    who = rng.integers(0, len(people), (resamples, len(people)))
    # A person drawn twice brings two independent draws of their weeks.
    which = rng.integers(0, resamples, (resamples, len(people)))
    return logs[who, which].mean(axis=1)


def _block_logs(
    losses: np.ndarray, days: np.ndarray, rng: np.random.Generator, resamples: int, block: int
) -> np.ndarray:
    """Log mean loss of one person on circular blocks of successive scored days; [resamples, M]."""
    _, first = np.unique(days, return_index=True)
    per_day = np.add.reduceat(losses, first, axis=1)
    counts = np.diff(np.append(first, len(days)))
    n = len(first)
    length = min(block, n)
    table = np.vstack([per_day, counts])
    wrapped = np.hstack(
        [np.zeros((len(table), 1)), np.cumsum(np.hstack([table, table[:, : length - 1]]), axis=1)]
    )
    per_block = wrapped[:, length:] - wrapped[:, :-length]
    starts = rng.integers(0, n, (resamples, -(-n // length)))
    sums = np.stack([of_one[starts].sum(axis=1) for of_one in per_block])
    return np.log(sums[:-1] / sums[-1]).T


def _worst(mean: np.ndarray, drawn: np.ndarray) -> tuple[int, float]:
    """The model that T_max points at among [M], and the p-value of all being equally good."""
    above = mean - mean.mean()
    drawn_above = drawn - drawn.mean(axis=1, keepdims=True)
    spread = drawn_above.std(axis=0)
    spread = np.where(spread > 0, spread, np.inf)  # models that are identical everywhere
    statistic = above / spread
    null = ((drawn_above - drawn_above.mean(axis=0)) / spread).max(axis=1)
    return int(np.argmax(statistic)), float((1 + (null >= statistic.max()).sum()) / (1 + len(null)))
