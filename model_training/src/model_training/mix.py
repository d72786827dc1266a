"""mix: the models' quantiles averaged level by level, the better of late having the greater say.

Assumes      who forecast well in the last weeks goes on doing so, at night 1 and at nights 2-7 apart.
Is not       a forecaster of its own: it sees the models' rows and the ledger, no data. Of the naive rules only
             ``ewma_8`` is in it, and only beyond night 1; while no model speaks yet (too few nights) ``ewma_8`` and
             ``last_28`` stand in, and the reasons say so.
Refuses      when nobody spoke: there is then no row.
Band         the average of the models' bands, level by level (never narrower than all of them).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from hrv_shared.constants import AGENT, MODEL_COMBINATION, NAIVE_FORECASTERS, PRODUCT
from hrv_shared.ledger import ForecastRow
from hrv_shared.record import canonical_json
from model_training.forecasters.fingerprint import code_version
from model_training.past_scores import HORIZON_GROUPS, horizon_group
from model_training.rolling import JOURNAL_SHIFT

__all__ = ["COMBINED", "average", "mix_rows", "mix_weights"]

COMBINED = (MODEL_COMBINATION, AGENT, PRODUCT)
"""Rows that are made of other rows; they are never mixed in."""

NIGHT_ONE = HORIZON_GROUPS[0]
STEADIEST = "ewma_8"
"""Sits in the mix beyond night 1, where the day's facts have worn off and trees tend to see what is not there."""
STAND_INS = (STEADIEST, "last_28")
HALF_LIFE_DAYS = 21.0
SHARPNESS = 6.0
"""Weight ~ CRPS to the power of minus this: 5 % better gives a third more weight."""
EQUAL_NIGHTS = 14
"""So many scored nights weigh as much as the belief that all models are alike."""
NUMBER = code_version("1.0.0", __file__, "past_scores.py")


def mix_rows(rows: Sequence[ForecastRow], scores: pl.DataFrame) -> list[ForecastRow]:
    """Rows of ``mix`` for one issue; empty when nobody spoke.

    Parameters
    ----------
    rows : sequence of ForecastRow
        What every forecaster said for this issue.
    scores : DataFrame
        ``scored_by`` at the issue's as_of.
    """
    spoke = {row.forecaster for row in rows} - set(COMBINED)
    models = spoke - set(NAIVE_FORECASTERS)
    voices = {group: _voices(group, models, spoke) for group in HORIZON_GROUPS}
    if not all(voices.values()):
        return []
    day = rows[0].origin_day
    by_group = {
        group: mix_weights(scores.filter(pl.col("group") == group), names, day) for group, names in voices.items()
    }
    mixed = []
    for horizon in sorted({row.horizon for row in rows}):
        group = horizon_group(horizon)
        parts = {row.forecaster: row for row in rows if row.horizon == horizon and row.forecaster in voices[group]}
        weights, nights = by_group[group]
        reasons = {"weights": weights, "scored_nights": nights, "versions": {n: r.version for n, r in parts.items()}}
        spoken = sum(weights[name] for name in parts)
        moved = sum(weights[name] / spoken * (row.reasons or {}).get(JOURNAL_SHIFT, 0.0) for name, row in parts.items())
        if moved:
            reasons[JOURNAL_SHIFT] = round(moved, 3)
        if not models:
            reasons["note"] = "No model could speak yet; simple rules stand in."
        mixed.append(average(parts, weights, MODEL_COMBINATION, NUMBER, reasons))
    return mixed


def _voices(group: str, models: set[str], spoke: set[str]) -> list[str]:
    """Whose quantiles are mixed in one horizon group."""
    if not models:
        return [name for name in STAND_INS if name in spoke]
    return sorted(models if group == NIGHT_ONE else models | ({STEADIEST} & spoke))


def mix_weights(scores: pl.DataFrame, names: Sequence[str], origin_day: date) -> tuple[dict[str, float], int]:
    """Weights that sum to 1, from nights on which all of ``names`` were scored.

    Parameters
    ----------
    scores : DataFrame
        target_day, origin_day, horizon, forecaster, crps_ms of one horizon group.

    Returns
    -------
    weights : dict
    nights : int
        Scored target nights they rest on; 0 gives equal weights.
    """
    own = scores.filter(pl.col("forecaster").is_in(list(names)))
    together = own.filter(pl.col("forecaster").n_unique().over("origin_day", "horizon") == len(names))
    if together.is_empty():
        return {name: 1 / len(names) for name in names}, 0
    age = (pl.lit(origin_day) - pl.col("target_day")).dt.total_days()
    weighted = together.with_columns(weight=pl.lit(0.5) ** (age / HALF_LIFE_DAYS))
    crps = weighted.group_by("forecaster").agg((pl.col("crps_ms") * pl.col("weight")).sum() / pl.col("weight").sum())
    mean_crps = np.maximum([dict(crps.iter_rows())[name] for name in names], 1e-6)
    merit = (mean_crps / mean_crps.mean()) ** -SHARPNESS
    nights = together["target_day"].n_unique()
    learned = nights / (nights + EQUAL_NIGHTS)
    weights = learned * merit / merit.sum() + (1 - learned) / len(names)
    return {name: round(float(w), 4) for name, w in zip(names, weights, strict=True)}, nights


def average(
    parts: Mapping[str, ForecastRow], weights: Mapping[str, float], name: str, number: str, reasons: dict
) -> ForecastRow:
    """Average the parts' quantiles level by level (Vincent averaging), weights scaled to those who spoke.

    The version ends in a digest of the parts' versions: a combination of other models is another forecaster.
    """
    share = np.array([weights[part] for part in parts])
    quantiles = np.array([row.quantiles_ms for row in parts.values()])
    averaged = np.maximum.accumulate(share / share.sum() @ quantiles)
    made_of = hashlib.sha256(canonical_json({part: row.version for part, row in parts.items()}).encode()).hexdigest()
    inputs = [[part, row.input_digest, list(row.quantiles_ms), weights[part]] for part, row in parts.items()]
    return replace(
        next(iter(parts.values())),
        forecaster=name, version=f"{number}.{made_of[:4]}", quantiles_ms=tuple(map(float, averaged)), reasons=reasons,
        input_digest=hashlib.sha256(canonical_json(inputs).encode()).hexdigest(),
    )  # fmt: skip
