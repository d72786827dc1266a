"""mix: the models' quantiles averaged level by level and calibrated, both learned night by night from what came true.

Assumes      who forecast well in the last weeks goes on doing so; shares start at what did well for other people
             (``combination.SHARES``) and follow the CRPS, each horizon apart and as late as its nights come true.
Is not       a forecaster of its own: it sees the models' rows and the ledger, no data. The naive rules, which everybody
             is measured against, are not in it.
Refuses      when no model spoke: there is then no row.
Band         the average of the models' bands, its sides widened or narrowed until they hold what they say. The median
             is the models' alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from hrv_shared import past_scores, quantile_tracking
from hrv_shared.constants import (
    HORIZONS,
    MODEL_COMBINATION,
    NAIVE_FORECASTERS,
    NOT_MODELS,
    QUANTILE_LEVELS,
)
from hrv_shared.ledger import ForecastRow
from hrv_shared.record import canonical_json
from model_training.combination import combine
from model_training.forecasters.fingerprint import code_version
from model_training.rolling import JOURNAL_COUNTED, JOURNAL_SHIFT

__all__ = ["NOT_MIXED", "average", "mix_rows"]

NOT_MIXED = (*NOT_MODELS, *NAIVE_FORECASTERS, "weekday")
"""Rows that are made of other rows, and the rules that others are measured against."""
MEMORY_NIGHTS = 150
"""Origins that weights and calibration rest on; older ones have all but faded."""
NUMBER = code_version("2.0.0", __file__, "combination.py", past_scores.__file__, quantile_tracking.__file__)


def mix_rows(rows: Sequence[ForecastRow], past: pl.DataFrame) -> list[ForecastRow]:
    """Rows of ``mix`` for one issue; empty when no model spoke.

    Parameters
    ----------
    rows : sequence of ForecastRow
        What every forecaster said for this issue.
    past : DataFrame
        ``scored_by`` at the issue's as_of: what they said before and what came true.
    """
    now = {(row.forecaster, row.horizon): row for row in rows if row.forecaster not in NOT_MIXED}
    names = sorted({name for name, _ in now})
    if not names:
        return []
    members, outcomes = _arrays(now, names, past)
    combined = combine(members, outcomes)
    mixed = []
    for k, horizon in enumerate(HORIZONS):
        parts = {name: now[name, horizon] for name in names if (name, horizon) in now}
        if not parts:
            continue
        weights = {
            name: float(w) for name, w in zip(names, combined.weights[-1, k], strict=True) if name in parts
        }
        reasons = {
            "weights": {name: round(weight, 4) for name, weight in weights.items()},
            "scored_nights": int(combined.scored[-1, k]), "versions": {n: r.version for n, r in parts.items()},
        }  # fmt: skip
        moved = sum(
            weights[name] * (row.reasons or {}).get(JOURNAL_SHIFT, 0.0) for name, row in parts.items()
        )
        if moved:
            reasons[JOURNAL_SHIFT] = round(moved, 3)
            told = (row.reasons or {} for row in parts.values())
            reasons[JOURNAL_COUNTED] = sorted(
                {name for said in told for name in said.get(JOURNAL_COUNTED, ())}
            )
        made = _made_of(parts, weights, MODEL_COMBINATION, NUMBER, reasons)
        mixed.append(replace(made, quantiles_ms=tuple(map(float, combined.quantiles_ms[-1, k]))))
    return mixed


def average(
    parts: Mapping[str, ForecastRow], weights: Mapping[str, float], name: str, number: str, reasons: dict
) -> ForecastRow:
    """Average the parts' quantiles level by level (Vincent averaging), weights scaled to those who spoke."""
    share = np.array([weights[part] for part in parts])
    quantiles = np.array([row.quantiles_ms for row in parts.values()])
    averaged = np.maximum.accumulate(share / share.sum() @ quantiles)
    return replace(_made_of(parts, weights, name, number, reasons), quantiles_ms=tuple(map(float, averaged)))


def _made_of(
    parts: Mapping[str, ForecastRow], weights: Mapping[str, float], name: str, number: str, reasons: dict
) -> ForecastRow:
    """A row in the parts' place; its version ends in a digest of theirs: a combination of others is another one."""
    made_of = hashlib.sha256(
        canonical_json({part: row.version for part, row in parts.items()}).encode()
    ).hexdigest()
    inputs = [[part, row.input_digest, list(row.quantiles_ms), weights[part]] for part, row in parts.items()]
    return replace(
        next(iter(parts.values())), forecaster=name, version=f"{number}.{made_of[:4]}", reasons=reasons,
        input_digest=hashlib.sha256(canonical_json(inputs).encode()).hexdigest(),
    )  # fmt: skip


def _arrays(
    now: Mapping[tuple[str, int], ForecastRow], names: Sequence[str], past: pl.DataFrame
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Members [N, 7, 23] and outcomes [N] on the days up to the issue's origin, which is the last."""
    origin = next(iter(now.values())).origin_day
    own = past.filter(pl.col("forecaster").is_in(names))
    age = (pl.lit(origin) - pl.col("origin_day")).dt.total_days()
    own = own.with_columns(age=age).filter(pl.col("age") > 0, pl.col("age") <= MEMORY_NIGHTS)
    n = int(own["age"].max() or 0) + 1
    members = {name: np.full((n, len(HORIZONS), len(QUANTILE_LEVELS)), np.nan) for name in names}
    outcomes = np.full(n, np.nan)
    for name, age_days, horizon, quantiles, outcome in own.select(
        "forecaster", "age", "horizon", "quantiles_ms", "hrv_rmssd_ms"
    ).iter_rows():
        members[name][n - 1 - age_days, horizon - 1] = quantiles
        if horizon <= age_days:
            outcomes[n - 1 - age_days + horizon] = outcome
    for (name, horizon), row in now.items():
        members[name][-1, horizon - 1] = row.quantiles_ms
    return members, outcomes
