"""Which habits a coin may decide about: harmless ones that can be done, or left out, on any single evening.

Nothing is ever assigned that could harm. A habit that may harm can be tested by leaving it out: on the coin's evenings
it is left out, on the others the wearer does as usual.
"""

from __future__ import annotations

from dataclasses import dataclass

from data_intelligence.errors import ExperimentRefused
from hrv_shared.ontology import behaviours

__all__ = ["Habit", "harmless_habit", "harmless_names"]

DO = {
    "mental": ("meditation", "breathwork", "yoga_nidra_nsdr", "gratitude", "journaling", "prayer"),
    "lifestyle": ("reading", "outdoors"),
    "sleep_behaviour": (
        "read_in_bed", "dark_room", "sleep_mask", "earplugs", "white_noise", "humidifier", "nasal_strip",
        "weighted_blanket", "blue_light_glasses", "hot_shower_before_bed", "wind_down_routine",
    ),
    "circadian": ("morning_sunlight", "dim_lights_evening", "watched_sunset"),
    "recovery_modality": ("stretching", "foam_rolling", "percussive_massage", "yoga", "relaxation"),
    "nutrition": ("herbal_tea", "light_meal", "breakfast", "fruit_vegetables", "meals_in_daylight"),
    "substance": ("alcohol_free_day",),
}  # fmt: skip
LEAVE_OUT = {
    "nutrition": ("late_meal", "big_meal", "snacking", "added_sugar", "processed_food", "spicy_food"),
    "sleep_behaviour": ("screen_in_bed",),
    "lifestyle": ("late_screen_time", "gaming", "worked_late"),
    "substance": ("caffeine", "energy_drink"),
}

WHY_NOT = {
    "medication": "a medicine is changed with a doctor, never by a coin",
    "health_symptom": "an illness or symptom can't be assigned",
    "hormonal": "it can't be assigned",
    "supplement": "supplements are not harmless for everybody",
    "exercise": "training acts for days, so single evenings can't be compared; plan it with a coach",
    "travel_environment": "it can't be chosen evening by evening",
    "measurement_event": "it is about the strap, not about you",
    "auto_context": "it is measured, not chosen",
    "custom": "its harmlessness is not known here",
    "substance": "nothing that may harm is ever assigned; leaving out can be tested: alcohol_free_day, caffeine",
}


@dataclass(frozen=True)
class Habit:
    """A habit that may be tested.

    Attributes
    ----------
    leave_out : bool
        The coin's evenings leave it out; the others are as usual.
    told_as : str
        The behaviour of the journal by which adherence is read …
    told_when_done : bool
        … and whether the journal names it when the assignment was followed.
    """

    behaviour: str
    leave_out: bool
    told_as: str
    told_when_done: bool

    @property
    def words(self) -> str:
        """What the coin asks for."""
        name = self.behaviour.replace("_", " ")
        return f"leave out {name}" if self.leave_out else f"do: {name}"


def harmless_habit(behaviour: str) -> Habit:
    """The habit to be tested.

    Raises
    ------
    ExperimentRefused
        Unknown, private, or not harmless to vary; the message says why.
    """
    known = behaviours().get(behaviour)
    if known is None:
        raise ExperimentRefused(
            f"Expected a behaviour of the journal that may be varied, got {behaviour!r}. There are: "
            f"{', '.join(harmless_names())}."
        )
    if behaviour == "alcohol_free_day":
        return Habit(behaviour, False, "alcohol", False)
    if behaviour in DO.get(known.category, ()):
        return Habit(behaviour, False, behaviour, True)
    if behaviour in LEAVE_OUT.get(known.category, ()):
        return Habit(behaviour, True, behaviour, False)
    reason = (
        "it is private"
        if known.private
        else WHY_NOT.get(known.category, "it is not on the list of harmless habits")
    )
    raise ExperimentRefused(
        f"{behaviour} can't be tested by a coin: {reason}. Harmless ones: {', '.join(harmless_names())}."
    )


def harmless_names() -> list[str]:
    """Every habit that may be tested, in the order of the alphabet."""
    return sorted(name for table in (DO, LEAVE_OUT) for names in table.values() for name in names)
