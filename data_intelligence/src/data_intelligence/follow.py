"""Following an evidence id to what it rests on: the cell, the ledger row, the scores or the fit, read or computed anew.

Everything is read as of the report's own issue, so an id of an old report leads to what was known then. What is not
there any more, or was changed, is said (``found`` is false); nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from data_intelligence.follow_scores import ScoredPlaces
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue
from hrv_shared.store import Store

__all__ = ["Followed", "Follower", "issue_of"]

_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True)
class Followed:
    """What stands at a place: ``values`` by name (days of a span, fields of a row, figures of a fit)."""

    place: str
    found: bool
    values: dict[str, Any]
    words: str


class Follower:
    """Follows the places of one report."""

    def __init__(self, store: Store, issue: Issue, *, seed: int = 0) -> None:
        self._store, self._issue, self._seed = store, issue, seed
        self._scored = ScoredPlaces(store, issue, seed=seed)
        self._ways: dict[str, Callable[[list[str], str], Followed]] = {
            "days": self._days,
            "outcomes": self._outcomes,
            "journal_facts": self._journal,
            "ledger": self._ledger,
            "fit": self._fit,
            "record": self._record,
            "report": self._report,
            **dict.fromkeys(ScoredPlaces.HEADS, self._scores),
        }

    def follow(self, place: str) -> Followed:
        """Read one place, such as ``days/2026-06-30/hrv_rmssd_ms``."""
        head, *rest = place.split("/")
        if head not in self._ways:
            return Followed(place, False, {}, "this is no place that the program knows")
        return self._ways[head](rest, place)

    @cached_property
    def history(self) -> History:
        """The as-of view of the issue."""
        issue = self._issue
        return load_history(self._store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)

    @cached_property
    def _fits(self) -> dict[str, dict[str, Any]]:
        """Every fit of the issue made anew: place -> behaviour -> its figures; ``tonight …`` at tonight's dose."""
        from data_intelligence.daily import summarise_day

        summary = summarise_day(self._store, self._issue, seed=self._seed).summary
        named = [(row.behaviour, row) for row in summary.effects]
        named += [(f"tonight {row.behaviour}", row) for row in summary.matched_effects]
        fits: dict[str, dict[str, Any]] = {}
        for name, row in named:
            place = summary.evidence[row.evidence].where[0]
            fits.setdefault(place, {})[name] = row.model_dump(exclude={"evidence", "fact_evidence"})
        return fits

    def _days(self, rest: list[str], place: str) -> Followed:
        span, column = rest[0], rest[-1]
        days = self.history.days
        if column not in days.columns:
            return Followed(place, False, {}, f"the table days has no column {column!r}")
        chosen = days.filter(pl.col("day").is_between(*_ends(span))).select("day", column)
        values = {str(day): value for day, value in chosen.iter_rows()}
        if not values and not _SPAN.match(span):
            # a day without a row is itself what was known: the night is missing
            return Followed(place, True, {span: None}, "no row of this day was known: the night is missing")
        return Followed(place, True, values, _statistics(list(values.values()), column))

    def _outcomes(self, rest: list[str], place: str) -> Followed:
        first, last = _ends(rest[0])
        rows = self._store.ledger.outcomes(self._issue.member_id, self._issue.as_of)
        chosen = rows.filter(pl.col("day").is_between(first, last))
        values = {str(day): value for day, value in chosen.select("day", "hrv_rmssd_ms").iter_rows()}
        found = bool(values) or first != last
        return Followed(place, found, values, _statistics(list(values.values()), "hrv_rmssd_ms"))

    def _journal(self, rest: list[str], place: str) -> Followed:
        rows = self.history.journal.filter(pl.col("fact_key") == "/".join(rest))
        if rows.is_empty():
            return Followed(place, False, {}, "no such fact was in force then")
        row = rows.row(0, named=True)
        names = (
            "behaviour",
            "kind",
            "amount",
            "unit",
            "clock_time",
            "is_plan",
            "night",
            "quote",
            "status",
            "confidence",
        )
        return Followed(place, True, {name: row[name] for name in names}, f"told at {row['known_at']}")

    def _ledger(self, rest: list[str], place: str) -> Followed:
        row = self._scored.ledger_row(rest[0], int(rest[1]))
        if row is None:
            return Followed(place, False, {}, "the ledger has no such row")
        same = row.pop("hash") == rest[2]
        words = (
            "the row is the one that was cited"
            if same
            else "the row's hash is another one: run hrv ledger verify"
        )
        return Followed(place, same, row, words)

    def _scores(self, rest: list[str], place: str) -> Followed:
        values = self._scored.figures(place)
        words = "computed anew from the ledger" if values else "the ledger as of then gives no such scores"
        return Followed(place, bool(values), values or {}, words)

    def _fit(self, _rest: list[str], place: str) -> Followed:
        rows = self._fits.get(place)
        if rows is None:
            return Followed(place, False, {}, "a fit of today's tables and code has another digest")
        return Followed(place, True, rows, "fitted anew, same digest")

    def _record(self, rest: list[str], place: str) -> Followed:
        kind, key = rest[0], "/".join(rest[1:])
        # a replay's own words enter the record after the moment that it replays
        member = self._issue.member_id
        by_then = self._store.record.latest(kind, member, self._issue.as_of).get(key)
        fact = by_then or self._store.record.latest(kind, member).get(key)
        if fact is None:
            return Followed(place, False, {}, "the record holds no such fact")
        return Followed(
            place, True, dict(fact.payload), f"revision {fact.revision}, known at {fact.known_at}"
        )

    def _report(self, rest: list[str], place: str) -> Followed:
        from data_intelligence.report_files import read_report

        period, name, *path = rest
        found: Any = read_report(self._store, period, name)
        for step in path:
            if isinstance(found, list):
                found = next((item for item in found if item.get("name") == step), None)
            else:
                found = None if found is None else found.get(step)
        if not isinstance(found, dict):
            return Followed(place, False, {}, "the report holds no such part")
        return Followed(place, True, found, f"from the {period} report {name}")


def _ends(span: str) -> tuple[date, date]:
    match = _SPAN.fullmatch(span)
    first, last = (match[1], match[2]) if match else (span, span)
    return date.fromisoformat(first), date.fromisoformat(last)


def _statistics(values: list[Any], column: str) -> str:
    known = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(known) < 2:
        return column
    spread = float(np.std(known, ddof=1))
    return f"{column}: n={len(known)}, mean {np.mean(known):.3f}, sd {spread:.3f}, {min(known):.3f} … {max(known):.3f}"


def issue_of(block: dict[str, Any]) -> Issue:
    """The issue that a report says it serves."""
    return Issue(
        member_id=block["member_id"], book=block["book"], slot=block["slot"],
        as_of=datetime.fromisoformat(block["as_of"]), origin_day=date.fromisoformat(block["origin_day"]),
        utc_offset_min=block["utc_offset_min"], note=block["note"],
    )  # fmt: skip
