"""Fit the alert models and choose from which probability to speak, on members of their own seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from data_intelligence.alert_features import FEATURES
from data_intelligence.alert_models import AlertModel
from data_intelligence.alert_rules import KINDS
from data_intelligence.alert_watch import Watch, watch_nights
from data_intelligence.bench_alerts.matching import Tally, judged_rows, shows_planted, tally_member
from data_intelligence.bench_alerts.planted_members import PlantedMember, planted_member

__all__ = ["fit_logistic", "tune_models"]

RIDGE = 1e-3
FREE_SIGN = {"explained": -1, "sharp": 1}
MAX_FALSE_A_MONTH = 0.25
"""One false alert of a kind in four healthy months is the most that may be bought with recall."""

ALSO = {"level_shift": (0, 3.0), "overload": (0, 0.1), "device_change": (0, 2.0)}
TRIED = {
    "level_shift": (2.5, 3.0, 3.5, 4.0, 4.5, 5.0),
    "overload": (0.05, 0.1, 0.15, 0.2),
    "device_change": (2.0, 3.0),
}
"""A sign that must be there besides the probability: t of the step, excess of load, channels that stepped."""

THRESHOLDS = (
    0.1,
    0.15,
    0.2,
    0.25,
    0.3,
    0.35,
    0.4,
    0.45,
    0.5,
    0.55,
    0.6,
    0.65,
    0.7,
    0.75,
    0.8,
    0.85,
    0.9,
    0.95,
)


def tune_models(seeds: range, nights: int, advance: Callable[[], None]) -> dict[str, AlertModel]:
    """Fit weights to what came true by the rules, then choose thresholds by the planted truth.

    The device model comes first, for what it raises resets the usual values of the illness signs; level shifts come
    last, for an overload explains some of them.
    """
    members = [planted_member(seed, nights) for seed in seeds]
    flat = {k: AlertModel(k, -30.0, (0.0,) * len(FEATURES[k]), 0.999, None, "") for k in KINDS}
    models = dict(flat)
    for kinds in (("device_change",), ("illness", "travel", "overload"), ("level_shift",)):
        watches = _watch_all(members, models, advance)
        for kind in kinds:
            models[kind] = _fitted(
                kind, members, watches, f"seeds {seeds.start}-{seeds.stop - 1}, {nights} nights each"
            )
        watches = _watch_all(members, models, advance)
        for kind in kinds:
            models[kind] = _with_threshold(models[kind], members, watches)
    return models


def _watch_all(members, models, advance) -> list[Watch]:
    watches = []
    for member in members:
        watches.append(watch_nights(member.nights, member.untold, member.moments, models))
        advance()
    return watches


def fit_logistic(x: np.ndarray, y: np.ndarray, signs: np.ndarray) -> tuple[float, np.ndarray]:
    """Ridge logistic regression whose weights keep the sign that they were given (0: free)."""
    scale = np.maximum(x.std(axis=0), 1e-6)
    design = np.column_stack([np.ones(len(x)), x / scale])

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        score = design @ beta
        value = np.mean(np.logaddexp(0.0, score) - y * score) + RIDGE * np.sum(beta[1:] ** 2)
        p = 1 / (1 + np.exp(-score))
        return value, design.T @ (p - y) / len(y) + 2 * RIDGE * np.concatenate([[0.0], beta[1:]])

    bounds = [(None, None)] + [(0, None) if s > 0 else (None, 0) if s < 0 else (None, None) for s in signs]
    found = minimize(loss, np.zeros(design.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B")
    return float(found.x[0]), found.x[1:] / scale


def _fitted(kind: str, members: list[PlantedMember], watches: list[Watch], on: str) -> AlertModel:
    """Weights tell planted nights from others; a slope and an intercept turn that into the chance of coming true."""
    x, planted, judged_x, outcomes = [], [], [], []
    for member, watch in zip(members, watches, strict=True):
        table = watch.signs[kind]
        known = np.flatnonzero(np.isfinite(table.x).all(axis=1))
        x.append(table.x[known])
        planted.append(shows_planted(member, kind, table.since)[known])
        rows, _, came = judged_rows(member, watch, kind)
        judged_x.append(table.x[rows])
        outcomes.append(came)
    signs = np.array([FREE_SIGN.get(name, 1) for name in FEATURES[kind]])
    _, weights = fit_logistic(np.vstack(x), np.concatenate(planted), signs)
    y = np.concatenate(outcomes)
    intercept, slope = fit_logistic((np.vstack(judged_x) @ weights)[:, None], y, np.array([1]))
    note = f"{on}, n={len(y)}, base rate {y.mean():.3f}"
    weights = tuple(round(float(w * slope[0]), 4) for w in weights)
    return AlertModel(kind, round(intercept, 4), weights, 0.999, ALSO.get(kind), note)


def _with_threshold(model: AlertModel, members: list[PlantedMember], watches: list[Watch]) -> AlertModel:
    """The thresholds with the best F1 among those that keep the false alerts rare."""
    best, best_score = model, -1.0
    for also in [(model.also[0], value) for value in TRIED[model.kind]] if model.also else [None]:
        for threshold in THRESHOLDS:
            trial, tally = replace(model, raise_at=threshold, also=also), Tally()
            for member, watch in zip(members, watches, strict=True):
                tally.add(tally_member(member, watch.raised_by(trial), model.kind))
            figures = tally.figures()
            recall, precision = figures["recall"] or 0.0, figures["precision"] or 0.0
            score = 2 * recall * precision / max(recall + precision, 1e-9)
            rare = (figures["false_alerts_per_healthy_month"] or 0.0) <= MAX_FALSE_A_MONTH
            if rare and score > best_score:
                best, best_score = trial, score
    return best
