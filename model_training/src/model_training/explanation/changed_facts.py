"""A history with one fact changed: what a what-if asks the very same models about.

Journal facts are about the coming night and count as said at ``as_of``; they take the place of what was said about the
same behaviour before. Strain, rest and the hour of training belong to the day of the forecast, which only an evening
looks at. A fact that is so already changes nothing: the same history object comes back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.daytime import local_time
from hrv_shared.history import History
from model_training.behaviours import BEHAVIOURS, Behaviour
from model_training.day_grid import LATE_HOUR, day_grid
from model_training.explanation.errors import BadChange

__all__ = ["Change", "ChangedFact", "change_history"]

STRAIN_MOST = 21.0
LATE_END, EARLY_END = time(20, 30), time(17, 0)
REST_DAYS = 90
LEAST_REST_DAYS = 3
UNITS = {
    "alcohol": "drinks", "sick": "0 or 1", "vaccination": "0 or 1", "training_h": "hours", "late_meal": "0 or 1",
    "caffeine": "cups", "stress": "0-10", "travel": "0 or 1", "cannabis": "times", "sauna": "0 or 1",
}  # fmt: skip
_BY_NAME = {behaviour.name: behaviour for behaviour in BEHAVIOURS}


@dataclass(frozen=True)
class Change:
    """What is to be otherwise.

    Attributes
    ----------
    doses : dict
        Behaviour of ``BEHAVIOURS`` -> amount for the coming night, in its own unit.
    strain_0_21 : float, optional
        The day's strain.
    rest_day : bool
        No training on this day.
    late_workout : bool, optional
        Whether the day's last training ended after 19:00.
    bedtime : time, optional
        When the coming night begins; no model knows it, see ``bedtime.py``.

    Raises
    ------
    BadChange
        An unknown behaviour, an amount out of range, or facts that contradict each other.
    """

    doses: Mapping[str, float] = field(default_factory=dict)
    strain_0_21: float | None = None
    rest_day: bool = False
    late_workout: bool | None = None
    bedtime: time | None = None

    def __post_init__(self) -> None:
        for name, amount in self.doses.items():
            if name not in _BY_NAME:
                raise BadChange(f"Expected a behaviour of {', '.join(_BY_NAME)}, got {name!r}.")
            _require(f"{name} ({UNITS[name]})", amount, _BY_NAME[name].most)
        if self.strain_0_21 is not None:
            _require("strain", self.strain_0_21, STRAIN_MOST)
        trained = self.strain_0_21 is not None or self.late_workout or self.doses.get("training_h", 0.0) > 0
        if self.rest_day and trained:
            raise BadChange(
                "Expected either a rest day or strain, a late workout and training, got both. Leave one out."
            )


@dataclass(frozen=True)
class ChangedFact:
    """One fact as it was and as it is asked about; ``before`` is None where nothing was known."""

    name: str
    before: float | None
    after: float


def change_history(history: History, change: Change) -> tuple[History, list[ChangedFact]]:
    """The history with the facts changed, and which of them were not so already.

    Raises
    ------
    BadChange
        The day's load is asked about in the morning, or nothing is known of the day yet.
    """
    facts: list[ChangedFact] = []
    doses = dict(change.doses)
    if change.rest_day and (history.slot == "morning" or (_dose(history, "training_h") or 0.0) > 0):
        doses["training_h"] = 0.0
    journal = history.journal
    for name, amount in doses.items():
        before = _dose(history, name)
        if before is None or not math.isclose(before, amount, abs_tol=1e-9):
            journal = _say(history, journal, _BY_NAME[name], amount)
            facts.append(ChangedFact(name, before, amount))
    values = _day_values(history, change, facts)
    if not facts:
        return history, []
    days = history.days
    at_origin = pl.col("day") == history.origin_day
    for column, value in values.items():
        new = pl.when(at_origin).then(pl.lit(value, dtype=days.schema[column])).otherwise(pl.col(column))
        days = days.with_columns(new.alias(column))
    return replace(history, journal=journal, days=days), facts


def _require(what: str, amount: float, most: float) -> None:
    if not (math.isfinite(amount) and 0 <= amount <= most):
        raise BadChange(
            f"Expected {what} between 0 and {most:g}, got {amount:g}: no model tells more than that apart."
        )


def _dose(history: History, name: str) -> float | None:
    """What the models take tonight's dose to be; None when nothing was said."""
    grid = day_grid(history)
    if not len(grid):
        return None
    dose = grid.dose[-1, 0, [b.name for b in BEHAVIOURS].index(name)]
    return float(dose) if np.isfinite(dose) else None


