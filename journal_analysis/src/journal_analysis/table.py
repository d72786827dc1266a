"""The table ``journal_facts``: derived from the record, rebuilt whole."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from hrv_shared.schemas import TABLES
from journal_analysis.answers import AnswerReport, read_answers
from journal_analysis.entries import FACT

if TYPE_CHECKING:
    from hrv_shared.record import Fact
    from hrv_shared.store import Store

__all__ = ["rebuild"]

_COLUMNS = TABLES["journal_facts"].columns


def rebuild(store: Store) -> dict[str, AnswerReport]:
    """Make ``journal_facts`` anew from the record: every revision of every fact, told or answered.

    Returns
    -------
    dict
        Member -> what the export's answers gave.
    """
    rows: list[dict[str, Any]] = []
    reports = {}
    for member_id in store.record.members():
        rows += [_row(fact) for fact in store.record.facts(FACT, member_id)]
        answers, reports[member_id] = read_answers(store.record, member_id)
        rows += [{"member_id": member_id, **answer} for answer in answers]
    store.write_table("journal_facts", pl.DataFrame(rows, schema=_COLUMNS, orient="row"))
    return reports


def _row(fact: Fact) -> dict[str, Any]:
    payload = {name: value for name, value in fact.payload.items() if name in _COLUMNS}
    return {
        **payload,
        "member_id": fact.member_id,
        "fact_key": fact.key,
        "revision": fact.revision,
        "known_at": fact.known_at,
        "basis": fact.basis,
        "source": fact.source,
        "day": date.fromisoformat(fact.payload["day"]),
        "night": date.fromisoformat(fact.payload["night"]),
    }
