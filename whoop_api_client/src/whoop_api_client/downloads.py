"""Tables as files to take away: Parquet as it lies there, CSV that a spreadsheet can open safely."""

from __future__ import annotations

import io

import polars as pl

from hrv_shared.store import Store

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def table_as_csv(store: Store, name: str) -> bytes:
    """CSV in UTF-8; lists are joined with ``;``, times are ISO 8601 in UTC.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    frame = store.read_table(name)
    columns = [_plain(column, dtype) for column, dtype in frame.schema.items()]
    return frame.select(columns).write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode()


def table_as_parquet(store: Store, name: str) -> bytes:
    """The table's Parquet bytes (an empty table when it was never built)."""
    path = store.table_path(name)
    if path.exists():
        return path.read_bytes()
    buffer = io.BytesIO()
    store.read_table(name).write_parquet(buffer)
    return buffer.getvalue()


def _plain(column: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    if isinstance(dtype, pl.List):
        value = value.cast(pl.List(pl.String)).list.join(";")
    elif dtype != pl.String:
        return value
    starts_formula = pl.any_horizontal(value.str.starts_with(start) for start in FORMULA_STARTS)
    return pl.when(starts_formula).then(pl.lit("'") + value).otherwise(value).alias(column)
