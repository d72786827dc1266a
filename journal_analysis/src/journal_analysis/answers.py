"""Answers of the WHOOP journal, as imported from an export, read as facts.

Answers stored under a cycle speak of the day *before* the sleep that opens it (whoop_export.md 3.4), and were given
after waking: `known_at` is the import's. They are yes or no, never amounts. An absent row is not a no.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hrv_shared.journal_questions import behaviour_of_question
from hrv_shared.private_questions import private_questions
from hrv_shared.record import Fact, Record
from journal_analysis.behaviours import behaviours

__all__ = ["AnswerReport", "read_answers"]

_SOURCE = "whoop-export"
_NO_IS_NOT_ZERO = frozenset({"hydration"})
"""Asked whether it was enough: a no does not say that there was none."""


@dataclass(frozen=True)
class AnswerReport:
    """Answers read, questions nobody mapped (text -> answers), private ones left alone, and answers without a day."""

    answers: int
    unknown: dict[str, int]
    private: int
    without_day: int


def read_answers(record: Record, member_id: str) -> tuple[list[dict[str, Any]], AnswerReport]:
    """Rows of ``journal_facts`` (without ``member_id``) of every answer, and what could not be read."""
    wake_days = _wake_days(record.facts(("export_cycle", "export_sleep"), member_id))
    hidden = private_questions(record, member_id)
    rows, unknown, private, without_day = [], Counter(), 0, 0
    for fact in record.facts("export_journal", member_id):
        question = fact.payload.get("Question text", "").strip()
        if hidden.is_private(question):
            private += 1
            continue
        behaviour = behaviour_of_question(question)
        if behaviour is None:
            unknown[question] += 1
            continue
        night = wake_days.get(fact.payload.get("Cycle start time", "").strip()) or _by_start(fact.payload)
        answer = fact.payload.get("Answered yes", "").strip().lower()
        if night is None or answer not in ("true", "false"):
            without_day += 1
            continue
        rows.append(_row(fact, behaviour, question, answer == "true", night))
    return rows, AnswerReport(len(rows), dict(unknown.most_common()), private, without_day)


def _row(fact: Fact, behaviour: str, question: str, yes: bool, night: date) -> dict[str, Any]:
    known = behaviours().get(behaviour)
    counted = known is not None and known.kind == "amount"
    is_zero = counted and not yes and behaviour not in _NO_IS_NOT_ZERO
    return {
        "fact_key": f"export:{fact.key}",
        "revision": fact.revision,
        "known_at": fact.known_at,
        "basis": fact.basis,
        "source": _SOURCE,
        "entry_key": f"export:{fact.key.partition('#')[0]}",
        "day": night - timedelta(days=1),
        "night": night,
        "behaviour": behaviour,
        "kind": "yes" if yes else "no",
        "amount": 0.0 if is_zero else None,
        "unit": known.unit if counted else "",
        "clock_time": "",
        "is_plan": False,
        "quote": f"{question} {'yes' if yes else 'no'}",
        "confidence": 1.0,
        "status": "accepted",
    }


def _wake_days(facts: Iterable[Fact]) -> dict[str, date]:
    """Local start of a cycle as written -> local date of the waking that ends the sleep it opens with.

    The main sleep tells it; the cycles file does so only where its sleep is its own and not a nap's (6.1).
    """
    found: dict[str, date] = {}
    for fact in facts:
        start, woken = (
            fact.payload.get("Cycle start time", "").strip(),
            _stamp(fact.payload.get("Wake onset")),
        )
        if not start or woken is None:
            continue
        if fact.kind == "export_sleep":
            if fact.payload.get("Nap", "").strip().lower() == "false":
                found[start] = woken.date()
        elif start not in found:
            began, onset = _stamp(start), _stamp(fact.payload.get("Sleep onset"))
            if began and onset and abs(onset - began) <= timedelta(minutes=5):
                found[start] = woken.date()
    return found


def _by_start(payload: dict[str, Any]) -> date | None:
    """Without any sleep: the date twelve hours after the cycle began."""
    began = _stamp(payload.get("Cycle start time"))
    return (began + timedelta(hours=12)).date() if began else None


def _stamp(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
