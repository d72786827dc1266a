"""Usual effects: for facts of tonight of which the wearer has no own nights, what is known of other people.

A table (``data/literature.toml``), wide doubt, and always named for what it is: a rule of thumb.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from llm_agent.levers import LASTING, ONE_NIGHT, Lever

__all__ = ["beside_usual", "needs_no_judgement", "usual_levers", "usual_pct"]

DOUBT = 0.7
"""SD of a usual effect between people, in units of its size (forecasting.md 2.4: as large as the effects)."""
HIGH_SHARE = 0.8
EARLY_H = 0.5
MOST_LATER_H = 4.0
USUAL_ONSET = "23:30"
"""Where last night's is unknown."""


def usual_levers(
    facts: Iterable[dict[str, Any]],
    own: Iterable[str],
    median_ms: float,
    onset_local: str | None,
    *,
    counted: Iterable[str] = (),
) -> tuple[Lever, ...]:
    """Levers for tonight's facts without a personal effect, largest first; one for all that are of one kind.

    A cold, a sore throat and fever are one illness: only the largest counts, and none beside an own effect of its kind.

    Parameters
    ----------
    facts : iterable of dict
        Tonight's accepted facts.
    own : iterable of str
        Behaviours with a personal effect; they need no rule of thumb.
    onset_local : str or None
        Sleep onset of last night, HH:MM: what a planned bedtime is held against.
    counted : iterable of str
        Behaviours that the models read: of their kind no other lever is made, and none at all where the band measures
        what they do.
    """
    counted, measured = set(counted), set(_table()["measured"]["behaviours"])
    own_kinds, counted_kinds = {_kind(b) for b in own}, {_kind(b) for b in counted}
    found: dict[str, tuple[float, dict[str, Any]]] = {}
    for fact in facts:
        behaviour, kind = fact["behaviour"], _kind(fact["behaviour"])
        if kind in own_kinds or (
            kind in counted_kinds and (behaviour not in counted or behaviour in measured)
        ):
            continue
        pct = usual_pct(fact, onset_local)
        if pct and abs(pct) > abs(found[kind][0] if kind in found else 0.0):
            found[kind] = (pct, fact)
    levers = []
    for i, (_, (pct, fact)) in enumerate(sorted(found.items(), key=lambda x: (-abs(x[1][0]), x[0])), 1):
        size, behaviour = pct / 100 * median_ms, fact["behaviour"]
        lasts = LASTING if behaviour in _table()["lasting"]["behaviours"] else ONE_NIGHT
        levers.append(
            Lever(
                f"U{i}", "usual", fact["text"], size, DOUBT * abs(size), size, behaviour, (fact["evidence"],), lasts
            )
        )  # fmt: skip
    return tuple(levers)


def beside_usual(event: Lever, levers: Iterable[Lever]) -> Lever | None:
    """What an event moves besides the usual effects that may be the same matter ("grief or loss"); None for nothing."""
    same = _table()["matters"]["lowers" if event.taken_ms < 0 else "raises"]
    usual_ms = sum(
        lever.taken_ms
        for lever in levers
        if lever.kind == "usual" and lever.behaviour in same and lever.taken_ms * event.taken_ms > 0
    )
    if abs(event.taken_ms) <= abs(usual_ms):
        return None
    return replace(event, taken_ms=event.taken_ms - usual_ms)


def needs_no_judgement(fact: dict[str, Any], onset_local: str | None) -> bool:
    """Whether code knows what a fact means for the night, be it nothing."""
    return usual_pct(fact, onset_local) is not None


def usual_pct(fact: dict[str, Any], onset_local: str | None) -> float | None:
    """Usual effect in %; 0 when it is known to be none, None when the table has no opinion."""
    table, behaviour = _table(), fact["behaviour"]
    if fact["kind"] == "no" or fact["amount"] == 0:
        return 0.0
    if behaviour in table["later_than_usual"] and fact["clock_time"]:
        later = _hours_after_noon(fact["clock_time"]) - _hours_after_noon(onset_local or USUAL_ONSET)
        return table["later_than_usual"][behaviour] * min(later, MOST_LATER_H) if later > EARLY_H else 0.0
    if behaviour in table["per_unit"] and fact["amount"] is not None:
        rule = table["per_unit"][behaviour]
        return rule["pct"] * max(min(fact["amount"], rule["most"]) - rule["from"], 0.0)
    if behaviour in table["high_rating"] and fact["amount"] is not None:
        top = _top_of(fact["unit"])
        return table["high_rating"][behaviour] if fact["amount"] >= HIGH_SHARE * top else 0.0
    if fact["kind"] in ("yes", "amount", "duration") and behaviour in table["yes"]:
        return table["yes"][behaviour]
    return 0.0 if behaviour in table["nothing"]["behaviours"] else None


def _kind(behaviour: str) -> str:
    """What a behaviour is a form of; itself where nothing is said."""
    return next((kind for kind, same in _table()["kinds"].items() if behaviour in same), behaviour)


def _hours_after_noon(clock: str) -> float:
    hours, minutes = (int(part) for part in clock.split(":")[:2])
    return (hours + minutes / 60 - 12) % 24


def _top_of(unit: str | None) -> float:
    """Top of a rating's scale, such as ``1-5``; ten where none is named."""
    last = (unit or "").rpartition("-")[2]
    return float(last) if last.isdigit() else 10.0


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("llm_agent").joinpath("data/literature.toml").read_text(encoding="utf-8"))
