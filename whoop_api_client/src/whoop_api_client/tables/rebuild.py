"""Make the tables ``cycles sleeps recoveries workouts days`` anew from the record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl
from filelock import FileLock

from hrv_shared.record import Fact
from hrv_shared.schemas import TABLES, empty, validate
from hrv_shared.store import Store
from whoop_api_client.tables.flat import flat_rows
from whoop_api_client.tables.revisions import KINDS, revisions_of
from whoop_api_client.tables.vintages import day_vintages, numbered

__all__ = ["OWN_TABLES", "derive", "rebuild"]

OWN_TABLES = ("cycles", "sleeps", "recoveries", "workouts", "days")


def rebuild(store: Store, member_id: str | None = None) -> dict[str, int]:
    """Derive the tables from the record and write them; the same record gives the same bytes.

    Parameters
    ----------
    member_id : str, optional
        Derive only this member's rows and keep the others' as they are; default: everybody's.

    Returns
    -------
    dict of str to int
        Rows per table, of the member or of everybody.
    """
    # one at a time, and the record read inside: a slow rebuild must not put an older table over a newer one
    with FileLock(store.home / "tables.lock"):
        frames = derive(store.record.facts(KINDS, member_id))
        for name, frame in frames.items():
            whole = frame
            if member_id is not None:
                whole = pl.concat([store.read_table(name).filter(pl.col("member_id") != member_id), frame])
            store.write_table(name, whole)
    return {name: frame.height for name, frame in frames.items()}


def derive(facts: Iterable[Fact]) -> dict[str, pl.DataFrame]:
    """Derive the tables from facts alone: no clock, no store, and the order of the facts does not matter.

    Returns
    -------
    dict of str to DataFrame
        Schemas of `hrv_shared.schemas`, sorted by their keys.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in OWN_TABLES}
    for member_id, revisions in revisions_of(facts).items():
        rows["days"] += day_vintages(member_id, revisions)
        for name, own in flat_rows(member_id, revisions).items():
            rows[name] += own
    frames = {name: _frame(name, own) for name, own in rows.items()}
    frames["days"] = numbered(frames["days"])
    return {name: validate(name, frame) for name, frame in frames.items()}


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    if not rows:
        return empty(name)
    columns = TABLES[name].columns
    return pl.DataFrame({c: [row.get(c) for row in rows] for c in columns}, schema=columns)
