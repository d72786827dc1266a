"""The sentence that answers a note: what was heard, in the wearer's words and order."""

from __future__ import annotations

from collections.abc import Sequence

from journal_analysis.behaviours import behaviours
from journal_analysis.entries import Entry
from journal_analysis.extraction import JournalFact

__all__ = ["receipt"]

_EFFORT = ((7.0, "very hard"), (5.0, "hard"), (3.0, "moderate"), (0.0, "easy"))


def receipt(entry: Entry) -> str:
    """``I heard: 2 drinks, last at 21:30; training 60 min, hard; … Not sure about: …``"""
    if entry.already:
        return f"This note is there already (day {entry.day}, {len(entry.facts)} facts); nothing was added."
    sure = [f for f in entry.facts if f.status == "accepted"]
    unsure = [f for f in entry.facts if f.status != "accepted"]
    said = (
        f"I heard: {'; '.join(_phrases(sure))}."
        if sure
        else "I heard your note, but nothing in it that I keep track of."
    )
    if unsure:
        said += f" Not sure about: {'; '.join(_phrases(unsure))} (confirm with: python -m journal_analysis confirm {entry.key[:8]})."
    return said


def _phrases(facts: Sequence[JournalFact]) -> list[str]:
    taken: set[int] = set()
    phrases = []
    for index, fact in enumerate(facts):
        if index in taken:
            continue
        phrase = _phrase(fact)
        for name, lead in (
            (f"{fact.behaviour}_last_time", ", last at "),
            ("rpe" if fact.behaviour == "workout" else "", ", "),
        ):
            other = next(
                (
                    i
                    for i, f in enumerate(facts)
                    if f.behaviour == name and (f.day_shift, f.is_plan) == (fact.day_shift, fact.is_plan)
                ),
                None,
            )
            if other is not None:
                taken.add(other)
                phrase += lead + (_value(facts[other]) if name != "rpe" else _effort(facts[other]))
        if not (
            fact.behaviour in ("rpe", "alcohol_last_time", "caffeine_last_time") and _is_part(fact, facts)
        ):
            phrases.append(phrase + _when(fact))
    return phrases


def _is_part(fact: JournalFact, facts: Sequence[JournalFact]) -> bool:
    """Whether another phrase tells this fact with it."""
    whole = "workout" if fact.behaviour == "rpe" else fact.behaviour.removesuffix("_last_time")
    return any(
        f.behaviour == whole and (f.day_shift, f.is_plan) == (fact.day_shift, fact.is_plan) for f in facts
    )


def _phrase(fact: JournalFact) -> str:
    label = behaviours()[fact.behaviour].label
    if fact.kind == "no":
        return f"no {label}"
    if fact.behaviour in ("alcohol", "caffeine") and fact.kind == "amount":
        thing = ("drink" if fact.behaviour == "alcohol" else "caffeine serving") + (
            "" if fact.amount == 1 else "s"
        )
        return f"{fact.amount:g} {thing} ({fact.quote})"
    value = _effort(fact) if fact.behaviour == "rpe" else _value(fact)
    return f"{label} {value}".strip()


def _value(fact: JournalFact) -> str:
    if fact.kind == "time":
        return fact.clock_time
    if fact.kind == "scale":
        return f"{fact.amount:g} of 10"
    if fact.kind == "amount":
        return f"{fact.amount:g} {'min' if fact.unit == 'minutes' else fact.unit}"
    return ""


def _effort(fact: JournalFact) -> str:
    return next(name for least, name in _EFFORT if (fact.amount or 0.0) >= least)


def _when(fact: JournalFact) -> str:
    plan = " (planned)" if fact.is_plan and not fact.behaviour.startswith("planned") else ""
    day = {0: "", -1: " (the day before)", 1: " (tomorrow)"}.get(
        fact.day_shift, f" ({fact.day})" if fact.day else f" ({fact.day_shift:+d} days)"
    )
    return day + plan
