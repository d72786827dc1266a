"""Ledger rows as they were issued, back as values."""

from __future__ import annotations

import json

import polars as pl

from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store

__all__ = ["as_rows", "issued_for", "newest"]


def issued_for(store: Store, issue: Issue) -> list[ForecastRow]:
    """Every row of exactly this issue's book, slot and origin, oldest first."""
    return as_rows(
        store.ledger.forecasts(issue.book, issue.member_id, slot=issue.slot, origin_day=issue.origin_day)
    )


def newest(rows: list[ForecastRow], *names: str) -> list[ForecastRow]:
    """The last row of each of these forecasters and each horizon."""
    last = {(row.forecaster, row.horizon): row for row in rows if row.forecaster in names}
    return list(last.values())


def as_rows(frame: pl.DataFrame) -> list[ForecastRow]:
    """Rows of ``ledger.forecasts`` as values, in their order."""
    return [
        ForecastRow(
            row["member_id"], row["slot"], row["as_of"], row["origin_day"], row["target_day"], row["horizon"],
            row["forecaster"], row["version"], tuple(row["quantiles_ms"]), row["input_digest"],
            None if row["reasons"] is None else json.loads(row["reasons"]),
        )
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip
