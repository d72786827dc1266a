"""The ten fields of a labelled test set, read off extracted facts.

The labels do not part yesterday from today, so the day nearest the entry's own that the note speaks of counts. A field
that a note is silent about has the label of silence (0 drinks, no illness …); the store never writes such a "no".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from journal_analysis.extraction import ACCEPTED_FROM, JournalFact

__all__ = ["FIELDS", "fields_of"]

FIELDS = (
    "alcohol_drinks", "caffeine_servings", "caffeine_after_2pm", "stress_1to5", "illness", "late_meal", "training",
    "training_minutes", "travel", "magnesium",
)  # fmt: skip

_EFFORT_NAMES = ((5.0, "hard"), (3.0, "moderate"), (0.0, "easy"))
"""Session RPE (Foster) from which a session is called so."""
_TRAVEL = ("air_travel", "driving_long", "train_or_bus_travel", "timezone_shift")


def fields_of(facts: Iterable[JournalFact]) -> dict[str, Any]:
    """The ten fields of one note's facts; what is only planned is left out."""
    done = [f for f in facts if not f.is_plan]
    return {
        "alcohol_drinks": _amount(done, "alcohol", silent=0),
        "caffeine_servings": _amount(done, "caffeine", silent=None),
        "caffeine_after_2pm": _clock(done, "caffeine_last_time") >= "14:00",
        "stress_1to5": _stress(done),
        "illness": _said_yes(done, "sick"),
        "late_meal": _said_yes(done, "late_meal"),
        "training": _training(done),
        "training_minutes": _amount(done, "workout", silent=None) or None,
        "travel": any(_said_yes(done, name) for name in _TRAVEL),
        "magnesium": _said_yes(done, "magnesium"),
    }


def _nearest(facts: list[JournalFact], name: str) -> JournalFact | None:
    of_it = [f for f in facts if f.behaviour == name and -2 <= f.day_shift <= 0]
    return max(of_it, key=lambda f: f.day_shift, default=None)


def _amount(facts: list[JournalFact], name: str, silent: float | None) -> float | int | None:
    fact = _nearest(facts, name)
    if fact is None:
        return silent
    if fact.amount is None:
        return None if name == "workout" else 1
    return int(fact.amount) if fact.amount == int(fact.amount) else fact.amount


def _clock(facts: list[JournalFact], name: str) -> str:
    fact = _nearest(facts, name)
    return fact.clock_time if fact else ""


def _stress(facts: list[JournalFact]) -> float | int | None:
    fact = _nearest(facts, "stress")
    if fact is None or fact.confidence < ACCEPTED_FROM and fact.rule == "level in words":
        return None
    return max(1, round(fact.amount / 2)) if fact.amount is not None else None


def _said_yes(facts: list[JournalFact], name: str) -> bool:
    fact = _nearest(facts, name)
    return fact is not None and fact.kind in ("yes", "amount") and fact.amount != 0


def _training(facts: list[JournalFact]) -> str:
    workout, effort = _nearest(facts, "workout"), _nearest(facts, "rpe")
    if workout is None or workout.kind == "no" or effort is None or effort.amount is None:
        return "none"
    return next(name for least, name in _EFFORT_NAMES if effort.amount >= least)
