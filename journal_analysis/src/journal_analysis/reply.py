"""The sentence that answers a note: what was heard, in the wearer's words and order."""

from __future__ import annotations

from collections.abc import Sequence

from hrv_shared.printable import printable
from journal_analysis.behaviours import behaviours
from journal_analysis.entries import Entry
from journal_analysis.extraction import JournalFact
from journal_analysis.languages import language_name

__all__ = ["receipt"]

_COUNTED = {"alcohol": "drink", "caffeine": "caffeine serving"}
_EFFORT = ((7.0, "very hard"), (5.0, "hard"), (3.0, "moderate"), (0.0, "easy"))


def receipt(entry: Entry) -> str:
    """``I heard: 2 drinks (two glasses of wine), last at 21:30; training 60 min, hard. Please check: …``"""
    key = entry.key[:8]
    if entry.already and entry.state == "undone":
        return f"This note was undone. Bring it back with: hrv journal confirm {key}"
    if entry.already:
        standing = entry.of_status("accepted", "draft")
        return f"This note is there already (day {entry.day}, {len(standing)} facts); nothing was added."
    sure, unsure = entry.of_status("accepted"), entry.of_status("draft")
    if entry.language != "en":
        name = language_name(entry.language)
        return f"This note seems to be in {name}. I can read English only so far; it is kept."
    if not entry.facts:
        return "I heard your note, but nothing in it that I track."
    said = f"I heard: {'; '.join(_phrases(sure))}." if sure else "I heard your note."
    return said + (_questions(entry, unsure) if unsure else "")


def _questions(entry: Entry, unsure: Sequence[JournalFact]) -> str:
    """What waits for the wearer: each with its number, and how to answer."""
    number = {id(fact): n for n, fact in enumerate(entry.facts, start=1)}
    asked = [
        f'[{number[id(f)]}] {_phrase(f, with_quote=False)}{_when(f)}, from "{_quote(f)}"' for f in unsure
    ]
    key, numbers = entry.key[:8], " ".join(str(number[id(f)]) for f in unsure)
    first = number[id(unsure[0])]
    return (
        f" Please check: {'; '.join(asked)}. Right: hrv journal confirm {key} {numbers}. "
        f"Wrong: hrv journal correct {key} {first} --amount N, or hrv journal reject {key} {first}."
    )


def _phrases(facts: Sequence[JournalFact]) -> list[str]:
    """One phrase a fact; a last time goes with its drink, an effort with its training."""
    parts = {id(part) for fact in facts for part, _ in _parts(fact, facts)}
    return [
        _phrase(fact) + "".join(lead + _value(part) for part, lead in _parts(fact, facts)) + _when(fact)
        for fact in facts
        if id(fact) not in parts
    ]


def _parts(fact: JournalFact, facts: Sequence[JournalFact]) -> list[tuple[JournalFact, str]]:
    """Facts of the same day that are told within this one's phrase."""
    leads = {f"{fact.behaviour}_last_time": ", last at "}
    if fact.behaviour == "workout":
        leads["rpe"] = ", "
    same = [f for f in facts if (f.day_shift, f.is_plan) == (fact.day_shift, fact.is_plan)]
    return [(f, leads[f.behaviour]) for f in same if f.behaviour in leads]


def _phrase(fact: JournalFact, *, with_quote: bool = True) -> str:
    label = behaviours()[fact.behaviour].label
    if fact.kind == "no":
        return f"no {label}"
    if fact.behaviour in _COUNTED and fact.kind == "amount":
        counted = f"{fact.amount:g} {_COUNTED[fact.behaviour]}{'' if fact.amount == 1 else 's'}"
        return f"{counted} ({_quote(fact)})" if with_quote else counted
    if fact.behaviour.startswith("planned_"):
        return f"{label.removesuffix(' planned')} at {fact.clock_time} planned"
    return f"{label} {_value(fact)}".strip()


def _quote(fact: JournalFact) -> str:
    """The wearer's words on one line, with no control character in them."""
    return printable(" ".join(fact.quote.split()))


def _value(fact: JournalFact) -> str:
    if fact.behaviour == "rpe":
        return next(name for least, name in _EFFORT if (fact.amount or 0.0) >= least)
    if fact.kind == "time":
        return fact.clock_time
    if fact.kind == "scale":
        return f"{(fact.amount or 0.0) / 2:g} of 5"
    if fact.kind == "amount":
        return f"{fact.amount:g} {'min' if fact.unit == 'minutes' else fact.unit}"
    return ""


def _when(fact: JournalFact) -> str:
    known = {0: "", -1: " (the day before)", 1: " (tomorrow)"}
    day = known.get(fact.day_shift, f" ({fact.day or f'{fact.day_shift:+d} days'})")
    return day + (" (planned)" if fact.is_plan and not fact.behaviour.startswith("planned") else "")
