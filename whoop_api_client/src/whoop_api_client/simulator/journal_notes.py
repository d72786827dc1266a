"""Evening notes in plain English, made out of what the member really did that day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from whoop_api_client.simulator.behaviours import Behaviours
from whoop_api_client.simulator.home_zone import LocalDays
from whoop_api_client.simulator.told_events import ToldEvent
from whoop_api_client.simulator.traits import Habits, stream

__all__ = ["JournalNote", "spoken_number", "write_notes"]

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_DRINKS = (("glass of wine", "glasses of wine"), ("beer", "beers"), ("gin and tonic", "gin and tonics"))
_SPORTS = {
    "running": {"easy": "Easy run", "moderate": "Moderate tempo run", "hard": "Hard interval run"},
    "cycling": {"easy": "Easy spin on the bike", "moderate": "Moderate bike ride", "hard": "Hard bike ride"},
    "swimming": {"easy": "Easy swim", "moderate": "Moderate swim", "hard": "Hard swim session"},
    "weightlifting": {
        "easy": "Light gym session",
        "moderate": "Moderate gym session",
        "hard": "Hard gym session",
    },
    "functional-fitness": {
        "easy": "Easy circuit",
        "moderate": "Moderate circuit",
        "hard": "Hard circuit session",
    },
}


@dataclass(frozen=True)
class JournalNote:
    """One evening's note.

    ``day`` : the waking day it speaks of; ``stated`` : the behaviours that the text really names (unsaid
    is not "no").
    """

    day: date
    recorded_at: datetime
    text: str
    stated: dict[str, Any]


def write_notes(
    seed: int,
    habits: Habits,
    calendar: LocalDays,
    behaviours: list[Behaviours],
    today_text: str | None,
    told: Sequence[ToldEvent] = (),
) -> list[JournalNote]:
    """A note for most evenings, always for today and for told events, recorded between 20:00 and 20:25 local.

    ``today_text`` replaces today's wording, for a recording that already exists.
    """
    rng = stream(seed, "notes")
    told_on = {event.day: event for event in told}
    notes = []
    for k, day in enumerate(behaviours):
        u = rng.random(14)
        event = told_on.get(day.day)
        if u[0] > habits.journal_share and k != calendar.today_index and event is None:
            continue
        wall = datetime.combine(day.day, time(20), tzinfo=UTC) + timedelta(seconds=int(1500 * u[1]))
        recorded_at = wall - timedelta(minutes=calendar.offsets_min[k])
        text, stated = _compose(day, u, k == calendar.today_index, event)
        if k == calendar.today_index and today_text is not None:
            text = today_text
        notes.append(JournalNote(day.day, recorded_at, text, stated))
    return notes


def spoken_number(n: int) -> str:
    """0 … 199 in words: ``seventy-five`` is said, not typed."""
    if n < 20:
        return _ONES[n]
    if n >= 100:
        rest = f" and {spoken_number(n - 100)}" if n > 100 else ""
        return f"one hundred{rest}" if n < 200 else str(n)
    return _TENS[n // 10] + (f" {_ONES[n % 10]}" if n % 10 else "")


def _compose(
    day: Behaviours, u: np.ndarray, in_full: bool, event: ToldEvent | None
) -> tuple[str, dict[str, Any]]:
    """Sentences on what happened; what did not happen is mentioned only now and then."""
    parts = [
        _alcohol(day, u, in_full),
        _training(day, u, in_full),
        _caffeine(day, u),
        _stress(day, u, in_full),
        _illness(day, u),
        _late_meal(day),
        _travel(day),
        _magnesium(day, u),
    ]
    if event is not None:
        parts = [part for part in parts if not _sounds_untroubled(part[1])]
    sentences = [sentence for sentence, _ in parts if sentence]
    if event is not None:
        sentences.insert(int(event.place_0_1 * (len(sentences) + 1)), event.sentence)
    text = " ".join(sentences)
    stated = {name: value for _, facts in parts for name, value in facts.items()}
    return text or "Nothing special today.", stated


def _sounds_untroubled(facts: dict[str, Any]) -> bool:
    """Nobody who was burgled adds that stress was one out of five; with a decoy it is left out alike."""
    return facts.get("illness") is False or facts.get("stress_1to5", 5) <= 2


def _alcohol(day: Behaviours, u: np.ndarray, in_full: bool) -> tuple[str, dict]:
    if not day.alcohol_drinks:
        return ("No alcohol today.", {"alcohol_drinks": 0}) if in_full or u[2] < 0.5 else ("", {})
    one, many = _DRINKS[int(3 * u[3])]
    count = spoken_number(day.alcohol_drinks).capitalize()
    drink = one if day.alcohol_drinks == 1 else many
    last = (
        ""
        if day.alcohol_drinks == 1
        else ", last one around eight"
        if u[4] < 0.6
        else ", last one at half past seven"
    )
    return f"{count} {drink} with dinner{last}.", {"alcohol_drinks": day.alcohol_drinks}


def _training(day: Behaviours, u: np.ndarray, in_full: bool) -> tuple[str, dict]:
    if day.training == "none":
        return ("Rest day, no training.", {"training": "none"}) if in_full or u[5] < 0.5 else ("", {})
    name = _SPORTS[day.sport][day.training]
    minutes = {30: "half an hour", 60: "one hour"}.get(
        day.training_minutes, f"{spoken_number(day.training_minutes)} minutes"
    )
    stated = {"training": day.training, "training_minutes": day.training_minutes}
    return f"{name}, about {minutes}.", stated


def _caffeine(day: Behaviours, u: np.ndarray) -> tuple[str, dict]:
    if u[6] < 0.35:
        return "", {}
    if not day.caffeine_servings:
        return "No coffee at all.", {"caffeine_servings": 0, "caffeine_after_2pm": False}
    cups = f"{spoken_number(day.caffeine_servings).capitalize()} coffee{'s' if day.caffeine_servings > 1 else ''}"
    when = "the last one at four in the afternoon" if day.caffeine_after_2pm else "in the morning"
    if day.caffeine_after_2pm and day.caffeine_servings == 1:
        when = "at four in the afternoon"
    stated = {"caffeine_servings": day.caffeine_servings, "caffeine_after_2pm": day.caffeine_after_2pm}
    return f"{cups}, {when}.", stated


def _stress(day: Behaviours, u: np.ndarray, in_full: bool) -> tuple[str, dict]:
    if not in_full and u[7] < 0.2:
        return "", {}
    return f"Stress {spoken_number(day.stress_1to5)} out of five.", {"stress_1to5": day.stress_1to5}


def _illness(day: Behaviours, u: np.ndarray) -> tuple[str, dict]:
    if not day.illness:
        return ("I feel healthy.", {"illness": False}) if u[8] < 0.15 else ("", {})
    how = "sore throat and a runny nose" if u[9] < 0.6 else "headache and chills"
    return f"I feel sick today, {how}.", {"illness": True}


def _late_meal(day: Behaviours) -> tuple[str, dict]:
    return ("Late dinner tonight, I will eat after nine.", {"late_meal": True}) if day.late_meal else ("", {})


def _travel(day: Behaviours) -> tuple[str, dict]:
    return ("Long flight today, travelling.", {"travel": True}) if day.travel else ("", {})


def _magnesium(day: Behaviours, u: np.ndarray) -> tuple[str, dict]:
    return ("Took my magnesium.", {"magnesium": True}) if day.magnesium and u[10] < 0.9 else ("", {})
