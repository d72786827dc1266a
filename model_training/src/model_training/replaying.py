"""Replay the last nights: what every forecaster, the mix and the final would have said, into the ledger's replay book.

Issues are walked oldest first, because the weights of a day rest on the scores of the days before it, as known then.
What the book holds for the same version is not computed again, so that a run that was cut off carries on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from hrv_shared.constants import AGENT_CALIBRATED, HORIZONS
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import Forecaster, find_forecasters
from hrv_shared.history import History
from hrv_shared.issue import Issue, past_issues
from hrv_shared.ledger import ForecastRow
from hrv_shared.past_scores import ledger_frame, scored_by
from hrv_shared.store import Store
from model_training.final import final_rows
from model_training.issued import as_rows, newest
from model_training.mix import mix_rows
from model_training.rolling import REFIT_DAYS, RollingOrigin

__all__ = ["replay"]


def replay(
    store: Store,
    before: Issue,
    *,
    nights: int,
    slot: str | None = None,
    between: tuple[date, date] | None = None,
    forecasters: Mapping[str, type[Forecaster]] | None = None,
    advance: Callable[[float], None] = lambda _amount: None,
) -> dict[str, Any]:
    """Fill the replay book for the last ``nights`` origins before an issue, or for the wake days ``between`` two.

    Returns
    -------
    dict
        nights, slot, first_origin, last_origin, written, already, refused (forecaster -> code -> origins).
    """
    registered = find_forecasters() if forecasters is None else dict(forecasters)
    slot = slot or before.slot
    days = store.read_table("days")
    store.ledger.record_outcomes(days)
    span = nights if between is None else (before.origin_day - between[0]).days
    issues = past_issues(store, before.member_id, nights=max(span, 1) + REFIT_DAYS, slot=slot, before=before)
    rolling = RollingOrigin(days, store.read_table("journal_facts"), issues)
    book = _Book(store, before.member_id, slot)
    wanted = issues[-nights:]
    if between is not None:
        wanted = [issue for issue in issues if between[0] <= issue.origin_day <= between[1]]
    written = already = 0
    refused: dict[str, dict[str, int]] = {}
    for issue in wanted:
        rows = _speak(rolling, registered, issue, book, refused)
        scores = book.scores_known_at(issue)
        mixed = mix_rows(rows, scores)
        rows += mixed + final_rows([*mixed, *book.agent(issue)], scores)
        new = [row for row in rows if not book.holds(row)]
        if new:
            store.ledger.issue("replay", new)
            book.add(new)
        written, already = written + len(new), already + len(rows) - len(new)
        advance(1.0)
    return {
        "nights": len(wanted), "slot": slot,
        "first_origin": wanted[0].origin_day if wanted else None,
        "last_origin": wanted[-1].origin_day if wanted else None,
        "written": written, "already": already, "refused": refused,
    }  # fmt: skip


def _speak(
    rolling: RollingOrigin,
    registered: Mapping[str, type[Forecaster]],
    issue: Issue,
    book: _Book,
    refused: dict[str, dict[str, int]],
) -> list[ForecastRow]:
    """What every forecaster says, or has said, for one issue."""
    rows: list[ForecastRow] = []
    history: History | None = None
    for name, forecaster in registered.items():
        held = book.said(issue.origin_day, name, forecaster.version)
        if len(held) == len(HORIZONS):
            rows += held
            continue
        history = history or rolling.history(issue)
        try:
            rows += rolling.forecast(forecaster, issue, history)
        except Refusal as refusal:
            count = refused.setdefault(name, {})
            count[refusal.code] = count.get(refusal.code, 0) + 1
        except Exception as error:  # a forecaster may be anybody's; its fault must not silence the others
            count = refused.setdefault(name, {})
            count[type(error).__name__] = count.get(type(error).__name__, 0) + 1
    return rows


class _Book:
    """The ledger's rows of one member and slot, read once and kept up with what this run adds."""

    def __init__(self, store: Store, member_id: str, slot: str) -> None:
        self._store, self._member_id = store, member_id
        rows = store.ledger.forecasts(None, member_id, slot=slot)
        self._frame = ledger_frame(rows)
        self._replayed: dict[tuple[date, str, str], list[ForecastRow]] = {}
        self._index(as_rows(rows.filter(pl.col("book") == "replay")))

    def said(self, origin_day: date, name: str, version: str) -> list[ForecastRow]:
        """Replayed rows of one forecaster and version for one origin."""
        return self._replayed.get((origin_day, name, version), [])

    def agent(self, issue: Issue) -> list[ForecastRow]:
        """The recalibrated agent's newest replayed rows for the issue's origin, if it was ever replayed there."""
        keys = (key for key in self._replayed if key[0] == issue.origin_day and key[1] == AGENT_CALIBRATED)
        return newest([row for key in keys for row in self._replayed[key]], AGENT_CALIBRATED)

    def holds(self, row: ForecastRow) -> bool:
        """Whether the same version has said something for this night."""
        return any(r.horizon == row.horizon for r in self.said(row.origin_day, row.forecaster, row.version))

    def add(self, rows: list[ForecastRow]) -> None:
        """Take in what was just issued."""
        self._index(rows)
        self._frame = pl.concat([self._frame, ledger_frame(rows, "replay")])

    def scores_known_at(self, issue: Issue) -> pl.DataFrame:
        """Scores of both books whose outcome was known at the issue."""
        outcomes = self._store.ledger.outcomes(self._member_id, as_of=issue.as_of)
        return scored_by(self._frame, outcomes, issue.as_of)

    def _index(self, rows: list[ForecastRow]) -> None:
        for row in rows:
            self._replayed.setdefault((row.origin_day, row.forecaster, row.version), []).append(row)
