"""Replay the last nights: what every forecaster, the mix and the final would have said, into the ledger's replay book.

Issues are walked oldest first, because the weights of a day rest on the scores of the days before it, as known then.
What the book holds for the same version is skipped, so that a run that was cut off carries on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from hrv_shared.constants import AGENT, HORIZONS, MODEL_COMBINATION, PRODUCT
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import Forecaster, find_forecasters
from hrv_shared.issue import Issue, past_issues
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store
from model_training import final, mix
from model_training.past_scores import ledger_frame, scored_by
from model_training.rolling import REFIT_DAYS, RollingOrigin

__all__ = ["replay"]


def replay(
    store: Store,
    before: Issue,
    *,
    nights: int,
    slot: str | None = None,
    forecasters: Mapping[str, type[Forecaster]] | None = None,
    advance: Callable[[float], None] = lambda _amount: None,
) -> dict[str, Any]:
    """Fill the replay book for the last ``nights`` origins before an issue.

    Returns
    -------
    dict
        nights, slot, first_origin, last_origin, written, already, refused (forecaster -> origins it would not speak on).
    """
    registered = find_forecasters() if forecasters is None else dict(forecasters)
    slot = slot or before.slot
    days = store.read_table("days")
    store.ledger.record_outcomes(days)
    issues = past_issues(store, before.member_id, nights=nights + REFIT_DAYS, slot=slot, before=before)
    rolling = RollingOrigin(days, store.read_table("journal_facts"), issues)
    book = _Book(store, before.member_id, slot)
    wanted = issues[-nights:]
    refused: dict[str, int] = {}
    written = already = 0
    for issue in wanted:
        rows, silent = _speak(rolling, registered, issue, book)
        for name in silent:
            refused[name] = refused.get(name, 0) + 1
        new = rows + _combined(rows, issue, book)
        if new:
            outcome = store.ledger.issue("replay", new)
            written, already = written + outcome.written, already + outcome.already
            book.add(new)
        already += book.held_rows(issue) - len(new)
        advance(1.0)
    return {
        "nights": len(wanted), "slot": slot,
        "first_origin": wanted[0].origin_day if wanted else None,
        "last_origin": wanted[-1].origin_day if wanted else None,
        "written": written, "already": already, "refused": refused,
    }  # fmt: skip


class _Book:
    """The ledger's rows of one member and slot, read once and kept up with what this run adds."""

    def __init__(self, store: Store, member_id: str, slot: str) -> None:
        self._store, self._member_id = store, member_id
        rows = store.ledger.forecasts(None, member_id, slot=slot)
        self._versions = _versions(rows.filter(pl.col("book") == "replay"))
        self._rows = rows.filter(pl.col("book") == "replay")
        self._frame = ledger_frame(rows)

    def holds(self, issue: Issue, name: str, version: str) -> bool:
        return self._versions.get((issue.origin_day, name, version), 0) == len(HORIZONS)

    def held_rows(self, issue: Issue) -> int:
        return sum(n for (day, _, _), n in self._versions.items() if day == issue.origin_day)

    def add(self, rows: list[ForecastRow]) -> None:
        for row in rows:
            key = (row.origin_day, row.forecaster, row.version)
            self._versions[key] = self._versions.get(key, 0) + 1
        self._frame = pl.concat([self._frame, ledger_frame(rows, "replay")])

    def scores(self, issue: Issue) -> pl.DataFrame:
        outcomes = self._store.ledger.outcomes(self._member_id, as_of=issue.as_of)
        return scored_by(self._frame, outcomes, issue.as_of)
