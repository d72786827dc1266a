"""What became known of a night only after its forecast had been issued: suspected causes of a miss, never inputs.

Told too late or told otherwise (the journal), a sleep onset far from usual, a short night, and the signs of an illness
in that very night. Each with the way in which it usually moves HRV, so that a miss is laid only at the door of what
could have made it. Answers that the score itself colours (``COLOURED``) are no causes; private matters are left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.constants import RMSSD_PLAUSIBLE_MS
from hrv_shared.history import as_of_days
from hrv_shared.issue import Issue
from hrv_shared.ontology import behaviours

__all__ = ["LateFact", "learned_later"]

COLOURED = frozenset({"felt_recovered", "energy", "mood", "motivation"})
USUAL_NIGHTS, LEAST_NIGHTS = 28, 14
UNUSUAL = 2.0
"""SDs off the usual at which a sign counts."""
LATE_H, SHORT_H = 1.5, 1.5
SIGNS = (
    ("resting_hr_bpm", "resting heart rate", "bpm", 1.0),
    ("resp_rate_rpm", "breathing rate", "a minute", 0.25),
    ("skin_temp_c", "skin temperature", "°C", 0.2),
)
"""Measured together with the night's HRV: column, words, unit, least SD."""


@dataclass(frozen=True)
class LateFact:
    """One thing learned later.

    Attributes
    ----------
    kind : str
        ``late_journal``, ``revised_journal``, ``late_sleep``, ``short_sleep`` or ``sign``.
    name : str
        Behaviour or measure.
    direction : str
        ``down``, ``up`` or ``unknown``: how it usually moves HRV.
    """

    kind: str
    name: str
    text: str
    direction: str

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def learned_later(
    days: pl.DataFrame, journal: pl.DataFrame, issue: Issue, target: date, seen_at: datetime
) -> list[LateFact]:
    """What was learned of the night of ``target`` after the issue and by ``seen_at``.

    Parameters
    ----------
    days, journal : DataFrame
        The tables ``days`` and ``journal_facts``.
    """
    own = as_of_days(days.filter(pl.col("member_id") == issue.member_id), seen_at)
    told = journal.filter(pl.col("member_id") == issue.member_id, pl.col("known_at") <= seen_at)
    return [*_told_late(told, issue, target), *_in_the_night(own, target)]


def _told_late(journal: pl.DataFrame, issue: Issue, target: date) -> list[LateFact]:
    found = []
    rows = journal.filter(pl.col("night") == target).sort("fact_key", "known_at", "revision")
    for _, versions in rows.group_by("fact_key", maintain_order=True):
        last = versions.row(-1, named=True)
        before = versions.filter(pl.col("known_at") <= issue.as_of)
        known = behaviours().get(last["behaviour"])
        if last["known_at"] <= issue.as_of or last["behaviour"] in COLOURED or known is None or known.private:
            continue
        if before.is_empty():
            if last["status"] != "rejected" and last["kind"] != "no":
                found.append(
                    LateFact("late_journal", last["behaviour"], f"told later: {_phrase(last)}", _sign(last))
                )
            continue
        first = before.row(-1, named=True)
        same = all(first[key] == last[key] for key in ("behaviour", "kind", "amount", "clock_time", "status"))
        if not same:
            withdrawn = last["status"] == "rejected"
            text = (
                f"taken back later: {_phrase(first)}"
                if withdrawn
                else f"told otherwise later: {_phrase(last)}"
            )
            found.append(
                LateFact("revised_journal", last["behaviour"], text, "unknown" if withdrawn else _sign(last))
            )
    return found


def _in_the_night(days: pl.DataFrame, target: date) -> list[LateFact]:
    """Signs of the night itself against the wearer's own last weeks."""
    night = days.filter(pl.col("day") == target)
    usual = days.filter(
        (pl.col("day") < target) & (pl.col("day") >= target - timedelta(days=2 * USUAL_NIGHTS)),
        pl.col("hrv_rmssd_ms").is_between(*RMSSD_PLAUSIBLE_MS),
    ).tail(USUAL_NIGHTS)
    if night.is_empty() or len(usual) < LEAST_NIGHTS:
        return []
    row, found = night.row(0, named=True), []
    onset, before = _onset_h(row), [h for h in map(_onset_h, usual.iter_rows(named=True)) if h is not None]
    if onset is not None and before and onset - np.median(before) >= LATE_H:
        later = onset - float(np.median(before))
        found.append(LateFact("late_sleep", "sleep_onset", f"asleep {later:.1f} h later than usual", "down"))
    asleep, slept = row["asleep_min"], usual["asleep_min"].drop_nulls()
    if asleep is not None and len(slept) and float(slept.median()) - asleep >= 60 * SHORT_H:
        found.append(LateFact("short_sleep", "asleep", f"only {asleep / 60:.1f} h asleep", "down"))
    for column, words, unit, least in SIGNS:
        values = usual[column].drop_nulls()
        if row[column] is None or len(values) < LEAST_NIGHTS:
            continue
        z = (row[column] - float(values.median())) / max(float(values.std()), least)
        if abs(z) >= UNUSUAL:
            apart = row[column] - float(values.median())
            text = f"{words} {abs(apart):.1f} {unit} {'above' if z > 0 else 'below'} usual that night"
            found.append(LateFact("sign", column, text, "down" if z > 0 else "up"))
    return found


def _onset_h(row: dict[str, Any]) -> float | None:
    """Sleep onset in hours after local noon of the day before."""
    if row["sleep_onset_at"] is None:
        return None
    local = row["sleep_onset_at"] + timedelta(minutes=row["utc_offset_min"] or 0)
    noon = datetime.combine(row["day"] - timedelta(days=1), datetime.min.time(), local.tzinfo) + timedelta(
        hours=12
    )
    return (local - noon).total_seconds() / 3600


def _phrase(fact: dict[str, Any]) -> str:
    words = fact["behaviour"].replace("_", " ")
    if fact["kind"] == "no":
        return f"no {words}"
    if fact["amount"] is None:
        return words
    return f"{words}, {fact['amount']:g}{' ' + fact['unit'] if fact['unit'] else ''}"


def _sign(fact: dict[str, Any]) -> str:
    known = behaviours().get(fact["behaviour"])
    sign = {"negative": "down", "positive": "up"}.get(known.expected_sign if known else "", "unknown")
    if fact["kind"] == "no" or fact["amount"] == 0:
        return {"down": "up", "up": "down"}.get(sign, sign)
    return sign
