"""The accounts that one simulator serves, and who of them sits at the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from whoop_api_client.simulator.errors import SimulatorError
from whoop_api_client.simulator.world import World

if TYPE_CHECKING:
    from whoop_api_client.simulator.cohort import SyntheticMember

    Worlds = World | SyntheticMember | Sequence[World | SyntheticMember]

__all__ = ["Account", "Accounts"]


@dataclass(frozen=True)
class Account:
    """One account: its world and, for a synthetic member, the truth behind it."""

    world: World
    notes_at: Callable[[datetime], list]
    member: SyntheticMember | None = None

    @property
    def user_id(self) -> int:
        """WHOOP's number of the member."""
        return self.world.profile["user_id"]

    def truth(self) -> dict[str, Any] | None:
        """True effects and traits; None for recorded people."""
        return None if self.member is None else self.member.truth

    def true_nights(self) -> list[dict[str, Any]] | None:
        """Each night's true RMSSD with its parts and the law it was drawn from (given all before), the coming nights
        included; None for recorded people."""
        if self.member is None:
            return None
        return [
            {
                "wake_day": night.wake_day.isoformat(),
                "hrv_rmssd_ms": night.hrv_rmssd_ms,
                "level_ln": night.level_ln,
                "effects_ln": night.effects_ln,
                "residual_carried_ln": night.residual_carried_ln,
                "hit": night.hit,
                "law": asdict(night.law),
                "observed": night.observed,
                "to_come": night.wake_day > self.member.calendar.today,
            }
            for night in self.member.days
        ]

    def told_events(self) -> list[dict[str, Any]] | None:
        """What the notes tell that no feature holds, with the drawn effects; None for recorded people."""
        if self.member is None:
            return None
        return [
            {
                "day": event.day.isoformat(),
                "kind": event.kind,
                "acts": event.acts,
                "sentence": event.sentence,
                "effect_ln": event.effect_ln,
                "nights_ln": {
                    (event.day + timedelta(days=later)).isoformat(): effect
                    for later, effect in enumerate(event.nights_ln, start=1)
                },
                "to_come": event.day > self.member.calendar.today,
            }
            for event in self.member.told
        ]


class Accounts:
    """All accounts by user id, in the order given; the first is the default."""

    def __init__(self, worlds: Worlds) -> None:
        given = worlds if isinstance(worlds, Sequence) else [worlds]
        accounts = [_opened(world) for world in given]
        if not accounts:
            raise SimulatorError("expected at least one account to serve, got none")
        self._by_id = {account.user_id: account for account in accounts}
        if len(self._by_id) < len(accounts):
            raise SimulatorError("expected accounts with different user ids, got one twice; give other seeds")
        self.at_browser = accounts[0].user_id

    def __iter__(self):
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, user_id: int | str | None) -> Account | None:
        """An account by its id; without one the first."""
        if user_id is None or user_id == "":
            return next(iter(self))
        try:
            return self._by_id.get(int(user_id))
        except ValueError:
            return next((a for a in self if a.world.profile["email"] == user_id), None)


def _opened(world: World | SyntheticMember) -> Account:
    if isinstance(world, World):
        return Account(world, lambda at: [])
    return Account(world.world, world.journal_at, world)
