"""Every question that a member may ask WHOOP's API v2: path, parameters, and the model of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import ValidationError

from whoop_api_client.errors import NotFound, UnexpectedAnswer
from whoop_api_client.models import (
    RECOVERIES,
    SLEEPS,
    WORKOUTS,
    ActivityMapping,
    Body,
    Collection,
    Cycle,
    Nothing,
    Profile,
    Recovery,
    Sleep,
    SleepStream,
    WhoopModel,
    Workout,
)

PAGE_SIZE = 25  # WHOOP rejects more with 400

Answer = TypeVar("Answer", bound=WhoopModel)
StreamType = Literal[
    "hr", "skin_temp", "board_temp", "battery_temp", "sleep_classification", "charging_status"
]


@dataclass(frozen=True)
class Question(Generic[Answer]):
    """One request.

    Attributes
    ----------
    none_on : set of int
        Statuses that mean "there is none for this account": the answer is then None instead of an error.
    """

    path: str
    model: type[Answer]
    params: Mapping[str, Any] = field(default_factory=dict)
    method: str = "GET"
    none_on: frozenset[int] = frozenset()

    def read(self, raw: dict[str, Any] | None) -> Answer | None:
        """The typed reading of a raw answer; None stays None.

        Raises
        ------
        UnexpectedAnswer
            The answer lacks what the model cannot do without.
        """
        return None if raw is None else typed(self.model, raw, self.path)


def typed(model: type[Answer], raw: dict[str, Any], where: str) -> Answer:
    """A raw answer as its model; an error names the field, never its value."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field_name = ".".join(str(part) for part in first["loc"])
        raise UnexpectedAnswer(f"WHOOP's answer to {where}: {field_name}: {first['msg']}.") from None


def profile() -> Question[Profile]:
    return Question("/v2/user/profile/basic", Profile)


def body() -> Question[Body]:
    return Question("/v2/user/measurement/body", Body)


def cycle(cycle_id: int | str) -> Question[Cycle]:
    return Question(f"/v2/cycle/{_number(cycle_id)}", Cycle)


def cycle_sleep(cycle_id: int | str) -> Question[Sleep]:
    return Question(f"/v2/cycle/{_number(cycle_id)}/sleep", Sleep)


def cycle_recovery(cycle_id: int | str) -> Question[Recovery]:
    return Question(f"/v2/cycle/{_number(cycle_id)}/recovery", Recovery)


def sleep(sleep_id: str) -> Question[Sleep]:
    return Question(f"{SLEEPS.path}/{_segment(sleep_id)}", Sleep)


def sleep_stream(sleep_id: str, types: tuple[StreamType, ...] = ("hr",)) -> Question[SleepStream]:
    return Question(
        f"{SLEEPS.path}/{_segment(sleep_id)}/stream",
        SleepStream,
        {"types": list(types)},
        none_on=frozenset({403, 404}),  # many accounts have none
    )


def workout(workout_id: str) -> Question[Workout]:
    return Question(f"{WORKOUTS.path}/{_segment(workout_id)}", Workout)


def activity_mapping(activity_v1_id: int | str) -> Question[ActivityMapping]:
    return Question(f"/v1/activity-mapping/{_number(activity_v1_id)}", ActivityMapping)


def revoke() -> Question[Nothing]:
    return Question("/v2/user/access", Nothing, method="DELETE")


def record(kind: str, key: str) -> Question[Any]:
    """One record by its kind and key (a recovery's key is its cycle's id)."""
    ways = {"cycle": cycle, "sleep": sleep, RECOVERIES.kind: cycle_recovery, "workout": workout}
    return ways[kind](key)


def page(
    collection: Collection[Any],
    start: datetime | None,
    end: datetime | None,
    mark: str | None,
    size: int = PAGE_SIZE,
) -> Question[WhoopModel]:
    """A page of a collection. The filters are repeated beside the mark: WHOOP's own examples do so."""
    params: dict[str, Any] = {"limit": size}
    if start is not None:
        params["start"] = _stamp(start)
    if end is not None:
        params["end"] = _stamp(end)
    if mark:
        params["nextToken"] = mark
    return Question(collection.path, WhoopModel, params)


def _stamp(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError("expected an aware datetime for a WHOOP time filter")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def _number(identity: int | str) -> int:
    try:
        return int(identity)
    except ValueError:
        raise NotFound(f"{str(identity)[:64]!r} is not an id of WHOOP (expected a whole number).") from None


def _segment(record_id: str) -> str:
    # an id goes into a path: anything but a UUID's letters would reach another endpoint
    if not record_id or not all(c.isascii() and (c.isalnum() or c == "-") for c in record_id):
        raise NotFound(f"{str(record_id)[:64]!r} is not the id of a WHOOP activity (expected a UUID).")
    return record_id
