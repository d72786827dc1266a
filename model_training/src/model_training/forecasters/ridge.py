"""ridge: a linear model of many people, bent to the wearer by every night that comes true.

Assumes      in personal units (level, spread) people are alike enough to share a first guess of every effect, and
             differ from it by about as much as ``OWN_SD`` says; an effect of the journal starts at the literature's
             (forecasting.md 4.3). Horizons are solved apart, because what the day did has worn off after it.
Is not       causal; strain, weekday, drink and bedtime share the credit. It knows no interaction. In an evening that is
             not over, strain so far stands for the day's strain.
Refuses      below 10 scored nights, or when the last one is more than three days old.
Band         standardised errors' law of the pool, scaled and bent by the wearer's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hrv_shared.constants import HORIZONS
from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import DayGrid, remembered
from model_training.design import Design, design, person_weights, usual_doses
from model_training.explanation.groups import RECENT, in_groups
from model_training.features import USUAL_SCALE, WEEKDAYS, features
from model_training.forecasters.fingerprint import code_version
from model_training.paths import Located, LocationScale, law_part, standardised_errors
from model_training.pool import shipped_digest

__all__ = ["Ridge"]

POOL_PRECISION = 30.0
"""Ridge of the pooled effects, in rows of spread 1."""
OWN_SD = (0.06, 0.03)
"""How far a wearer's effect lies from that of people, in personal units per unit of the feature: night 1, later."""
OWN_SD_OF = {"strain_z": (0.20, 0.03), "steps_z": (0.12, 0.03), "load_hard": (0.12, 0.03)} | dict.fromkeys(
    WEEKDAYS, (0.10, 0.08)
)
"""Where people are known to differ more (forecasting.md 2.4: the SD of strain's effect is most of the effect)."""
OWN_BLOCK_NIGHTS = 3
"""The wearer's departures are solved every third day."""
CLIP = 2.0
"""Errors beyond so many spreads don't pull the effects; the band has them in full."""
FEATURE_MOST = 5.0
SKIPPED = ("coverage", "gap_nights", "onset_irregular_h", "spread")
"""Features that say how sure one may be, not where the night will lie."""


