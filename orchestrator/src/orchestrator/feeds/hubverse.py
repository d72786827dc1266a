"""The model-output format of the hubverse: one file a round and model, one row a task and quantile.

``model-output/<team>-<model>/<origin_date>-<team>-<model>.csv`` with the task columns ``origin_date``, ``target``,
``horizon`` (nights after it), ``location`` (the member's pseudonym), then ``output_type``, ``output_type_id``,
``value``.
A morning and an evening forecast of one day are two models.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from hrv_shared.store import write_bytes_atomic
from orchestrator.feeds.rows import long_rows

__all__ = ["COLUMNS", "TARGET", "model_id", "write_hubverse"]

COLUMNS = ("origin_date", "target", "horizon", "location", "output_type", "output_type_id", "value")
TARGET = "nightly hrv rmssd ms"
TEAM = "hrv"


def model_id(forecaster: str, slot: str) -> str:
    """Team and model, parted by the only hyphen."""
    return f"{TEAM}-{forecaster.replace('-', '_')}_{slot}"


def write_hubverse(rows: pl.DataFrame, folder: Path) -> list[Path]:
    """Write every round of every model under ``folder``; the files."""
    table = long_rows(rows).with_columns(
        pl.col("origin_day").alias("origin_date"), pl.lit(TARGET).alias("target"), pl.col("member").alias("location"),
        pl.lit("quantile").alias("output_type"), pl.col("level").alias("output_type_id"),
        pl.col("value_ms").round(3).alias("value"),
    )  # fmt: skip
    written = []
    for (day, slot, forecaster), part in sorted(
        table.partition_by("origin_day", "slot", "forecaster", as_dict=True).items()
    ):
        model = model_id(forecaster, slot)
        path = folder / "model-output" / model / f"{day.isoformat()}-{model}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(path, part.select(COLUMNS).write_csv().encode())
        written.append(path)
    return written
