"""The ten fields of a labelled test set, read off extracted facts.

The labels do not part yesterday from today, so of what was eaten and drunk the day nearest the entry's own counts.
A field that a note is silent about has the label of silence (0 drinks, no illness …); the store never writes such
a "no".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from journal_analysis.extraction import JournalFact
from journal_analysis.phrases import phrase
from journal_analysis.rules.sessions import usual_effort

__all__ = ["FIELDS", "fields_of"]

FIELDS = (
    "alcohol_drinks", "caffeine_servings", "caffeine_after_2pm", "stress_1to5", "illness", "late_meal", "training",
    "training_minutes", "travel", "magnesium",
)  # fmt: skip

_EFFORT_NAMES = ((5.0, "hard"), (3.0, "moderate"), (0.0, "easy"))
"""Session RPE (Foster) from which a session is called so."""
_AFTERNOON, _NIGHT_ENDS = "14:00", "04:00"
_LATE_PART = phrase("last_time", "late_part")
_TRAVEL = ("air_travel", "driving_long", "train_or_bus_travel")


def fields_of(facts: Iterable[JournalFact]) -> dict[str, Any]:
    """The ten fields of one note's facts; what is only planned is left out."""
    facts = list(facts)
    done = [f for f in facts if not f.is_plan]
    today = [f for f in done if f.day_shift == 0]
    return {
        "alcohol_drinks": _amount(done, "alcohol", silent=0),
        "caffeine_servings": _amount(done, "caffeine", silent=None),
        "caffeine_after_2pm": _late_caffeine(done),
        "stress_1to5": _stress(done),
        "illness": _said_yes(today, "sick"),
        "late_meal": _said_yes(today if any(f.day for f in facts) else done, "late_meal"),
        "training": _training(today),
        "training_minutes": _amount(today, "workout", silent=None) or None,
        "travel": any(_said_yes(today, name) for name in _TRAVEL),
        "magnesium": _said_yes(today, "magnesium"),
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


def _late_caffeine(facts: list[JournalFact]) -> bool:
    """Caffeine at 14:00 or later: by the clock, else by a part of the day in the words ("after dinner")."""
    time, had = _nearest(facts, "caffeine_last_time"), _nearest(facts, "caffeine")
    if had is not None and had.kind == "no":
        return False
    if time is not None and (had is None or time.day_shift == had.day_shift):
        return time.clock_time >= _AFTERNOON or time.clock_time < _NIGHT_ENDS
    return had is not None and _LATE_PART.search(had.quote.lower()) is not None


def _stress(facts: list[JournalFact]) -> float | int | None:
    fact = _nearest(facts, "stress")
    if fact is None:
        return None
    return max(1, round(fact.amount / 2)) if fact.amount is not None else None


def _said_yes(facts: list[JournalFact], name: str) -> bool:
    fact = _nearest(facts, name)
    return fact is not None and fact.kind in ("yes", "amount") and fact.amount != 0


def _training(facts: list[JournalFact]) -> str:
    """The effort said; where none was, what the activity in the quote usually is."""
    workout, effort = _nearest(facts, "workout"), _nearest(facts, "rpe")
    if workout is None or workout.kind == "no":
        return "none"
    if effort is not None and effort.day_shift == workout.day_shift and effort.amount is not None:
        value = effort.amount
    else:
        usual = usual_effort(workout.quote)
        value = 3.0 if usual is None else usual
    return next(name for least, name in _EFFORT_NAMES if value >= least)
