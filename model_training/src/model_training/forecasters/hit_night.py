"""hit_night: most nights are ordinary, some are hit; how likely tonight is to be hit depends on the evening.

Assumes      around state_space's location a night's error comes from one of two normal laws: an ordinary one, or one
             that lies lower and is wider. A logistic rule of the evening's facts (weekday of the target, load, late
             workout, drinks, illness, resting heart rate, a gap, a hit last night) says the odds. Rule and laws come
             from the pool; how often a wearer is hit, from the wearer too.
Is not       an alarm: the two laws overlap, and the odds only move between about one in ten and one in five. What the
             facts do to the middle of the law is state_space's, and the two laws are shifted so that it is not counted
             twice. On synthetic people the left tail is nearer to right on weekends and the CRPS of those nights a
             little lower; over all nights it is that of state_space, within a tenth of a per cent.
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         the mixture, inverted; its errors so far, as normal scores, have a law of the pool, scaled and bent by the
             wearer's own, and the mixture is read at the levels of that law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, ndtri

from hrv_shared.constants import HORIZONS
from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import DayGrid
from model_training.design import person_weights
from model_training.features import Features, features
from model_training.forecasters.fingerprint import code_version
from model_training.forecasters.state_space import location_parts, run_filters
from model_training.paths import Located, LocationScale, few_nights_widen, law_part, standardised_errors
from model_training.pool import shipped_digest
from model_training.residual_law import PooledLaw, personal_laws, to_ms

__all__ = ["FACTS", "HitNight", "Mixture", "fitted_rule", "negative_log_likelihood"]

HIT_BELOW = -1.3
"""A night so many SDs below its forecast was a hit, as far as a fact about last night goes."""
BURN_IN_NIGHTS = 5
CLIPPED = (-6.0, 4.0)
"""Errors in SDs that the pool is fitted on."""
FACT_PRECISION, SHAPE_PRECISION = 10.0, 20.0
USUAL_HITS = 40.0
"""Expected hits of a wearer at which their own frequency is believed half."""
START = np.array([0.15, 1.5, -0.2, 0.2, 0.9])
"""Ordinary mean, drop, ln SD ordinary, ln SD hit, share of the drop that the location holds already."""
HELD_TO_START = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
MOST_SCORE = 4.25
"""Normal score of the farthest error."""
BRACKET = (-15.0, 12.0)
BISECTIONS = 34
DRINKS_UNIT, DRINKS_MOST = 3.0, 5.0
TONIGHT = ("strain_z", "steps_z", "load_hard", "late_workout")
LASTING = ("rhr_z", "night_missing")
FACTS = (
    *(f"wakes_on_{k}" for k in range(7)),
    "alcohol",
    "sick",
    "unsaid",
    *TONIGHT,
    *LASTING,
    "hit_before",
    "one",
)


@dataclass(frozen=True)
class Mixture:
    """Two normal laws of the standardised error at every origin; all ndarray [N].

    Attributes
    ----------
    hit : probability of the second law
    means, sds : of the ordinary and of the hit night, in the location's SDs
    """

    hit: np.ndarray
    means: tuple[np.ndarray, np.ndarray]
    sds: tuple[np.ndarray, np.ndarray]

    def cdf(self, errors: np.ndarray) -> np.ndarray:
        """Probability of an error below; [N] or [N, Q]."""
        spread = (...,) if errors.ndim == 1 else (..., None)
        low, high = (
            ndtr((errors - m[spread]) / s[spread]) for m, s in zip(self.means, self.sds, strict=True)
        )
        return low + self.hit[spread] * (high - low)

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Errors at probabilities [N, Q], by bisection."""
        low, high = (np.full(levels.shape, edge) for edge in BRACKET)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = self.cdf(middle) < levels
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    def at(self, rows: np.ndarray | slice) -> Mixture:
        """The mixture of some origins."""
        return Mixture(self.hit[rows], tuple(m[rows] for m in self.means), tuple(s[rows] for s in self.sds))

    def hit_given(self, errors: np.ndarray) -> np.ndarray:
        """Probability that a night was hit, now that its error [N] is known."""
        ordinary, hit = (
            np.exp(-0.5 * ((errors - m) / s) ** 2) / s for m, s in zip(self.means, self.sds, strict=True)
        )
        return self.hit * hit / ((1 - self.hit) * ordinary + self.hit * hit + 1e-300)


