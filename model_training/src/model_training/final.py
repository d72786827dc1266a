"""final: what the product stands by, ``mix`` corrected by the recalibrated agent as far as that has earned it.

Assumes      the agent's past corrections tell how good its next one is.
Is not       generous: a fifth of a correction that code has checked at the start, nothing where nothing was corrected,
             later what the scores earned; and never more than a harm of 1 % over 200 nights allows (``agent_weight``).
             The raw agent, the rules and the wearer's guess are not in it.
Refuses      without a row of ``mix``. Without a row of the recalibrated agent it is the mix, and says so.
Band         the weighted average of both bands, level by level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from hrv_shared import past_scores, quantile_tracking
from hrv_shared.constants import AGENT_CALIBRATED, HORIZONS, MODEL_COMBINATION, PRODUCT, QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from model_training.agent_weight import Voices, agent_weights
from model_training.forecasters.fingerprint import code_version
from model_training.mix import average

__all__ = ["final_rows"]

NUMBER = code_version(
    "2.0.0", __file__, "agent_weight.py", "mix.py", past_scores.__file__, quantile_tracking.__file__
)
SILENT = "The agent issued no forecast for this night; this is the mix."
STILL = "The agent moved nothing that rests on a checked lever; this is the mix."


def final_rows(rows: Sequence[ForecastRow], scores: pl.DataFrame) -> list[ForecastRow]:
    """Rows of ``final`` for one issue; empty when there is no mix.

    Parameters
    ----------
    rows : sequence of ForecastRow
        Those of ``mix`` and, if it spoke, of ``agent_calibrated``, for this issue.
    scores : DataFrame
        ``scored_by`` at the issue's as_of.
    """
    mix = {row.horizon: row for row in rows if row.forecaster == MODEL_COMBINATION}
    agent = {row.horizon: row for row in rows if row.forecaster == AGENT_CALIBRATED}
    if not mix:
        return []
    found = agent_weights(_voices(mix, agent, scores)) if agent else None
    final = []
    for horizon, row in sorted(mix.items()):
        if horizon not in agent or found is None:
            final.append(_alone(row, {"note": SILENT}))
            continue
        k = horizon - 1
        told = agent[horizon].reasons or {}
        record = {
            "weight": round(float(found.weights[-1, k]), 4), "earned": round(float(found.earned[-1, k]), 4),
            "event_night": bool(found.event[-1, k]), "scored_nights": int(found.scored[-1, k]),
            "gain_nights": round(float(found.gain_nights[-1, k]), 3), "segment": told.get("segment", ""),
            "held_back": bool(found.weights[-1, k] < found.earned[-1, k]),
        }  # fmt: skip
        if not found.weights[-1, k] > 0:
            note = {} if found.earned[-1, k] > 0 else {"note": STILL}
            final.append(_alone(row, {"agent": record, **note}))
            continue
        weight = record["weight"]
        weights = {MODEL_COMBINATION: 1 - weight, AGENT_CALIBRATED: weight}
        parts = {MODEL_COMBINATION: row, AGENT_CALIBRATED: agent[horizon]}
        final.append(average(parts, weights, PRODUCT, NUMBER, {"weights": weights, "agent": record}))
    return final


def _alone(row: ForecastRow, reasons: dict[str, Any]) -> ForecastRow:
    weights = {MODEL_COMBINATION: 1.0}
    return average({MODEL_COMBINATION: row}, weights, PRODUCT, NUMBER, {"weights": weights, **reasons})


def _voices(mix: Mapping[int, ForecastRow], agent: Mapping[int, ForecastRow], scores: pl.DataFrame) -> Voices:
    """Both on the days up to the issue's origin."""
    origin: date = next(iter(mix.values())).origin_day
    age = (pl.lit(origin) - pl.col("origin_day")).dt.total_days().alias("age")
    wanted = pl.col("forecaster").is_in([MODEL_COMBINATION, AGENT_CALIBRATED])
    first = scores.filter(pl.col("forecaster") == AGENT_CALIBRATED)["origin_day"].min()
    past = scores.filter(wanted, pl.col("origin_day") >= (origin if first is None else first))
    past = past.select(age, "horizon", "forecaster", "quantiles_ms", "hrv_rmssd_ms", *_TOLD).filter(
        pl.col("age") > 0
    )
    n = int(past["age"].max() or 0) + 1
    shape = (n, len(HORIZONS), len(QUANTILE_LEVELS))
    said = {name: np.full(shape, np.nan) for name in (MODEL_COMBINATION, AGENT_CALIBRATED)}
    outcomes, counts, segments = np.full(n, np.nan), np.zeros(shape[:2], dtype=bool), [""] * n
    for days, horizon, name, quantiles, outcome, segment, moved, levers in past.iter_rows():
        i = n - 1 - days
        said[name][i, horizon - 1] = quantiles
        if horizon <= days:
            outcomes[i + horizon] = outcome
        if name == AGENT_CALIBRATED:
            counts[i, horizon - 1] = moved == "true" and levers not in (None, "[]")
            segments[i] = segment or "none"
    for name, rows in ((MODEL_COMBINATION, mix), (AGENT_CALIBRATED, agent)):
        for horizon, row in rows.items():
            said[name][-1, horizon - 1] = row.quantiles_ms
    for horizon, row in agent.items():
        told = row.reasons or {}
        counts[-1, horizon - 1] = bool(told.get("moved") and told.get("levers"))
        segments[-1] = told.get("segment") or "none"
    return Voices(said[MODEL_COMBINATION], said[AGENT_CALIBRATED], outcomes, counts, segments)


_TOLD = tuple(
    pl.col("reasons").str.json_path_match(f"$.{field}").alias(field)
    for field in ("segment", "moved", "levers")
)