def _say(history: History, journal: pl.DataFrame, behaviour: Behaviour, amount: float) -> pl.DataFrame:
    """Put one fact about the coming night in the place of all that was said of the behaviour."""
    night = history.origin_day + timedelta(days=1)
    told = [*behaviour.sources, *([behaviour.opposite] if behaviour.opposite else [])]
    kept = journal.filter(
        ((pl.col("night") == night) & pl.col("behaviour").is_in(told)).fill_null(False).not_()
    )
    source, factor = next(iter(behaviour.sources.items()))
    fact: dict[str, Any] = dict.fromkeys(journal.columns) | {
        "member_id": history.member_id, "fact_key": f"what-if-{behaviour.name}", "revision": 1,
        "known_at": history.as_of, "basis": "what-if", "source": "what-if", "entry_key": "what-if",
        "day": history.origin_day, "night": night, "behaviour": source, "kind": "amount" if amount else "no",
        "amount": amount / factor if amount else None, "is_plan": True, "quote": "", "confidence": 1.0,
        "status": "accepted",
    }  # fmt: skip
    return pl.concat([kept, pl.DataFrame([fact], schema=journal.schema)])


def _day_values(history: History, change: Change, facts: list[ChangedFact]) -> dict[str, Any]:
    """New values of the origin day's columns; every one that differs is noted in ``facts``."""
    asked = change.strain_0_21 is not None or change.late_workout is not None
    if not asked and not (change.rest_day and history.slot == "evening"):
        return {}
    if history.slot == "morning":
        raise BadChange(
            "A morning forecast does not look at the day's strain or workouts, so it has no answer to that. Ask about "
            "a rest day or --set training_h=HOURS, or ask the evening: --slot evening"
        )
    row = history.days.filter(pl.col("day") == history.origin_day)
    if row.is_empty():
        raise BadChange(
            f"Nothing is known of {history.origin_day} yet, so its load can't be changed. Pull first: hrv pull"
        )
    day = row.row(0, named=True)
    values: dict[str, Any] = {}
    strain = change.strain_0_21
    if change.rest_day and _trained(day):
        values |= {
            "workout_count": 0,
            "workout_min": 0.0,
            "workout_strain_max": None,
            "last_workout_end_at": None,
        }
        facts.append(ChangedFact("rest_day", 0.0, 1.0))
        strain = _usual_rest_strain(history, day)
    if strain is not None and strain != day["strain_0_21"]:
        values["strain_0_21"] = strain
        facts.append(ChangedFact("strain_0_21", day["strain_0_21"], strain))
    late = _is_late(day)
    if change.late_workout is not None and change.late_workout != late:
        values["last_workout_end_at"] = _ended(day, LATE_END if change.late_workout else EARLY_END)
        facts.append(ChangedFact("late_workout", float(late), float(change.late_workout)))
    return values


def _trained(day: Mapping[str, Any]) -> bool:
    return bool(day["workout_count"] or day["workout_min"] or day["last_workout_end_at"])


def _usual_rest_strain(history: History, day: Mapping[str, Any]) -> float | None:
    """Median strain of the wearer's last days without training, at most the day's own.

    None with fewer than ``LEAST_REST_DAYS``: then the strain stays.
    """
    recent = history.days.filter(
        pl.col("day") < history.origin_day, pl.col("day") >= history.origin_day - timedelta(days=REST_DAYS),
        pl.col("strain_0_21").is_not_null(), pl.col("last_workout_end_at").is_null(),
        pl.col("workout_count").fill_null(0) == 0, pl.col("workout_min").fill_null(0.0) == 0.0,
    )["strain_0_21"]  # fmt: skip
    if len(recent) < LEAST_REST_DAYS:
        return None
    own = day["strain_0_21"]
    return float(recent.median() if own is None else min(recent.median(), own))


def _is_late(day: Mapping[str, Any]) -> bool:
    end = day["last_workout_end_at"]
    if end is None:
        return False
    hour = local_time(end, day["utc_offset_min"] or 0).hour
    return hour >= LATE_HOUR or hour < 4


def _ended(day: Mapping[str, Any], at: time) -> datetime:
    return datetime.combine(day["day"], at, UTC) - timedelta(minutes=day["utc_offset_min"] or 0)