class HitNight(LocationScale):
    """State space's location with a mixture around it."""

    name = "hit_night"
    version = code_version(
        "1.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py", "design.py", "paths.py",
        "forecasters/state_space.py", also=shipped_digest(),
    )  # fmt: skip

    builds_on = ("state_space",)

    def locate(self, grid: DayGrid) -> Located:
        """State space's location and scale."""
        return run_filters(grid, self.pooled_of("state_space", grid.slot)).located

    def contributions(self, grid: DayGrid) -> dict[str, np.ndarray]:
        """State space's groups, ln ms [7] each: the mixture is the law around them."""
        return location_parts(run_filters(grid, self.pooled_of("state_space", grid.slot)), grid)

    def path(self, grid: DayGrid, origins: np.ndarray) -> np.ndarray:
        """Quantiles [O, 7, 23] in ms."""
        part = self.pooled(grid.slot)
        located = self.locate(grid)
        mixtures, scores = _mixtures_and_scores(grid, located, part["rules"])
        law = PooledLaw(np.asarray(part["law"]), np.asarray(part["law_mean_abs"]))
        levels = ndtr(personal_laws(scores, origins, law))
        errors = np.stack([m.at(origins).quantiles(levels[:, k]) for k, m in enumerate(mixtures)], axis=1)
        unsure = few_nights_widen(grid, origins)[:, None, None]
        log_ms = located.mean[origins, :, None] + located.sd[origins, :, None] * unsure * errors
        log_ms[np.cumsum(np.isfinite(grid.log_hrv))[origins] < self.least_nights] = np.nan
        return to_ms(log_ms)

    @classmethod
    def fit_pool(cls, grids: Sequence[DayGrid], parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Rules and laws of every horizon by maximum likelihood, and the law of their normal scores."""
        if parts is None:
            raise ValueError("expected the part of state_space, got none")
        located = [run_filters(grid, parts["state_space"]).located for grid in grids]
        rules = {str(h): _fitted(grids, located, h) for h in HORIZONS}
        scores = [_mixtures_and_scores(grid, at, rules)[1] for grid, at in zip(grids, located, strict=True)]
        return {"rules": rules} | law_part(scores)


def _mixtures_and_scores(
    grid: DayGrid, located: Located, rules: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Mixture], np.ndarray]:
    """Every horizon's mixture with the wearer's own odds, and normal scores [N, 7] of its errors so far."""
    seen, errors = features(grid), standardised_errors(located, grid)
    scores = np.full(errors.shape, np.nan)
    mixtures = []
    for k, h in enumerate(HORIZONS):
        facts = _facts(grid, seen, errors[:, 0], h)
        usual = _mixture(facts, rules[str(h)])
        own = _mixture(facts, rules[str(h)], _own_log_odds(usual, errors[:, k], h))
        if len(grid) > h:
            level = own.at(slice(None, -h)).cdf(errors[h:, k])
            scores[h:, k] = ndtri(np.clip(level, ndtr(-MOST_SCORE), ndtr(MOST_SCORE)))
        mixtures.append(own)
    return mixtures, scores


def _facts(grid: DayGrid, seen: Features, last_errors: np.ndarray, horizon: int) -> np.ndarray:
    """What the evening knows of the night h ahead; ndarray [N, F], what is unknown is usual, which is zero."""
    target = (grid.weekday + horizon) % 7
    dose = {name: grid.dose[:, horizon - 1, k] for k, name in enumerate(b.name for b in BEHAVIOURS)}
    columns = {f"wakes_on_{k}": ((target == k) - 1 / 7) * grid.knows_weekday for k in range(7)}
    columns["alcohol"] = np.minimum(np.nan_to_num(dose["alcohol"]), DRINKS_MOST) / DRINKS_UNIT
    columns["sick"] = np.nan_to_num(dose["sick"])
    columns["unsaid"] = np.isnan(dose["alcohol"]).astype(float)
    for name in (*TONIGHT, *LASTING):
        reaches = horizon == 1 or name in LASTING
        columns[name] = np.clip(np.nan_to_num(seen.column(name)), -3, 3) * reaches
    columns["hit_before"] = (np.nan_to_num(last_errors) < HIT_BELOW).astype(float)
    columns["one"] = np.ones(len(grid))
    return np.column_stack([columns[name] for name in FACTS])


def _mixture(facts: np.ndarray, rule: Mapping[str, Any], own_log_odds: np.ndarray | float = 0.0) -> Mixture:
    mean, drop, ln_sd, ln_sd_hit, held = rule["shape"]
    hit = expit(facts @ np.asarray(rule["hit"]) + own_log_odds)
    ordinary = mean - held * hit * drop
    sds = (np.full(len(hit), np.exp(ln_sd)), np.full(len(hit), np.exp(ln_sd_hit)))
    return Mixture(hit, (ordinary, ordinary - drop), sds)


def _own_log_odds(usual: Mixture, errors: np.ndarray, horizon: int) -> np.ndarray:
    """How much oftener than usual the wearer was hit, as known at each origin, shrunk; ndarray [N]."""
    was, expected = np.zeros(len(errors)), np.zeros(len(errors))
    if len(errors) > horizon:
        before = usual.at(slice(None, -horizon))
        known = np.isfinite(errors[horizon:])
        was[horizon:] = np.where(known, before.hit_given(errors[horizon:]), 0.0)
        expected[horizon:] = np.where(known, before.hit, 0.0)
    return np.log((np.cumsum(was) + USUAL_HITS) / (np.cumsum(expected) + USUAL_HITS))


def _fitted(grids: Sequence[DayGrid], located: Sequence[Located], horizon: int) -> dict[str, list[float]]:
    """One horizon's rule from the people of a pool."""
    rows, outcomes = [], []
    for grid, at in zip(grids, located, strict=True):
        errors = standardised_errors(at, grid)
        enough = np.cumsum(np.isfinite(grid.log_hrv))[:-horizon] >= BURN_IN_NIGHTS
        used = np.isfinite(errors[horizon:, horizon - 1]) & enough
        rows.append(_facts(grid, features(grid), errors[:, 0], horizon)[:-horizon][used])
        outcomes.append(np.clip(errors[horizon:, horizon - 1][used], *CLIPPED))
    weights = person_weights([len(y) for y in outcomes])
    return fitted_rule(np.vstack(rows), np.concatenate(outcomes), weights)


def fitted_rule(facts: np.ndarray, errors: np.ndarray, weights: np.ndarray) -> dict[str, list[float]]:
    """Odds and shape that make the standardised errors [R] after ``FACTS`` [R, F] likeliest."""
    from scipy.optimize import minimize  # only pools are fitted; its import is slow

    start = np.concatenate([np.zeros(len(FACTS) - 1), [-1.8], START])
    found = minimize(
        negative_log_likelihood,
        start,
        (facts, errors, weights),
        "L-BFGS-B",
        jac=True,
        options={"maxiter": 300},
    ).x.round(6)
    return {"hit": found[: len(FACTS)].tolist(), "shape": found[len(FACTS) :].tolist()}


def negative_log_likelihood(
    parameters: np.ndarray, facts: np.ndarray, errors: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """Penalised, with its gradient.

    Parameters
    ----------
    parameters : ndarray [F + 5]
        Log odds of ``FACTS``, then the shape as in ``START``.
    """
    beta, shape = parameters[: len(FACTS)], parameters[len(FACTS) :]
    drop, held = shape[1], shape[4]
    mixture = _mixture(facts, {"hit": beta, "shape": shape})
    hit, shares = mixture.hit, (1 - mixture.hit, mixture.hit)
    z = [(errors - m) / s for m, s in zip(mixture.means, mixture.sds, strict=True)]
    part = [r * np.exp(-0.5 * zk**2) / s + 1e-12 for r, zk, s in zip(shares, z, mixture.sds, strict=True)]
    was_hit = part[1] / (part[0] + part[1])
    pull = (1 - was_hit) * z[0] / mixture.sds[0] + was_hit * z[1] / mixture.sds[1]
    to_log_odds = (was_hit - hit) - held * drop * hit * (1 - hit) * pull
    to_shape = np.array([
        weights @ pull,
        weights @ (-held * hit * pull - was_hit * z[1] / mixture.sds[1]),
        weights @ ((1 - was_hit) * (z[0] ** 2 - 1)),
        weights @ (was_hit * (z[1] ** 2 - 1)),
        weights @ (-hit * drop * pull),
    ])  # fmt: skip
    precision = np.concatenate(
        [np.full(len(FACTS) - 1, FACT_PRECISION), [0.0], SHAPE_PRECISION * HELD_TO_START]
    )
    away = parameters - np.concatenate([np.zeros(len(FACTS)), START])
    value = 0.5 * away @ (precision * away) - weights @ np.log(part[0] + part[1])
    return value, precision * away - np.concatenate([facts.T @ (weights * to_log_odds), to_shape])
