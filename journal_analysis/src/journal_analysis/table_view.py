"""The journal's tables as known at an instant, for people and programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from journal_analysis.day_states import HALF_LIFE_NIGHTS, MEMORY_DAYS, TRACKED_DAYS

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["as_of_days", "as_of_weeks", "show_table", "table_text"]


def as_of_days(frame: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The vintage of ``journal_days`` in force at ``as_of``: one row a member, day and behaviour."""
    return _in_force(frame, as_of, "day")


def as_of_weeks(frame: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The vintage of ``journal_weeks`` in force at ``as_of``: one row a member, week and behaviour."""
    return _in_force(frame, as_of, "week")


def show_table(
    store: Store, member_id: str, *, weekly: bool = False, last: int = 7, as_of: datetime | None = None,
    behaviour: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The last days (or weeks) of the journal, newest first, as known now or at ``as_of``."""
    at = as_of or store.clock()
    name, period = ("journal_weeks", "week") if weekly else ("journal_days", "day")
    frame = _in_force(store.read_table(name).filter(pl.col("member_id") == member_id), at, period)
    if behaviour is not None:
        frame = frame.filter(pl.col("behaviour") == behaviour)
    newest = frame[period].unique().sort(descending=True).head(max(last, 0))
    rows = frame.filter(pl.col(period).is_in(newest.implode())).sort(
        [period, "behaviour"], descending=[True, False]
    )
    rules = {
        "tracked_days": TRACKED_DAYS,
        "memory_days": MEMORY_DAYS,
        "half_life_nights": HALF_LIFE_NIGHTS,
    }
    return {"table": name, "as_of": at, "rules": rules, "rows": rows.drop("member_id").to_dicts()}


def table_text(shown: dict[str, Any]) -> str:
    """The same in words: a heading for each day or week, a line for each behaviour."""
    weekly = shown["table"] == "journal_weeks"
    lines: list[str] = []
    heading = ""
    for row in shown["rows"]:
        said = f"week of {row['week']}" if weekly else f"{row['day']}, acts on the night to {row['night']}"
        if said != heading:
            heading = said
            lines.append(said)
        lines.append(_week_line(row) if weekly else _day_line(row))
    return "\n".join(lines) or 'Nothing is told yet. Add a note: hrv journal add --text "…"'


def _day_line(row: dict[str, Any]) -> str:
    said = row["clock_time"] or row["state"]
    if row["amount"] is not None:
        said += f", {row['amount']:g} {row['unit']}".rstrip()
    said += " (planned)" if row["is_plan"] else ""
    said += f" [{row['told_by']}]" if row["told_by"] else ""
    since = row["nights_since_yes"]
    carried = f"; last yes {since} night{'s' if since != 1 else ''} before" if since is not None else ""
    if row["amount_remembered"]:
        carried += f", remembered {row['amount_remembered']:.2g} {row['unit']}".rstrip()
    return f"  {row['behaviour']:24} {said}{carried}"


def _week_line(row: dict[str, Any]) -> str:
    said = f"{row['yes_days']} yes, {row['no_days']} no, {row['unknown_days']} unknown"
    said += f", {row['plan_days']} planned" if row["plan_days"] else ""
    if row["amount_days"]:
        said += f"; {row['amount_total']:g} {row['unit']}".rstrip() + f" on {row['amount_days']} days"
    return f"  {row['behaviour']:24} {said}"


def _in_force(frame: pl.DataFrame, as_of: datetime, period: str) -> pl.DataFrame:
    key = ["member_id", period, "behaviour"]
    known = frame.filter(pl.col("known_at") <= as_of).sort(*key, "known_at")
    return known.unique(key, keep="last", maintain_order=True)
