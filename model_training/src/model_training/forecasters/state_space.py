"""state_space: a drifting level, a quick memory, the weekday and what the day brought, learned together night by night.

Assumes      ln RMSSD is level + memory (AR 1) + weekday + effects of load, body and journal + a night's own noise.
             Every effect starts at a prior (forecasting.md 2.4 and 4.3, moved by the pool) and belongs to the wearer
             after some weeks. How fast the level drifts is not chosen: 21 filters with different drifts and
             memories run side by side and are weighted by how well each has foretold this wearer (Bayesian model
             averaging). Gaps are exact: a missing night is a step without news.
Is not       causal; strain, weekday and drink move together and share the credit out. Effects of the day fade by a
             fixed factor beyond night 1. A night that is far off moves the level little (the innovation is tempered),
             so a sudden new level is believed only after some nights.
Refuses      below 3 scored nights, or when the last one is more than three days old.
Band         standardised errors' law of the pool, scaled and bent by the wearer's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS
from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import DayGrid, remembered
from model_training.design import usual_doses
from model_training.explanation.groups import RECENT, in_groups
from model_training.features import WEEKDAYS, Features, features, target_columns
from model_training.forecasters.fingerprint import code_version
from model_training.paths import Located, LocationScale, law_part, standardised_errors
from model_training.pool import shipped_digest

__all__ = ["StateSpace"]

DRIFTS = (0.0, 0.05, 0.12, 0.25)
"""SD of the level's nightly step, in units of the wearer's night-to-night spread."""
MEMORIES = ((0.0, 0.0), (0.35, 0.45), (0.5, 0.75))
"""Share of the spread that is remembered, and the share of it that is left a night later."""
REVERSIONS = (60.0, 500.0)
"""Nights with which the drifting part goes back to the wearer's mean (time constant)."""
CONFIGURATIONS = np.array([
    (drift, np.exp(-1.0 / nights), share, phi)
    for drift, nights, (share, phi) in product(DRIFTS, REVERSIONS, MEMORIES) if drift or nights == REVERSIONS[0]
])  # fmt: skip
FORGET = 0.99
"""A night's evidence about drift and memory counts so much less every night."""
TEMPER_SD = 1.6
"""Innovations beyond so many SDs move the state less."""
LEVEL_SD = 0.35
FADE = 0.55
LASTING = ("rhr_z", "rhr_acute_z", "resp_z", "skin_z", "asleep_z", "load_acute", "load_chronic")
"""Effects that reach beyond night 1, fading."""

# change in ln RMSSD per unit of the feature: mean and SD between people
EFFECT_PRIORS: dict[str, tuple[float, float]] = {
    "strain_z": (-0.06, 0.05), "steps_z": (-0.02, 0.03), "load_hard": (-0.01, 0.03), "load_1_back": (0.0, 0.02),
    "load_acute": (0.0, 0.02), "load_chronic": (0.0, 0.02), "late_workout": (-0.01, 0.03), "rhr_z": (0.0, 0.02),
    "rhr_acute_z": (0.0, 0.03), "resp_z": (0.0, 0.015), "skin_z": (0.0, 0.015), "asleep_z": (0.0, 0.015),
    "onset_z": (0.0, 0.015), "debt_z": (0.0, 0.015), "low_night": (0.0, 0.03), "night_missing": (0.0, 0.03),
}  # fmt: skip
DOSE_PRIORS = {f"dose_{b.name}": (b.effect, b.effect_sd) for b in BEHAVIOURS}
WEEKDAY_MEANS = (0.029, 0.023, 0.003, 0.007, -0.014, -0.022, -0.023)
"""Half of the mean residual by wake day, Monday first, in 17 people (forecasting.md 2.4); the rest is strain, drink."""
WEEKDAY_SD = 0.02

LEVEL, MEMORY, MEAN, FIRST_WEEKDAY = 0, 1, 2, 3
FIRST_EFFECT = FIRST_WEEKDAY + 7
EFFECTS = (*EFFECT_PRIORS, *DOSE_PRIORS)
AHEAD = np.array(HORIZONS)
STATES = ("level", "memory", "mean", *WEEKDAYS, *EFFECTS)


@dataclass(frozen=True)
class Filtered:
    """What the filters know after each night.

    Attributes
    ----------
    located : Located
    mean : ndarray [N, 7, S], ln ms
        What each state contributes to the mean of origin i and horizon h; sums to ``located.mean`` less ``offset``.
    offset : float
        ln of the first scored night, from which everything is counted.
    weights : ndarray [K]
        Of the configurations, after the last night.
    effects, effects_var : ndarray [S]
        Mean and variance of every state after the last night.
    """

    located: Located
    mean: np.ndarray
    offset: float
    weights: np.ndarray
    effects: np.ndarray
    effects_var: np.ndarray


