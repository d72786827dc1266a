"""Scored ledger rows and the segment that each belongs to: a changed model or prompt is another forecaster.

A segment is what the agent's rows name in ``reasons.segment`` (prompt, model, sampling); for everybody else it is the
version of the code. A combination's version ends in a digest of whoever spoke that night, which is not part of it.
"""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from hrv_shared.constants import AGENT, AGENT_CALIBRATED
from hrv_shared.scoring import score_rows
from hrv_shared.store import Store

__all__ = ["SPEAKERS_OF_A_MODEL", "newest_segments", "scored_rows"]

SPEAKERS_OF_A_MODEL = (AGENT, AGENT_CALIBRATED)
"""Forecasters whose scores are never pooled over segments."""

_WHO_SPOKE = r"(\+[0-9a-f]{8})\.[0-9a-f]{4}$"
_SPOKEN_ONCE = ["book", "slot", "origin_day", "horizon", "forecaster"]


def scored_rows(
    store: Store,
    member_id: str,
    as_of: datetime,
    *,
    book: str | None = None,
    slot: str | None = None,
    before: date | None = None,
    since: date | None = None,
) -> pl.DataFrame:
    """Scores of what had been said and had come true by ``as_of``, from the ledger alone.

    Parameters
    ----------
    before, since : date, optional
        Origin days strictly before, and from.

    Returns
    -------
    DataFrame
        Schema ``scores`` and ``segment``, ``hash``; the newest word of each forecaster on each night. Void rows are
        in it, marked.
    """
    rows = store.ledger.forecasts(book, member_id, slot=slot, since=since).filter(pl.col("as_of") <= as_of)
    if before is not None:
        rows = rows.filter(pl.col("origin_day") < before)
    named = pl.col("reasons").str.json_path_match("$.segment")
    rows = rows.sort("book", "n").unique(_SPOKEN_ONCE, keep="last", maintain_order=True)
    segments = rows.select(
        "book",
        "n",
        "hash",
        segment=pl.coalesce(named, pl.col("version").str.replace(_WHO_SPOKE, "$1")),
    )
    scores = score_rows(rows, store.ledger.outcomes(member_id, as_of))
    return scores.join(segments, on=["book", "n"], how="left")


def newest_segments(scores: pl.DataFrame, forecasters: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Without the rows of earlier segments; ``forecasters`` names whose (default: everybody's)."""
    last = pl.col("segment") == pl.col("segment").sort_by("n").last().over("book", "slot", "forecaster")
    if forecasters is not None:
        last = last | ~pl.col("forecaster").is_in(forecasters)
    return scores.filter(last)