class Ridge(LocationScale):
    """Pooled ridge with a personal posterior, one a horizon."""

    name = "ridge"
    version = code_version(
        "2.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py", "design.py", "paths.py",
        also=shipped_digest(),
    )  # fmt: skip
    least_nights = 10

    def locate(self, grid: DayGrid) -> Located:
        """Location and scale at every origin."""
        return locate(grid, self.pooled(grid.slot)["effects"])

    def contributions(self, grid: DayGrid) -> dict[str, np.ndarray]:
        """What each group of facts adds to the location at the last origin; dict of ndarray [7], ln ms."""
        return location_parts(grid, self.pooled(grid.slot)["effects"])

    @classmethod
    def fit_pool(cls, grids: Sequence[DayGrid], parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Effects common to the people of a pool, and the law of errors around them."""
        laid = [[_rows(design(grid, h), grid, h) for grid in grids] for h in HORIZONS]
        effects = {str(h): _common(of_horizon).tolist() for h, of_horizon in zip(HORIZONS, laid, strict=True)}
        errors = [standardised_errors(locate(grid, effects), grid) for grid in grids]
        return {"effects": effects} | law_part(errors)


def locate(grid: DayGrid, effects: dict[str, list[float]]) -> Located:
    """Posterior mean of every origin under pooled effects; each origin knows the outcomes up to its own day."""
    return remembered(grid, "ridge", effects, lambda: _locate(grid, effects))


def _locate(grid: DayGrid, effects: dict[str, list[float]]) -> Located:
    seen = features(grid)
    mean = np.full((len(grid), len(HORIZONS)), np.nan)
    with threadpool_limits(1):
        for k, h in enumerate(HORIZONS):
            laid = design(grid, h, seen)
            x, y = _rows(laid, grid, h)
            prior = _own_precision(["one", *_kept(laid.names)], h)
            mean[:, k] = seen.anchor + seen.scale * _adapted(x, y, np.asarray(effects[str(h)]), prior, h)
    return Located(mean, np.repeat(seen.scale[:, None], len(HORIZONS), axis=1))


def _adapted(x: np.ndarray, y: np.ndarray, common: np.ndarray, prior: np.ndarray, horizon: int) -> np.ndarray:
    """Forecast of every origin from the pooled effects and the outcomes known by then; ndarray [N]."""
    n, width = x.shape
    said = x @ common
    left = np.clip(y - said, -CLIP, CLIP)
    known = np.flatnonzero(np.isfinite(left))
    blocks = -(-n // OWN_BLOCK_NIGHTS)
    precision = np.empty((blocks, width, width))
    pulls = np.empty((blocks, width))
    precision_so_far, pull_so_far, taken = np.diag(prior), np.zeros(width), 0
    for block in range(blocks):
        news = slice(taken, np.searchsorted(known + horizon, block * OWN_BLOCK_NIGHTS, side="right"))
        rows = x[known[news]]
        precision_so_far = precision_so_far + rows.T @ rows
        pull_so_far = pull_so_far + left[known[news]] @ rows
        precision[block], pulls[block], taken = precision_so_far, pull_so_far, news.stop
    own = np.linalg.solve(precision, pulls[:, :, None])[:, :, 0]
    return said + np.einsum("nf,nf->n", x, own[np.arange(n) // OWN_BLOCK_NIGHTS])


def location_parts(grid: DayGrid, effects: dict[str, list[float]]) -> dict[str, np.ndarray]:
    """``locate`` at the last origin as a sum over groups of facts; dict of ndarray [7], ln ms."""
    with threadpool_limits(1):
        return dict(remembered(grid, "ridge parts", effects, lambda: _location_parts(grid, effects)))


def _location_parts(grid: DayGrid, effects: dict[str, list[float]]) -> dict[str, np.ndarray]:
    seen = features(grid)
    parts = []
    for h in HORIZONS:
        laid = design(grid, h, seen)
        x, y = _rows(laid, grid, h)
        names = ["one", *_kept(laid.names)]
        common = np.asarray(effects[str(h)])
        own = _own_at_last(x, np.clip(y - x @ common, -CLIP, CLIP), _own_precision(names, h), h)
        parts.append(seen.scale[-1] * x[-1] * (common + own))
    groups = in_groups([*names, *(f"dose_{b.name}" for b in BEHAVIOURS)], np.array(parts), grid)
    return groups | {RECENT: groups[RECENT] + seen.anchor[-1]}


def _own_at_last(x: np.ndarray, left: np.ndarray, prior: np.ndarray, horizon: int) -> np.ndarray:
    """The wearer's departures that the last origin forecasts with: those solved at the first day of its block; [F]."""
    first = (len(x) - 1) // OWN_BLOCK_NIGHTS * OWN_BLOCK_NIGHTS
    known = np.flatnonzero(np.isfinite(left))
    known = known[known + horizon <= first]
    return np.linalg.solve(x[known].T @ x[known] + np.diag(prior), x[known].T @ left[known])


def _own_precision(names: Sequence[str], horizon: int) -> np.ndarray:
    """Prior precision of the wearer's departures from the pooled effects; those of doses have the literature's SD."""
    later = int(horizon > 1)
    sd = [OWN_SD_OF.get(name, OWN_SD)[later] for name in names]
    return np.array([*sd, *(b.effect_sd / USUAL_SCALE for b in BEHAVIOURS)]) ** -2.0


def _rows(laid: Design, grid: DayGrid, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Design matrix with a constant, unknown values at the usual; doses last, relative to the wearer's usual dose."""
    kept = [laid.names.index(name) for name in _kept(laid.names)]
    doses = grid.dose[:, horizon - 1, :] - usual_doses(grid)
    x = np.column_stack([np.ones(len(laid.x)), np.clip(laid.x[:, kept], -FEATURE_MOST, FEATURE_MOST), doses])
    return np.nan_to_num(x), laid.y


def _kept(names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in SKIPPED and not name.startswith("dose_")]


def _common(people: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Effects common to people: a weighted ridge, errors tempered; doses stay at the literature's effect."""
    kept = [(x[np.isfinite(y)], y[np.isfinite(y)]) for x, y in people]
    x, y = np.vstack([x for x, _ in kept]), np.concatenate([y for _, y in kept])
    weight = person_weights([len(y) for _, y in kept])
    start = np.zeros(x.shape[1])
    start[-len(BEHAVIOURS) :] = [b.effect / USUAL_SCALE for b in BEHAVIOURS]
    precision = np.full(x.shape[1], POOL_PRECISION)
    precision[-len(BEHAVIOURS) :] = [(b.effect_sd / USUAL_SCALE) ** -2.0 for b in BEHAVIOURS]
    effects = start.copy()
    for _ in range(4):
        said = x @ effects
        target = said + np.clip(y - said, -CLIP, CLIP) - x @ start
        squares = (x * weight[:, None]).T @ x + np.diag(precision)
        effects = start + np.linalg.solve(squares, (x * weight[:, None]).T @ target)
    return effects
