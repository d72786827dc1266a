"""trees: gradient-boosted trees of many people that correct what the linear members expect.

Assumes      state_space and ridge have the level, the effects and the wearer's own departures right on the whole, and
             what is left (thresholds, interactions, a spread that depends on the day) is alike in people once it is put
             into personal units. Unknown values stay unknown: the trees learn what "not said" goes with.
Is not       personal by itself; it learns nothing from the wearer but the law of errors. Trees don't extrapolate, so
             what they add is bounded by what the pool has seen.
Refuses      below 10 scored nights, or when the last one is more than three days old.
Band         half the distance of its 16 and 84 % trees is the night's own spread; around it the law of errors of people
             that the trees had not seen, scaled and bent by the wearer's own.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS
from model_training.day_grid import DayGrid
from model_training.design import design, person_weights
from model_training.explanation.groups import in_groups
from model_training.features import features
from model_training.forecasters.fingerprint import code_version
from model_training.forecasters.grown_trees import Forest, read_lightgbm
from model_training.forecasters.ridge import locate as ridge_location
from model_training.forecasters.ridge import location_parts as ridge_parts
from model_training.forecasters.state_space import location_parts as state_parts
from model_training.forecasters.state_space import run_filters
from model_training.foundation.errors import PackageAbsent
from model_training.paths import Located, LocationScale, law_part, standardised_errors
from model_training.pool import shipped_digest

__all__ = ["Trees"]

LEVELS = (0.16, 0.5, 0.84)
GROUPS = ((1,), (2, 3), (4, 5, 6, 7))
"""Horizons that share trees."""
ROUNDS = 40
LEAST_SPREAD = 0.3
"""Personal units; keeps a lucky leaf from a band of no width."""
SETTINGS: dict[str, Any] = {
    "objective": "quantile", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 200, "lambda_l2": 5.0,
    "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "max_bin": 63, "num_threads": 1, "seed": 0,
    "deterministic": True, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip
OWN_COLUMNS = ("state_space_mean", "state_space_sd", "ridge_mean", "horizon", "nights")
NIGHTS_MOST = 200


class Trees(LocationScale):
    """LightGBM quantile trees on the residual of the linear members."""

    name = "trees"
    version = code_version(
        "1.0.0", __file__, "residual_law.py", "features.py", "day_grid.py", "behaviours.py", "design.py", "paths.py",
        "forecasters/ridge.py", "forecasters/state_space.py", "forecasters/grown_trees.py", also=shipped_digest(),
    )  # fmt: skip
    least_nights = 10
    builds_on = ("state_space", "ridge")

    def locate(self, grid: DayGrid) -> Located:
        """Location and scale at every origin."""
        own = self.pooled(grid.slot)
        laid = lay_out(grid, {name: self.pooled_of(name, grid.slot) for name in self.builds_on})
        return _locate(grid, laid, [_forests(tuple(texts)) for texts in own["trees"]])

    def contributions(self, grid: DayGrid) -> dict[str, np.ndarray]:
        """Groups of the last origin's location, ln ms [7] each; the trees' own part is exact TreeSHAP."""
        parts = {name: self.pooled_of(name, grid.slot) for name in self.builds_on}
        laid, seen = lay_out(grid, parts), features(grid)
        linear = (
            state_parts(run_filters(grid, parts["state_space"]), grid), ridge_parts(grid, parts["ridge"]["effects"])
        )  # fmt: skip
        groups = {
            group: sum(each.get(group, 0.0) for each in linear) / 2 for each in linear for group in each
        }
        names = [*design(grid, 1, seen).names, *OWN_COLUMNS, "one"]
        added = np.empty((len(HORIZONS), len(names)))
        for group, texts in zip(GROUPS, self.pooled(grid.slot)["trees"], strict=True):
            forests = _forests(tuple(texts))
            for h in group:
                x = laid[h - 1][0][-1:]
                said = [float(forest.predict(x)[0]) for forest in forests]
                middle = forests[
                    int(np.argsort(said, kind="stable")[1])
                ]  # ``_locate`` sorts crossed trees too
                added[h - 1] = seen.scale[-1] * middle.contributions(x[0])
        own = in_groups(names, added, grid)
        return {group: groups.get(group, 0.0) + own.get(group, 0.0) for group in groups | own}

    @classmethod
    def fit_pool(cls, grids: Sequence[DayGrid], parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Grow the trees on the people of a pool; the law is that of people whose trees were grown without them."""
        if parts is None:
            raise ValueError("expected the parts of state_space and ridge, got none")
        laid = [lay_out(grid, parts) for grid in grids]
        errors = []
        for half in (0, 1):
            grown = _grow([rows for k, rows in enumerate(laid) if k % 2 != half])
            for k in range(half, len(grids), 2):
                errors.append(standardised_errors(_locate(grids[k], laid[k], grown), grids[k]))
        texts = [[booster.model_to_string() for booster in group] for group in _grow(laid)]
        return {"trees": texts} | law_part(errors)


