"""Who has been champion, since when and why: facts of kind ``promotion`` in the store's record.

The record is the truth. MLflow's aliases, the tag ``champion_history`` and the exported champion follow from it and are
brought into line by whoever finds them behind (a training that was killed in between, a registry that was lost).

An event is one of
    first      a champion is named where there was none: the best of the backtest
    refresh    the same forecaster, fitted anew on newer nights or by newer code
    promotion  the challenger took the place
    rollback   the champion had decayed and a former one took the place again
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from hrv_shared.issue import Issue
from hrv_shared.record import SEEN
from hrv_shared.store import Store

__all__ = [
    "Seat",
    "champion_events",
    "champion_seat",
    "deposed_on",
    "former_champions",
    "record_event",
    "reign_began",
]

KIND = "promotion"
CHANGES = ("first", "promotion", "rollback")
"""Events that put another forecaster in the place; a refresh does not."""


@dataclass(frozen=True)
class Seat:
    """A registered version of a forecaster.

    Attributes
    ----------
    code : str
        The forecaster's own version (number and digest of its code), as ledger rows have it.
    registered_version : int
        Its number in MLflow's registry.
    """

    forecaster: str
    code: str
    registered_version: int

    def describe(self) -> dict[str, Any]:
        """The seat as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.forecaster} (v{self.registered_version})"


def record_event(
    store: Store,
    issue: Issue,
    event: str,
    to: Seat,
    why: str,
    *,
    by: str,
    evidence: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write one event; durable when it returns. The caller holds the member's lock.

    Parameters
    ----------
    by : str
        ``training``, ``gate``, ``watch`` or ``person``.
    evidence : dict, optional
        What the decision rests on (nights, p, skill).

    Returns
    -------
    dict
        The event as ``champion_events`` gives it.
    """
    past = champion_events(store, issue.member_id)
    before = champion_seat(past)
    payload = {
        "event": event, "from": None if before is None else before.describe(), "to": to.describe(), "why": why,
        "by": by, "evidence": evidence or {}, "origin_day": issue.origin_day.isoformat(), "slot": issue.slot,
        "book": issue.book,
    }  # fmt: skip
    store.record.append(
        issue.member_id, KIND, f"{len(past) + 1:06d}", payload,
        known_at=store.clock(), basis=SEEN, source="model_training",
    )  # fmt: skip
    return payload


def champion_events(store: Store, member_id: str) -> list[dict[str, Any]]:
    """Every event, oldest first."""
    return [fact.payload for fact in store.record.facts(KIND, member_id)]


def champion_seat(events: list[dict[str, Any]]) -> Seat | None:
    """The champion after these events."""
    return Seat(**events[-1]["to"]) if events else None


def reign_began(events: list[dict[str, Any]]) -> date:
    """Origin day of the event that put the present champion in its place."""
    return date.fromisoformat(next(e for e in reversed(events) if e["event"] in CHANGES)["origin_day"])


def former_champions(events: list[dict[str, Any]]) -> list[str]:
    """Forecasters that were champion before the present one, the latest first, each once."""
    names = [event["to"]["forecaster"] for event in reversed(events)]
    return [name for name in dict.fromkeys(names) if name != names[0]]


def deposed_on(events: list[dict[str, Any]], forecaster: str) -> date | None:
    """The last day on which a forecaster was rolled back."""
    days = [
        e["origin_day"] for e in events if e["event"] == "rollback" and e["from"]["forecaster"] == forecaster
    ]  # fmt: skip
    return date.fromisoformat(days[-1]) if days else None
