"""final: what the product stands by, ``mix`` corrected by the agent as far as the agent has earned it.

Assumes      the agent's past corrections tell how good its next one is.
Is not       generous: the agent weighs nothing before 14 scored nights of its own, nothing while its CRPS on those
             nights is not below the mix's, and never more than a half.
Refuses      without a row of ``mix``. Without a row of the agent it is the mix, and says so.
Band         the weighted average of both bands, level by level.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from hrv_shared.constants import AGENT, MODEL_COMBINATION, PRODUCT
from hrv_shared.ledger import ForecastRow
from model_training.forecasters.fingerprint import code_version
from model_training.mix import average

__all__ = ["agent_weight", "final_rows"]

LEAST_NIGHTS = 14
FULL_NIGHTS = 60
FULL_SKILL = 0.05
"""CRPS of the agent so much below the mix's earns the most weight, given the nights."""
MOST_WEIGHT = 0.5
NUMBER = code_version("1.0.0", __file__, "mix.py")


def final_rows(rows: Sequence[ForecastRow], scores: pl.DataFrame) -> list[ForecastRow]:
    """Rows of ``final`` for one issue; empty when there is no mix.

    Parameters
    ----------
    rows : sequence of ForecastRow
        Those of ``mix`` and, if it spoke, of ``agent``, for this issue.
    scores : DataFrame
        ``scored_by`` at the issue's as_of.
    """
    mix = {row.horizon: row for row in rows if row.forecaster == MODEL_COMBINATION}
    agent = {row.horizon: row for row in rows if row.forecaster == AGENT}
    weight, record = agent_weight(scores)
    final = []
    for horizon, row in sorted(mix.items()):
        parts = {MODEL_COMBINATION: row}
        weights = {MODEL_COMBINATION: 1.0}
        reasons = {"agent": record}
        if horizon not in agent:
            reasons["note"] = "The agent issued no forecast for this night; this is the mix."
        else:
            parts[AGENT] = agent[horizon]
            weights = {MODEL_COMBINATION: 1 - weight, AGENT: weight}
        final.append(average(parts, weights, PRODUCT, NUMBER, {"weights": weights, **reasons}))
    return final


def agent_weight(scores: pl.DataFrame) -> tuple[float, dict]:
    """The agent's weight in 0 … 0.5, and the record that it rests on."""
    pair = [AGENT, MODEL_COMBINATION]
    both = scores.filter(pl.col("forecaster").is_in(pair)).filter(
        pl.col("forecaster").n_unique().over("origin_day", "horizon") == 2
    )
    if both.is_empty():
        return 0.0, {"scored_nights": 0}
    nights = both["target_day"].n_unique()
    crps = dict(both.group_by("forecaster").agg(pl.col("crps_ms").mean()).iter_rows())
    skill = 1 - crps[AGENT] / max(crps[MODEL_COMBINATION], 1e-9)
    record = {"scored_nights": nights, "skill_vs_mix": round(skill, 4)}
    if nights < LEAST_NIGHTS or skill <= 0:
        return 0.0, record
    trust = min(1.0, (nights - LEAST_NIGHTS + 1) / (FULL_NIGHTS - LEAST_NIGHTS + 1))
    return round(MOST_WEIGHT * trust * min(1.0, skill / FULL_SKILL), 4), record
