"""Places in the ledger, and scores that are computed anew from it."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import polars as pl

from data_intelligence.evidence import EvidenceBook
from data_intelligence.ledger_view import SHOWN_LEVELS, scores_as_of, skill_rows
from data_intelligence.segments import SPEAKERS_OF_A_MODEL, newest_segments, scored_rows
from hrv_shared.issue import Issue
from hrv_shared.store import Store

__all__ = ["ScoredPlaces"]


class ScoredPlaces:
    """Reads ledger rows and recomputes scores as of one issue; each kind of report is computed at most once."""

    HEADS: ClassVar[tuple[str, ...]] = ("scores", "week", "segments", "groups")

    def __init__(self, store: Store, issue: Issue, *, seed: int) -> None:
        self._store, self._issue, self._seed = store, issue, seed

    def ledger_row(self, book: str, n: int) -> dict[str, Any] | None:
        """One row of a book: who spoke, when, of what, the shown quantiles, its hash."""
        rows = self._ledger.filter(pl.col("book") == book, pl.col("n") == n)
        if rows.is_empty():
            return None
        row = rows.row(0, named=True)
        quantiles = {name: row["quantiles_ms"][at] for name, at in SHOWN_LEVELS.items()}
        names = (
            "forecaster",
            "version",
            "slot",
            "as_of",
            "issued_at",
            "origin_day",
            "target_day",
            "horizon",
            "hash",
        )
        return {**quantiles, **{name: row[name] for name in names}}

    def figures(self, place: str) -> dict[str, Any] | None:
        """The figures of a ``scores``, ``week``, ``segments`` or ``groups`` place, or None."""
        head, *rest = place.split("/")
        if head == "week":
            return self._week(*rest)
        table = {"scores": self._daily, "segments": self._segments, "groups": self._groups}[head]
        if head == "segments" and len(rest) == 5:
            found = next((row for key, row in table.items() if key.startswith(f"{place}/")), None)
            return found
        return table.get(place)

    @cached_property
    def _ledger(self) -> pl.DataFrame:
        return self._store.ledger.forecasts(member_id=self._issue.member_id)

    @cached_property
    def _daily(self) -> dict[str, dict[str, Any]]:
        book = EvidenceBook()
        rows = skill_rows(scores_as_of(self._store, self._issue), book, seed=self._seed)
        return self._by_place(rows, book)

    @cached_property
    def _segments(self) -> dict[str, dict[str, Any]]:
        return self._report[0]

    @cached_property
    def _groups(self) -> dict[str, dict[str, Any]]:
        return self._report[1]

    @cached_property
    def _report(self) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
        from data_intelligence.reliability.report import build_reliability

        report = build_reliability(self._store, self._issue, seed=self._seed).report
        held = report.evidence
        return (
            {held[row.evidence].where[0]: row.model_dump(exclude={"evidence"}) for row in report.rows},
            {held[row.evidence].where[0]: row.model_dump(exclude={"evidence"}) for row in report.groups},
        )

    def _week(self, book: str, slot: str, forecaster: str, horizon: str, span: str) -> dict[str, Any] | None:
        first, last = (pl.lit(day).str.to_date() for day in span.split(".."))
        scores = newest_segments(self._near(book, slot), SPEAKERS_OF_A_MODEL).filter(
            ~pl.col("void"), pl.col("horizon") == int(horizon[1:]), pl.col("forecaster") == forecaster
        )
        own = scores.filter(pl.col("target_day").is_between(first, last))
        if own.is_empty():
            return None
        return {"n": len(own), "crps_ms": own["crps_ms"].mean(), "mae_ms": own["abs_error_ms"].mean(),
                "in_80": int(own["in_80"].sum())}  # fmt: skip

    def _near(self, book: str, slot: str) -> pl.DataFrame:
        return self._everything.filter(pl.col("book") == book, pl.col("slot") == slot)

    @cached_property
    def _everything(self) -> pl.DataFrame:
        issue = self._issue
        return scored_rows(self._store, issue.member_id, issue.as_of, before=issue.origin_day)

    @staticmethod
    def _by_place(rows: tuple, book: EvidenceBook) -> dict[str, dict[str, Any]]:
        held = book.items()
        return {held[row.evidence].where[0]: row.model_dump(exclude={"evidence"}) for row in rows}
