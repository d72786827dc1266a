"""What the member does on each day: training, drinks, stress, illness and the rest, and the strain that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np

from whoop_api_client.simulator.errors import BadMemberRequest
from whoop_api_client.simulator.home_zone import LocalDays
from whoop_api_client.simulator.traits import SPORTS, TRAINING_LEVELS, Habits, Traits, stream

__all__ = ["Behaviours", "plan_behaviours", "with_training"]

_GAIN_PER_LEVEL = {"none": 0.0, "easy": 2.7, "moderate": 5.3, "hard": 7.8}
_USUAL_MINUTES = {"none": 0, "easy": 35, "moderate": 50, "hard": 70}


@dataclass(frozen=True)
class Behaviours:
    """One waking day; every field acts, if at all, on the night that follows."""

    day: date
    alcohol_drinks: int = 0
    caffeine_servings: int = 0
    caffeine_after_2pm: bool = False
    stress_1to5: int = 2
    illness: bool = False
    late_meal: bool = False
    training: str = "none"
    training_minutes: int = 0
    training_hour: float = 17.5
    sport: str = "running"
    travel: bool = False
    magnesium: bool = False
    nap_minutes: int = 0
    day_strain_0_21: float = 0.0


def plan_behaviours(
    seed: int, traits: Traits, calendar: LocalDays, today: Mapping[str, Any] | None = None
) -> list[Behaviours]:
    """Draw every day's behaviours; ``today`` overrides fields of the last wake day.

    The draws of one day do not depend on another day's outcome, so an override moves nothing but the
    nights after it.

    Raises
    ------
    BadMemberRequest
        ``today`` names a behaviour that does not exist, or a value out of its range.
    """
    rng = stream(seed, "behaviours")
    ill = _illness_days(stream(seed, "illness"), traits.habits.illness_per_day, len(calendar.days))
    planned = [
        _draw_day(rng, traits.habits, day, ill[k], calendar.travelling[k])
        for k, day in enumerate(calendar.days)
    ]
    if today:
        k = calendar.today_index
        planned[k] = _override(planned[k], today, traits.habits)
    return planned


def with_training(behaviours: Behaviours, level: str, minutes: int, habits: Habits) -> Behaviours:
    """The same day with another training, its strain moved by the difference."""
    before = _training_gain(behaviours.training, behaviours.training_minutes)
    after = _training_gain(level, minutes)
    strain = float(np.clip(behaviours.day_strain_0_21 - before + after, 0.5, 20.8))
    sport = behaviours.sport or habits.sports[0]
    return replace(behaviours, training=level, training_minutes=minutes, sport=sport, day_strain_0_21=strain)


def _draw_day(rng: np.random.Generator, habits: Habits, day: date, ill: bool, travel: bool) -> Behaviours:
    u = rng.random(12)
    noise, minutes_noise, hour_noise = rng.standard_normal(3)
    drinks_drawn = 1 + int(rng.poisson(habits.typical_drinks - 1))
    coffees = int(rng.poisson(habits.coffee_per_day))
    evening_out = day.weekday() in (4, 5)
    drink_share = habits.alcohol_share_weekend if evening_out else habits.alcohol_share_weekday
    drinks = min(drinks_drawn, 6) if u[0] < drink_share * (0.3 if ill else 1.0) else 0
    level = TRAINING_LEVELS[int(np.searchsorted(np.cumsum(habits.training_shares), u[1]))]
    if ill or travel:
        level = "none"
    minutes = int(np.clip(5 * round(_USUAL_MINUTES[level] * (1 + 0.25 * minutes_noise) / 5), 15, 150))
    minutes = 0 if level == "none" else minutes
    hour = (8.0 if u[2] < 0.35 else 17.0) + 0.4 * float(np.clip(hour_noise, -2, 2))
    stress = 1 + int(np.searchsorted([0.2, 0.6, 0.85, 0.96], u[3] * (0.9 if day.weekday() >= 5 else 1.0)))
    strain = habits.strain_base_0_21 + habits.strain_noise_0_21 * noise - (2.0 if ill else 0.0)
    return Behaviours(
        day=day,
        alcohol_drinks=drinks,
        caffeine_servings=coffees,
        caffeine_after_2pm=bool(coffees and u[4] < 0.3),
        stress_1to5=stress,
        illness=ill,
        late_meal=bool(u[5] < habits.late_meal_share * (2 if evening_out else 1)),
        training=level,
        training_minutes=minutes,
        training_hour=hour,
        sport=habits.sports[int(u[6] * len(habits.sports))],
        travel=travel,
        magnesium=bool(u[7] < habits.magnesium_share),
        nap_minutes=int(20 + 70 * u[9]) if u[8] < habits.nap_share else 0,
        day_strain_0_21=float(np.clip(strain + _training_gain(level, minutes), 0.5, 20.8)),
    )


def _training_gain(level: str, minutes: int) -> float:
    """Strain that a training adds; longer than usual adds less than in proportion (strain is a log of load)."""
    if level == "none":
        return 0.0
    return _GAIN_PER_LEVEL[level] * (minutes / _USUAL_MINUTES[level]) ** 0.4


def _illness_days(rng: np.random.Generator, per_day: float, n_days: int) -> list[bool]:
    """Sick spells of one to three days; every day of a spell costs its own night."""
    ill = [False] * n_days
    k = 0
    while k < n_days:
        begins, length = rng.random() < per_day, int(rng.integers(1, 4))
        if begins:
            for j in range(k, min(k + length, n_days)):
                ill[j] = True
            k += length + 14
        else:
            k += 1
    return ill


def _override(planned: Behaviours, today: Mapping[str, Any], habits: Habits) -> Behaviours:
    known = {field.name: field.type for field in fields(Behaviours) if field.name != "day"}
    unknown = sorted(set(today) - set(known))
    if unknown:
        raise BadMemberRequest(
            f"expected behaviours out of {', '.join(sorted(known))}; got {', '.join(unknown)}; correct `today`"
        )
    for name, value in today.items():
        _check_value(name, value, known[name])
    changes = dict(today)
    level = changes.pop("training", planned.training)
    minutes = changes.pop("training_minutes", _USUAL_MINUTES[level] if level != planned.training else None)
    if minutes is None:
        minutes = planned.training_minutes
    return replace(with_training(planned, level, 0 if level == "none" else minutes, habits), **changes)


_RANGES = {
    "alcohol_drinks": (0, 20),
    "caffeine_servings": (0, 20),
    "stress_1to5": (1, 5),
    "training_minutes": (0, 600),
    "training_hour": (5, 19.5),
    "nap_minutes": (0, 240),
    "day_strain_0_21": (0, 21),
}
_CHOICES = {"training": TRAINING_LEVELS, "sport": SPORTS}


def _check_value(name: str, value: Any, kind: Any) -> None:
    wanted = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}[str(kind)]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise BadMemberRequest(f"expected {kind} for today's {name}, got {value!r}")
    if name in _RANGES and not _RANGES[name][0] <= value <= _RANGES[name][1]:
        low, high = _RANGES[name]
        raise BadMemberRequest(f"expected {low} to {high} for today's {name}, got {value!r}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise BadMemberRequest(
            f"expected one of {', '.join(_CHOICES[name])} for today's {name}, got {value!r}"
        )
