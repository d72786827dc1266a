"""What may still weigh on the coming nights, and until when: from the journal's facts, raised alerts and the wearer.

A stressor lives on from the last day it was told for as many nights as its kind lasts, and ends at once when the wearer
says that it is over. Private matters (``Behaviour.private``) are never remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from hrv_shared.ontology import Behaviour, behaviours

__all__ = ["LASTS_NIGHTS", "Stressor", "alerted_stressors", "told_stressors"]

LASTS_NIGHTS = {
    "sick": 3, "fever": 3, "covid_symptoms": 5, "cough_or_congestion": 3, "gi_upset": 2, "vaccination": 2,
    "injury": 7, "surgery_or_procedure": 7, "blood_donation": 3, "antibiotic": 3, "jet_lag": 3, "timezone_shift": 3,
    "air_travel": 2, "away_from_home": 1, "acute_stress_event": 2, "grief_or_loss": 14, "new_medication_started": 14,
    "altitude": 3,
}  # fmt: skip
"""Nights after the last day on which it was told; sickness is felt for two more (forecasting.md 2.4)."""

OFTEN_DAYS, OFTEN_OF, OFTEN_LASTS = 3, 7, 2
"""A strain of the mind told on three of seven days is one that goes on."""
HIGH, ABOVE_USUAL = 6.0, 1.0
"""On a scale of ten a day counts from here on, and only when it lies so far above the wearer's own median."""
ALERT_TOLD_BY = {
    "illness": frozenset({"sick", "fever", "covid_symptoms", "cough_or_congestion", "gi_upset"}),
    "travel": frozenset({"air_travel", "timezone_shift", "jet_lag", "away_from_home"}),
}


@dataclass(frozen=True)
class Stressor:
    """One thing that goes on.

    Attributes
    ----------
    name : str
        Behaviour, alert, or a short name made of the wearer's words.
    until_day : date
        The last wake day that it is thought to weigh on.
    known_at : datetime
        When it was last heard of; forgetting it later than this hides it.
    source : str
        ``journal``, ``alert`` or ``wearer``.
    direction : str
        ``down``, ``up`` or ``unknown``.
    evidence : str
        Where it stands: ``journal/<fact>``, an evidence id of the summary, or ``belief_edit/<key>``.
    """

    name: str
    text: str
    since_day: date
    until_day: date
    known_at: datetime
    source: str
    direction: str
    evidence: str

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        known_at = self.known_at.isoformat()
        days = {"since_day": self.since_day.isoformat(), "until_day": self.until_day.isoformat()}
        return asdict(self) | days | {"known_at": known_at}


def told_stressors(journal: pl.DataFrame, origin: date) -> list[Stressor]:
    """Those that the journal tells of and that are not over.

    Parameters
    ----------
    journal : DataFrame
        ``as_of_journal`` of one member.
    origin : date
        The day of the issue; facts of later days are plans and left out.
    """
    known, found = behaviours(), []
    own = journal.filter(
        pl.col("day") <= origin, pl.col("day") > origin - timedelta(days=30), ~pl.col("is_plan")
    )
    for (name,), facts in own.sort("day", "known_at", "fact_key").group_by("behaviour", maintain_order=True):
        behaviour = known.get(str(name))
        if behaviour is None or behaviour.private:
            continue
        least = _least(behaviour, facts)
        said = [(row, _is_yes(row, least)) for row in facts.iter_rows(named=True)]
        days = sorted({row["day"] for row, yes in said if yes})
        lasts = LASTS_NIGHTS.get(behaviour.name) or _often(behaviour, days, origin)
        if not days or not lasts or any(not yes and row["day"] > days[-1] for row, yes in said):
            continue
        if days[-1] + timedelta(days=lasts) <= origin:
            continue
        last = [row for row, yes in said if yes][-1]
        since = _run_start(days, lasts)
        text = f"{behaviour.name.replace('_', ' ')} since {since:%d %b}" if since < last["day"] else (
            f"{behaviour.name.replace('_', ' ')}, told {last['day']:%d %b}"
        )  # fmt: skip
        sign = {"negative": "down", "positive": "up"}.get(behaviour.expected_sign, "unknown")
        found.append(
            Stressor(
                behaviour.name, text, since, days[-1] + timedelta(days=lasts), last["known_at"], "journal", sign,
                f"journal/{last['fact_key']}",
            )
        )  # fmt: skip
    return found


def alerted_stressors(
    alerts: Iterable[dict[str, Any]], told: Iterable[Stressor], as_of: datetime, origin: date
) -> list[Stressor]:
    """Raised alerts, unless the wearer has told of the same thing."""
    names = {stressor.name for stressor in told}
    found = []
    for alert in alerts:
        name = alert["name"]
        if names & ALERT_TOLD_BY.get(name, frozenset()) or name == "device_change":
            continue
        since = date.fromisoformat(str(alert["since_day"]))
        until = origin + timedelta(days=int(alert.get("horizon_nights") or 1))
        direction = "down" if name in ("illness", "travel", "overload") else "unknown"
        text = (
            f"signs of {name.replace('_', ' ')} since {since:%d %b} (probability {alert['probability']:.1f})"
        )
        found.append(Stressor(name, text, since, until, as_of, "alert", direction, alert["evidence"]))
    return found


def _is_yes(row: dict[str, Any], least: float) -> bool:
    return row["kind"] != "no" and row["amount"] != 0 and (row["amount"] is None or row["amount"] >= least)


def _least(behaviour: Behaviour, facts: pl.DataFrame) -> float:
    """The amount from which a day counts: of a scale, what is high and above the wearer's usual."""
    if behaviour.type != "scale":
        return 0.0
    usual = facts["amount"].median()
    return max(HIGH, 0.0 if usual is None or len(facts) < OFTEN_OF else float(usual) + ABOVE_USUAL)


def _often(behaviour: Behaviour, days: list[date], origin: date) -> int:
    """How long a strain of the mind lasts that is told again and again."""
    recent = [day for day in days if day > origin - timedelta(days=OFTEN_OF)]
    strained = behaviour.category == "mental" and behaviour.expected_sign == "negative"
    return OFTEN_LASTS if strained and len(recent) >= OFTEN_DAYS else 0


def _run_start(days: list[date], lasts: int) -> date:
    """The first day of the run that the last one belongs to."""
    start = days[-1]
    for day in reversed(days[:-1]):
        if (start - day).days > max(lasts, 2):
            break
        start = day
    return start
