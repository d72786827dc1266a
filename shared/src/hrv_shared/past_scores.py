"""How good each forecaster had been by an instant: ledger rows whose outcome was known by then, and no others."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hrv_shared.constants import AGENT, AGENT_CALIBRATED
from hrv_shared.ledger import ForecastRow
from hrv_shared.record import canonical_json
from hrv_shared.scoring import crps_from_quantiles

if TYPE_CHECKING:
    from hrv_shared.issue import Issue
    from hrv_shared.store import Store

__all__ = ["known_scores", "ledger_frame", "scored_by"]

_COLUMNS = {
    "book": pl.String, "slot": pl.String, "as_of": pl.Datetime("us", "UTC"), "origin_day": pl.Date,
    "target_day": pl.Date, "horizon": pl.Int32, "forecaster": pl.String, "quantiles_ms": pl.List(pl.Float64),
    "reasons": pl.String,
}  # fmt: skip
_REASONS_OF = (AGENT, AGENT_CALIBRATED)
"""Whose reasons its own learning needs; those of the others are long, and left out."""


def known_scores(store: Store, issue: Issue) -> pl.DataFrame:
    """Scores of both books known at the issue's as_of, of the same slot."""
    rows = ledger_frame(store.ledger.forecasts(None, issue.member_id, slot=issue.slot))
    return scored_by(rows, store.ledger.outcomes(issue.member_id, as_of=issue.as_of), issue.as_of)


def ledger_frame(rows: pl.DataFrame | list[ForecastRow], book: str | None = None) -> pl.DataFrame:
    """The columns of ledger rows that scores need, from the ledger's own frame or from rows about to be issued."""
    if isinstance(rows, pl.DataFrame):
        told = pl.when(pl.col("forecaster").is_in(_REASONS_OF)).then("reasons").alias("reasons")
        return rows.with_columns(told).select(list(_COLUMNS)).cast(_COLUMNS)
    values = [
        (
            book, r.slot, r.as_of, r.origin_day, r.target_day, r.horizon, r.forecaster, list(r.quantiles_ms),
            canonical_json(r.reasons) if r.reasons is not None and r.forecaster in _REASONS_OF else None,
        )
        for r in rows
    ]  # fmt: skip
    return pl.DataFrame(values, schema=_COLUMNS, orient="row")


def scored_by(forecasts: pl.DataFrame, outcomes: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Score the rows whose outcome was known at an instant.

    Parameters
    ----------
    forecasts : DataFrame
        As ``ledger_frame`` gives it, one member and slot, in ledger order; a live row counts before a replayed one, a
        later replay before an earlier one.
    outcomes : DataFrame
        ``ledger.outcomes(member, as_of)``.
    as_of : datetime
        Rows of later forecasts and outcomes learned later are left out.

    Returns
    -------
    DataFrame
        origin_day, target_day, horizon, forecaster, quantiles_ms, reasons (of the agent's rows only), hrv_rmssd_ms,
        crps_ms.
    """
    known = outcomes.filter(pl.col("known_at") <= as_of).select(
        pl.col("day").alias("target_day"), "hrv_rmssd_ms", "night_began_at"
    )
    rows = (
        forecasts.filter(pl.col("as_of") <= as_of)
        .with_columns(live=pl.col("book") == "live")
        .sort("live", maintain_order=True)
        .unique(["origin_day", "horizon", "forecaster"], keep="last", maintain_order=True)
        .join(known, on="target_day")
        .filter((pl.col("as_of") <= pl.col("night_began_at")).fill_null(True))
    )
    if rows.is_empty():
        crps_ms = pl.Series("crps_ms", [], dtype=pl.Float64)
    else:
        quantiles = np.array(rows["quantiles_ms"].to_list())
        crps_ms = pl.Series("crps_ms", crps_from_quantiles(quantiles, rows["hrv_rmssd_ms"].to_numpy()))
    return rows.with_columns(crps_ms).select(
        "origin_day",
        "target_day",
        "horizon",
        "forecaster",
        "quantiles_ms",
        "reasons",
        "hrv_rmssd_ms",
        "crps_ms",
    )