class StateSpace(LocationScale):
    """Bank of Kalman filters over drift and memory, with weekday and regressors in the state."""

    name = "state_space"
    version = code_version(
        "1.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py", "design.py", "paths.py",
        also=shipped_digest(),
    )  # fmt: skip

    def locate(self, grid: DayGrid) -> Located:
        """Location and scale at every origin."""
        return self.filtered(grid).located

    def filtered(self, grid: DayGrid) -> Filtered:
        """The whole pass, with the contribution of every state."""
        return run_filters(grid, self.pooled(grid.slot))

    def contributions(self, grid: DayGrid) -> dict[str, np.ndarray]:
        """What each group of facts adds to the location at the last origin; dict of ndarray [7], ln ms."""
        return location_parts(self.filtered(grid), grid)

    @classmethod
    def fit_pool(cls, grids: Sequence[DayGrid], parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Move the priors towards what the people of a pool show, by one step of empirical Bayes; and their law."""
        start = {"effects": _literature(), "log_weights": [0.0] * len(CONFIGURATIONS)}
        passed = [run_filters(grid, start) for grid in grids]
        part = {"effects": _moved(start["effects"], passed), "log_weights": _common_weights(passed)}
        errors = [standardised_errors(run_filters(grid, part).located, grid) for grid in grids]
        return part | law_part(errors)


def location_parts(filtered: Filtered, grid: DayGrid) -> dict[str, np.ndarray]:
    """The location at the last origin as a sum over groups of facts; dict of ndarray [7], ln ms."""
    groups = in_groups(STATES, filtered.mean[-1], grid)
    return groups | {RECENT: groups[RECENT] + filtered.offset}


def run_filters(grid: DayGrid, prior: Mapping[str, Any]) -> Filtered:
    """Filter a history forwards; index i holds what is known after day i.

    Parameters
    ----------
    prior : dict
        ``effects``: name -> (mean, SD); ``log_weights`` [K] of the configurations before any night.
    """
    return remembered(grid, "state_space", prior, lambda: _run_filters(grid, prior))


def _run_filters(grid: DayGrid, prior: Mapping[str, Any]) -> Filtered:
    n, width, drift, keep, share, phi = len(grid), len(STATES), *CONFIGURATIONS.T
    seen = features(grid)
    inputs, by_horizon = _regressors(grid, seen)
    state, spread = _start(prior["effects"], share, drift)
    log_weight = np.asarray(prior["log_weights"], float).copy()
    noise = np.maximum(1.0 - share**2, 0.3)
    weekday = grid.weekday
    offset = next(iter(grid.log_hrv[np.isfinite(grid.log_hrv)]), 0.0)
    means = np.full((n, len(HORIZONS), width), np.nan)
    sd = np.full((n, len(HORIZONS)), np.nan)
    observe = np.zeros(width)
    for i in range(n):
        _step(state, spread, keep, phi, drift * seen.scale[i], share * seen.scale[i])
        if np.isfinite(grid.log_hrv[i]):
            observe[:] = 0.0
            observe[[LEVEL, MEMORY, MEAN]] = 1.0
            observe[FIRST_WEEKDAY + weekday[i]] = float(grid.knows_weekday)
            if i:
                observe[FIRST_EFFECT:] = inputs[i - 1]
            variance = noise * seen.scale[max(i - 1, 0)] ** 2
            log_weight = FORGET * log_weight + _update(
                state, spread, observe, grid.log_hrv[i] - offset, variance
            )
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        means[i], sd[i] = _ahead(
            state, spread, weight, by_horizon[:, i], weekday[i], grid.knows_weekday, keep, phi, seen.scale[i]
        )
    effects = weight @ state if n else np.zeros(width)
    between = weight @ (np.einsum("kss->ks", spread) + (state - effects) ** 2) if n else np.zeros(width)
    located = Located(offset + means.sum(axis=2), sd)
    return Filtered(located, means, offset, weight if n else np.exp(log_weight), effects, between)


def _regressors(grid: DayGrid, seen: Features) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of night 1, [N, E], and of every horizon, [7, N, E]; what is unknown is usual, which is zero."""
    usual = usual_doses(grid)
    own = np.column_stack([seen.column(name) for name in EFFECT_PRIORS])
    lasting = np.array([name in LASTING for name in EFFECT_PRIORS], dtype=float)
    by_horizon = []
    for h in HORIZONS:
        names, columns = target_columns(grid, h)
        doses = columns[:, [names.index(name) for name in DOSE_PRIORS]] - usual
        faded = own if h == 1 else own * lasting * FADE ** (h - 1)
        by_horizon.append(np.nan_to_num(np.column_stack([faded, doses])))
    return by_horizon[0], np.array(by_horizon)


def _start(effects: Mapping[str, Sequence[float]], share: np.ndarray, drift: np.ndarray) -> tuple:
    state = np.zeros((len(CONFIGURATIONS), len(STATES)))
    spread = np.zeros((len(CONFIGURATIONS), len(STATES), len(STATES)))
    for s, name in enumerate(STATES):
        if name in effects:
            state[:, s] = effects[name][0]
            spread[:, s, s] = effects[name][1] ** 2
    spread[:, MEAN, MEAN] = LEVEL_SD**2
    spread[:, LEVEL, LEVEL] = (drift > 0) * 0.05**2
    spread[:, MEMORY, MEMORY] = (share * 0.19) ** 2
    return state, spread


def _step(state, spread, keep, phi, level_sd, memory_sd) -> None:
    """One night passes: the level drifts back a little and wanders, the memory fades; in place."""
    state[:, LEVEL] *= keep
    state[:, MEMORY] *= phi
    spread[:, LEVEL, :] *= keep[:, None]
    spread[:, :, LEVEL] *= keep[:, None]
    spread[:, MEMORY, :] *= phi[:, None]
    spread[:, :, MEMORY] *= phi[:, None]
    spread[:, LEVEL, LEVEL] += level_sd**2
    spread[:, MEMORY, MEMORY] += memory_sd**2 * (1 - phi**2)


def _update(state, spread, observe, value: float, noise) -> np.ndarray:
    """Take one night in, tempered when it is far off; in place. Returns its log evidence, [K]."""
    innovation = value - state @ observe
    gain = spread @ observe
    variance = gain @ observe + noise
    distance = np.abs(innovation) / np.sqrt(variance)
    tempered = gain @ observe + noise * np.maximum(distance / TEMPER_SD, 1.0) ** 1.5
    step = gain / tempered[:, None]
    state += step * innovation[:, None]
    spread -= step[:, :, None] * gain[:, None, :]
    return -0.5 * np.log(variance) - 2.5 * np.log1p(distance**2 / 4.0)  # Student t with 4 degrees of freedom


def _ahead(state, spread, weight, inputs, weekday: int, knows_weekday: bool, keep, phi, scale) -> tuple:
    """Contributions [7, S] and SD [7] of the coming nights, averaged over the configurations."""
    steady = np.zeros((len(HORIZONS), state.shape[1] - MEAN))  # what drift and memory don't touch
    steady[:, 0] = 1.0
    steady[np.arange(len(HORIZONS)), FIRST_WEEKDAY - MEAN + (weekday + AHEAD) % 7] = float(knows_weekday)
    steady[:, FIRST_EFFECT - MEAN :] = inputs
    level, memory = state[:, [LEVEL]] * keep[:, None] ** AHEAD, state[:, [MEMORY]] * phi[:, None] ** AHEAD
    total = state[:, MEAN:] @ steady.T + level + memory
    contributions = np.empty((len(HORIZONS), state.shape[1]))
    contributions[:, LEVEL], contributions[:, MEMORY] = weight @ level, weight @ memory
    contributions[:, MEAN:] = steady * (weight @ state[:, MEAN:])
    unsure = spread[:, MEAN, MEAN] + spread[:, LEVEL, LEVEL] + scale**2
    return contributions, np.sqrt(weight @ (unsure[:, None] + (total - weight @ total) ** 2))


def _literature() -> dict[str, tuple[float, float]]:
    weekdays = {name: (mean, WEEKDAY_SD) for name, mean in zip(WEEKDAYS, WEEKDAY_MEANS, strict=True)}
    return weekdays | EFFECT_PRIORS | DOSE_PRIORS


def _moved(
    literature: Mapping[str, tuple[float, float]], passed: Sequence[Filtered]
) -> dict[str, list[float]]:
    """Literature and people together: each person's posterior says how far it went and how sure it is."""
    moved = {}
    for name, (mean, sd) in literature.items():
        s = STATES.index(name)
        own = np.array([f.effects[s] for f in passed])
        learned = np.clip(1 - np.array([f.effects_var[s] for f in passed]) / sd**2, 0.0, 1.0)
        weight = LITERATURE_PEOPLE + learned.sum()
        moved[name] = [
            float(
                (
                    LITERATURE_PEOPLE * mean
                    + (learned * (mean + (own - mean) / np.maximum(learned, 0.05))).sum()
                )
                / weight
            ),
            sd,
        ]
    return moved


LITERATURE_PEOPLE = 5.0
"""How many fully observed people the literature counts for."""


def _common_weights(passed: Sequence[Filtered]) -> list[float]:
    """Mean weights of the people's configurations, believed half: how a level drifts is what people differ in most."""
    mean = np.mean([f.weights for f in passed], axis=0)
    return [round(float(w), 6) for w in 0.5 * np.log(mean)]
