"""What the journal says about each night, as numbers: which behaviours, what dose, and which evenings were journalled.

Unlogged is not "no": an evening without any accepted fact counts neither way. On an evening that was journalled a
behaviour that is not mentioned counts as not done (a spoken note names what happened, not what did not), unless the
wearer mostly says so when it was not done: then silence is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from data_intelligence.clock_times import hours_of
from hrv_shared.history import History

__all__ = [
    "ALCOHOL",
    "SICK",
    "NightlyJournal",
    "describe_dose",
    "has_late_answers",
    "is_retrospective",
    "nightly_journal",
    "typical_dose",
]

ALCOHOL, SICK = "alcohol", "sick"

NOT_CAUSES = frozenset({
    "sleep_quality_felt", "night_awakenings_felt", "felt_recovered", "nightmare", "night_sweats", "alcohol_type",
    "cycle_day", "pregnancy_week", "weight",
    "device_not_worn", "strap_location_changed", "device_changed", "firmware_or_algorithm_changed", "loose_strap",
    "calibrating", "free_note", "custom_time", "tracked_calories", "alcohol_free_day",
})  # fmt: skip
"""Ratings of the night itself, states whose number is no dose, device events and bookkeeping."""

HIGH_SHARE = 0.6
"""A rating counts as "yes" from this share of its scale on (6 of 10, 4 of 5 as good as)."""


@dataclass
class NightlyJournal:
    """Behaviours by night.

    Attributes
    ----------
    doses : dict behaviour -> night -> dose or None
        What was done; None when no amount was said.
    said_no : dict behaviour -> set of nights
    journalled : set of nights
        With at least one accepted fact.
    units : dict behaviour -> unit
    late : set of behaviours
        Resting on at least one answer given after the night's score.
    """

    doses: dict[str, dict[date, float | None]] = field(default_factory=dict)
    said_no: dict[str, set[date]] = field(default_factory=dict)
    journalled: set[date] = field(default_factory=set)
    units: dict[str, str] = field(default_factory=dict)
    clock: dict[str, dict[date, float]] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)

    def no_nights(self, behaviour: str) -> set[date]:
        """Nights on which it was denied; or, where it is not usually denied, journalled and not mentioned."""
        denied = self.said_no.get(behaviour, set())
        silent = self.journalled - set(self.doses.get(behaviour, ())) - denied
        return denied if len(denied) > len(silent) else denied | silent


def nightly_journal(history: History, *, with_retrospective: bool) -> NightlyJournal:
    """Collect the accepted facts of past nights; plans are left out, because a plan is not what happened."""
    woke = {row["day"]: row["wake_at"] or row["known_at"] for row in history.days.iter_rows(named=True)}
    facts = history.journal.filter(pl.col("status") == "accepted", ~pl.col("is_plan").fill_null(False))
    amounts: dict[tuple[str, date], dict[str, float | None]] = {}
    found = NightlyJournal()
    for fact in facts.iter_rows(named=True):
        night, behaviour = fact["night"], fact["behaviour"]
        late = is_retrospective(fact["known_at"], night, woke)
        if night is None or (late and not with_retrospective):
            continue
        found.journalled.add(night)
        if behaviour == "alcohol_free_day" and fact["kind"] == "yes":
            found.said_no.setdefault(ALCOHOL, set()).add(night)
        if behaviour in NOT_CAUSES or fact["kind"] == "text":
            continue
        if late:
            found.late.add(behaviour)
        if fact["kind"] == "time":
            hours = hours_of(fact["clock_time"])
            if hours is not None:
                told = found.clock.setdefault(behaviour, {})
                told[night] = max(hours, told.get(night, hours))
            continue
        happened, dose = read_dose(fact)
        if happened:
            _add(amounts.setdefault((behaviour, night), {}), fact["entry_key"], dose)
            if dose is not None and fact["unit"]:
                found.units[behaviour] = fact["unit"]
        else:
            found.said_no.setdefault(behaviour, set()).add(night)
    for (behaviour, night), entries in sorted(amounts.items()):
        said = [dose for dose in entries.values() if dose is not None]
        found.doses.setdefault(behaviour, {})[night] = max(said) if said else None
        found.said_no.get(behaviour, set()).discard(night)
    return found


def has_late_answers(history: History) -> bool:
    """Whether any accepted answer about a past night was given after its score was visible."""
    woke = {row["day"]: row["wake_at"] or row["known_at"] for row in history.days.iter_rows(named=True)}
    facts = history.journal.filter(pl.col("status") == "accepted")
    return any(
        is_retrospective(known_at, night, woke)
        for known_at, night in facts.select("known_at", "night").iter_rows()
    )


def read_dose(fact: dict) -> tuple[bool, float | None]:
    """Whether a fact says that it happened, and how much of it (None: not said)."""
    amount = fact["amount"]
    if fact["kind"] == "no":
        return False, None
    if fact["kind"] == "amount":
        return (amount is None or amount > 0), amount
    if fact["kind"] == "scale":
        return amount is not None and amount >= HIGH_SHARE * _scale_top(fact["unit"], amount), None
    return True, None


def is_retrospective(known_at: datetime, night: date | None, woke: dict[date, datetime]) -> bool:
    """Whether an answer came after the night that it could act on had been scored."""
    return night in woke and known_at > woke[night]


def typical_dose(doses: dict[date, float | None]) -> float | None:
    """The median dose that was said, or None when fewer than half of the nights have one."""
    said = sorted(dose for dose in doses.values() if dose is not None)
    return said[len(said) // 2] if said and 2 * len(said) >= len(doses) else None


def describe_dose(behaviour: str, dose: float | None, unit: str | None) -> str:
    """Words for a behaviour and its dose, such as ``alcohol, 2-3 drinks``."""
    name = behaviour.replace("_", " ")
    if dose is None:
        return name
    if behaviour == ALCOHOL:
        return f"alcohol, {'1 drink' if dose < 1.5 else '2-3 drinks' if dose < 3.5 else '4 or more drinks'}"
    return f"{name}, {dose:g} {unit}" if unit else f"{name}, {dose:g}"


def _add(entries: dict[str, float | None], entry_key: str, dose: float | None) -> None:
    """Amounts within one entry add up (two beers, then a whisky); entries about the same night do not (a repeat)."""
    before = entries.get(entry_key)
    entries[entry_key] = dose if before is None else before + (dose or 0.0)


def _scale_top(unit: str | None, amount: float) -> float:
    digits = "".join(c if c.isdigit() else " " for c in unit or "").split()
    if digits:
        return float(digits[-1])
    return 5.0 if amount <= 5 else 10.0
