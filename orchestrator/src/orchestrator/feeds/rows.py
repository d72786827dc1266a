"""The forecasts to be written: rows of the ledger, with pseudonyms in place of members."""

from __future__ import annotations

from datetime import date

import polars as pl

from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.store import Store
from orchestrator.errors import ExportFailed
from orchestrator.feeds.pseudonym import pseudonym

__all__ = ["forecast_rows", "long_rows", "wide_rows"]


def forecast_rows(
    store: Store, salt: bytes, *, book: str, forecaster: str | None, member_id: str | None, since: date | None
) -> pl.DataFrame:
    """Rows of one book, oldest first: ``member`` is a pseudonym, ``quantiles_ms`` a list of 23.

    Raises
    ------
    ExportFailed
        There is none.
    """
    rows = store.ledger.forecasts(book, member_id, forecaster=forecaster, since=since)
    if rows.is_empty():
        raise ExportFailed(
            f"Expected forecasts in the {book} book{f' of {forecaster}' if forecaster else ''}, found none. "
            "Make one: hrv daily; see what is there: hrv ledger show"
        )
    names = {member: pseudonym(member, salt) for member in rows["member_id"].unique()}
    return rows.select(
        pl.col("member_id").replace_strict(names, return_dtype=pl.String).alias("member"),
        "book", "origin_day", "slot", "issued_at", "target_day", "horizon", "forecaster", "version", "quantiles_ms",
    ).sort("origin_day", "slot", "forecaster", "member", "horizon", maintain_order=True)  # fmt: skip


def wide_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """One line a forecast night: a column for each of the 23 levels, ``q0.5`` is the median, ms."""
    levels = [
        pl.col("quantiles_ms").list.get(i).alias(f"q{level:g}") for i, level in enumerate(QUANTILE_LEVELS)
    ]
    return rows.select(pl.exclude("quantiles_ms"), *levels)


def long_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """One line a quantile: ``level`` and ``value_ms`` in place of the list."""
    levels = pl.lit(list(QUANTILE_LEVELS), dtype=pl.List(pl.Float64)).alias("level")
    return rows.with_columns(levels).explode("level", "quantiles_ms").rename({"quantiles_ms": "value_ms"})
