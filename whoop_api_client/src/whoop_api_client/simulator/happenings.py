"""What happens in a synthetic account's history, and how often; the defaults are as measured on real accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from whoop_api_client.simulator.errors import BadMemberRequest

__all__ = ["AS_MEASURED", "Happenings"]

_SHARES = (
    "late_share", "revised_share", "rescored_share", "deleted_sleep_share", "deleted_workout_share", "nap_share",
    "unscorable_share", "long_cycle_share",
)  # fmt: skip
_CHOICES = {
    "dst": ("eu", "us", "south", "none"),
    "pause_as": ("no_sleep", "long_cycle", "no_cycle"),
}


def _told(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class Happenings:
    """None is "as drawn for this member"; shares are of nights, 0 switches a thing off."""

    late_share: float = _told(0.015, "nights that reach WHOOP two to eight hours after waking")
    revised_share: float = _told(0.08, "nights closed too early, revised 1-5 h later under the same ids")
    rescored_share: float = _told(0.005, "nights older than a month rescored days to weeks later")
    deleted_sleep_share: float = _told(0.0, "main sleeps that the member deletes two days later")
    deleted_workout_share: float = _told(0.006, "workouts that the member deletes three hours later")
    nap_share: float | None = _told(None, "days with a nap")
    unscorable_share: float = _told(0.006, "sleeps that are UNSCORABLE")
    missing_share: float | None = _told(None, "nights without a sleep (at most 0.5)")
    long_cycle_share: float = _told(0.3, "missing spells whose first day merges into the cycle before")
    pause_days: int | None = _told(None, "one pause of exactly so many days; 0: none")
    pause_as: str = _told("no_sleep", "a pause given by pause_days: no_sleep, long_cycle or no_cycle")
    dst: str = _told("eu", "daylight saving rule: eu, us, south or none")
    trip_hours: float | None = _told(None, "a week abroad, so many hours east (+) or west (-); 0: no trip")
    first_cycle_at_midnight: bool = _told(True, "the account begins with a cycle at midnight, offset Z")
    calibrating_nights: int = _told(4, "first recoveries with user_calibrating true")
    old_hardware: bool | None = _told(None, "SpO2 and skin temperature are null throughout")
    told_events_share: float = _told(
        0.0,
        "days with an event that no feature holds, told in the note, and as many with a decoy (at most 0.5)",
    )
    trouble_ahead: bool = _told(
        False, "late, revised, unscorable and missing nights also in the last ten and the coming ones"
    )

    def __post_init__(self) -> None:
        for name in _SHARES:
            self._within(name, 0, 1)
        self._within("missing_share", 0, 0.5)
        self._within("told_events_share", 0, 0.5)
        self._within("pause_days", 0, 400)
        self._within("trip_hours", -12, 12)
        self._within("calibrating_nights", 0, 30)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise BadMemberRequest(
                    f"expected one of {', '.join(choices)} for {name}, got {getattr(self, name)!r}"
                )
        if self.trip_hours is not None and (self.trip_hours * 4) % 1:
            raise BadMemberRequest(f"expected trip_hours in quarters of an hour, got {self.trip_hours!r}")

    def _within(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if value is not None and not low <= value <= high:
            raise BadMemberRequest(f"expected {low} to {high} for {name}, got {value!r}")


AS_MEASURED = Happenings()