def lay_out(grid: DayGrid, parts: Mapping[str, Any]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Per horizon: columns [N, F], targets [N] (NaN = unknown) and the linear members' location [N], personal units."""
    seen = features(grid)
    filtered = run_filters(grid, parts["state_space"]).located
    linear = ridge_location(grid, parts["ridge"]["effects"])
    rows = []
    for k, h in enumerate(HORIZONS):
        own = design(grid, h, seen)
        state, bent = ((m.mean[:, k] - own.anchor) / own.scale for m in (filtered, linear))
        extra = (
            state,
            filtered.sd[:, k] / own.scale,
            bent,
            np.full(len(grid), h),
            np.minimum(seen.nights, NIGHTS_MOST),
        )
        rows.append((np.column_stack([own.x, *extra]), own.y, (state + bent) / 2))
    return rows


def _locate(grid: DayGrid, laid: list[tuple], grown: list[list[Any]]) -> Located:
    seen = features(grid)
    mean, sd = np.full((2, len(grid), len(HORIZONS)), np.nan)
    for group, boosters in zip(GROUPS, grown, strict=True):
        for h in group:
            x, _, linear = laid[h - 1]
            low, middle, high = np.sort([booster.predict(x) for booster in boosters], axis=0)
            mean[:, h - 1] = seen.anchor + seen.scale * (linear + middle)
            sd[:, h - 1] = seen.scale * np.maximum((high - low) / 2, LEAST_SPREAD)
    return Located(mean, sd)


def _grow(people: list[list[tuple]]) -> list[list[Any]]:
    """Trees by horizon group and level."""
    lightgbm = _library()
    grown = []
    for group in GROUPS:
        kept = []
        for rows in people:
            for h in group:
                x, y, linear = rows[h - 1]
                there = np.isfinite(y) & np.isfinite(linear)
                kept.append((x[there], (y - linear)[there]))
        table, residuals = np.vstack([x for x, _ in kept]), np.concatenate([r for _, r in kept])
        data = lightgbm.Dataset(
            table,
            residuals,
            weight=person_weights([len(r) for _, r in kept]),
            params=dict(SETTINGS),
            free_raw_data=False,
        )
        grown.append([lightgbm.train(SETTINGS | {"alpha": level}, data, ROUNDS) for level in LEVELS])
    return grown


@functools.lru_cache(maxsize=32)
def _forests(texts: tuple[str, ...]) -> list[Forest]:
    return [read_lightgbm(text) for text in texts]


def _library() -> Any:
    """LightGBM, for growing trees, or a refusal that says what is missing."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # its wheel takes the system's OpenMP runtime
        raise PackageAbsent(
            f"trees: LightGBM does not load ({error}). It needs the OpenMP runtime: apt install libgomp1, or brew "
            "install libomp. Only fitting a pool needs it; forecasting does not."
        ) from error
    return lightgbm
