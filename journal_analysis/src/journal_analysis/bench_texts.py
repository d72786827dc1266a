"""Measure reading on labelled texts: ten fields, exact facts, what is offered for confirmation, and the time it takes.

A case has ``text`` and ``labels`` (the ten `fields.FIELDS`), ``facts``, or both; ``recorded_at`` (ISO with offset)
gives weekday names a meaning; ``set`` parts the figures.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from journal_analysis.extraction import JournalFact
from journal_analysis.fields import FIELDS, fields_of
from journal_analysis.reading import read_facts
from journal_analysis.telling import Spoken

__all__ = ["TextFigures", "fact_misses", "is_text_case", "measure_texts", "spoken_of"]

MODEL = "rules"

NIGHT_ENDS_HOUR = 4
"""Before this local hour a note still belongs to the day before."""

FactKey = tuple[Any, ...]


@dataclass
class TextFigures:
    """Rows (metric, value, n, model, set) and every miss by name."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    misses: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Tally:
    fields: Counter[str] = field(default_factory=Counter)
    fields_right: Counter[str] = field(default_factory=Counter)
    expected: int = 0
    read: int = 0
    right: int = 0
    accepted: int = 0
    accepted_right: int = 0
    fact_texts: int = 0
    seconds: list[float] = field(default_factory=list)


def is_text_case(case: Any) -> bool:
    """Whether an object of a test file is a labelled text."""
    if not isinstance(case, dict) or not isinstance(case.get("text"), str):
        return False
    return set(FIELDS) <= set(case.get("labels") or ()) or isinstance(case.get("facts"), list)


def measure_texts(cases: Iterable[Mapping[str, Any]]) -> TextFigures:
    """Hold what is read of each text against its labels.

    Returns
    -------
    TextFigures
        For each set: ``ten fields right`` (and each field), ``facts precision``, ``facts recall``, ``facts F1``
        (exact in behaviour, kind, value, unit, day and plan), ``facts offered for confirmation`` (share of all
        facts read), ``unconfirmed facts wrong`` (share of those that count at once), ``seconds a text`` (median).
    """
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    figures = TextFigures()
    for case in cases:
        tally = tallies[str(case.get("set", "all"))]
        spoken = spoken_of(case)
        began = time.perf_counter()
        facts = read_facts(case["text"], spoken).facts
        tally.seconds.append(time.perf_counter() - began)
        if case.get("labels"):
            figures.misses += _count_fields(case, facts, tally)
        if case.get("facts") is not None:
            figures.misses += _count_facts(case, facts, tally)
    for name, tally in sorted(tallies.items()):
        figures.rows += _rows(name, tally)
    return figures


def spoken_of(case: Mapping[str, Any]) -> Spoken | None:
    """When a case was told, or None where it does not say; before four in the morning it belongs to the day before."""
    if not case.get("recorded_at"):
        return None
    told = datetime.fromisoformat(case["recorded_at"])
    offset = told.utcoffset() or timedelta(0)
    day = told.date() - timedelta(days=int(told.hour < NIGHT_ENDS_HOUR))
    return Spoken(told.astimezone(UTC), int(offset.total_seconds() // 60), day)


def fact_misses(
    expected: Iterable[Mapping[str, Any]], facts: Iterable[JournalFact]
) -> tuple[Counter[FactKey], Counter[FactKey]]:
    """Facts that should have been read and were not, and facts that were read and should not have been."""
    wanted = Counter(_key(**_labelled(f)) for f in expected)
    got = Counter(key_of(f) for f in facts)
    return wanted - got, got - wanted


def key_of(fact: JournalFact) -> FactKey:
    """What makes two facts the same: behaviour, kind, value, unit, day and whether it is a plan."""
    return _key(
        fact.behaviour, fact.kind, fact.amount, fact.unit, fact.clock_time, fact.day_shift, fact.is_plan
    )


def _key(
    behaviour: str,
    kind: str,
    amount: float | None,
    unit: str,
    clock_time: str,
    day_shift: int,
    is_plan: bool,
) -> FactKey:
    if kind == "time":
        value: Any = clock_time
    elif kind in ("amount", "scale"):
        value = (round(float(amount or 0.0), 2), unit)
    else:
        value = None
    return behaviour, kind, value, day_shift, is_plan


def _labelled(fact: Mapping[str, Any]) -> dict[str, Any]:
    silent = {"amount": None, "unit": "", "clock_time": "", "day_shift": 0, "is_plan": False}
    return {**silent, **{n: v for n, v in fact.items() if n in {"behaviour", "kind", *silent}}}


def _count_fields(
    case: Mapping[str, Any], facts: Sequence[JournalFact], tally: _Tally
) -> list[dict[str, Any]]:
    got, labels = fields_of(facts), case["labels"]
    misses = []
    for name in FIELDS:
        tally.fields[name] += 1
        if got[name] == labels[name]:
            tally.fields_right[name] += 1
        else:
            misses.append({"case": case["id"], "field": name, "expected": labels[name], "got": got[name]})
    return misses


def _count_facts(
    case: Mapping[str, Any], facts: Sequence[JournalFact], tally: _Tally
) -> list[dict[str, Any]]:
    missing, extra = fact_misses(case["facts"], facts)
    accepted = [f for f in facts if f.status == "accepted"]
    wrong = extra.copy()
    accepted_wrong = 0
    for fact in accepted:
        if wrong[key_of(fact)] > 0:
            wrong[key_of(fact)] -= 1
            accepted_wrong += 1
    tally.fact_texts += 1
    tally.expected += len(case["facts"])
    tally.read += len(facts)
    tally.right += len(facts) - sum(extra.values())
    tally.accepted += len(accepted)
    tally.accepted_right += len(accepted) - accepted_wrong
    return [{"case": case["id"], "missing": key} for key in missing.elements()] + [
        {"case": case["id"], "extra": key} for key in extra.elements()
    ]


def _rows(name: str, tally: _Tally) -> list[dict[str, Any]]:
    def row(metric: str, right: float, n: int) -> dict[str, Any]:
        return {"metric": metric, "value": round(right / n, 4), "n": n, "model": MODEL, "set": name}

    rows = []
    if tally.fields:
        rows.append(row("ten fields right", tally.fields_right.total(), tally.fields.total()))
        rows += [row(f"field {f} right", tally.fields_right[f], tally.fields[f]) for f in FIELDS]
    if tally.fact_texts:
        rows.append(row("facts precision", tally.right, max(tally.read, 1)))
        rows.append(row("facts recall", tally.right, max(tally.expected, 1)))
        rows.append(row("facts F1", 2 * tally.right, max(tally.read + tally.expected, 1)))
        rows[-1]["n"] = tally.expected
        rows.append(row("facts offered for confirmation", tally.read - tally.accepted, max(tally.read, 1)))
        rows.append(
            row("unconfirmed facts wrong", tally.accepted - tally.accepted_right, max(tally.accepted, 1))
        )
    median_s = round(statistics.median(tally.seconds), 4)
    n = len(tally.seconds)
    return [*rows, {"metric": "seconds a text", "value": median_s, "n": n, "model": MODEL, "set": name}]
