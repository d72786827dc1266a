"""Synthetic members: whole WHOOP accounts with known true effects.

Card. Assumes additive effects on ln RMSSD, an AR(1) residual and occasional unlogged hit nights, with the
spread over people measured on 17 wearers (reference forecasting.md 2.3, 2.4). It is a pure function of
its arguments: no clock, no network, no global random state. Winning here proves the pipeline, not the
physiology.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from whoop_api_client.simulator.behaviours import Behaviours, plan_behaviours
from whoop_api_client.simulator.errors import BadMemberRequest
from whoop_api_client.simulator.happenings import AS_MEASURED, Happenings
from whoop_api_client.simulator.home_zone import LocalDays, demo_offset, plan_days
from whoop_api_client.simulator.journal_notes import JournalNote, write_notes
from whoop_api_client.simulator.member_records import build_world
from whoop_api_client.simulator.night_schedule import plan_nights
from whoop_api_client.simulator.physiology import NightTruth, simulate_nights
from whoop_api_client.simulator.told_events import ToldEvent, plan_told_events, told_by_night
from whoop_api_client.simulator.traits import Traits, draw_traits
from whoop_api_client.simulator.world import World

__all__ = ["SyntheticMember", "make_cohort", "make_member"]


@dataclass(frozen=True)
class SyntheticMember:
    """One account and the truth behind it.

    ``days`` and ``behaviours`` run from the first wake day to some nights after ``now``: ``days[k]`` is
    the truth of the night that ends on a day, ``behaviours[k]`` what the member did on that day
    afterwards. The world serves each record only from its own time on; ``journal`` and the record lists
    are as of ``now``. ``told`` : events outside every feature, where they are on.
    """

    seed: int
    now: datetime
    utc_offset_min: int
    traits: Traits
    calendar: LocalDays
    behaviours: tuple[Behaviours, ...]
    days: tuple[NightTruth, ...]
    notes: tuple[JournalNote, ...]
    told: tuple[ToldEvent, ...]
    world: World

    @property
    def profile(self) -> dict[str, Any]:
        """UserBasicProfile."""
        return self.world.profile

    @property
    def body(self) -> dict[str, Any]:
        """UserBodyMeasurement."""
        return self.world.body

    @property
    def cycles(self) -> list[dict[str, Any]]:
        """Cycles as served at ``now``, newest first."""
        return self.records("cycle")

    @property
    def sleeps(self) -> list[dict[str, Any]]:
        """Sleeps and naps as served at ``now``, newest first."""
        return self.records("sleep")

    @property
    def recoveries(self) -> list[dict[str, Any]]:
        """Recoveries as served at ``now``, newest first."""
        return self.records("recovery")

    @property
    def workouts(self) -> list[dict[str, Any]]:
        """Workouts as served at ``now``, newest first."""
        return self.records("workout")

    @property
    def journal(self) -> list[JournalNote]:
        """Evening notes recorded up to ``now``, oldest first."""
        return self.journal_at(self.now)

    @property
    def truth(self) -> dict[str, Any]:
        """The true effects (ln RMSSD) and the level, noise and habits behind them."""
        traits = asdict(self.traits)
        effects, habits = traits.pop("effects"), traits.pop("habits")
        return {"effects_ln": effects, "traits": traits, "habits": habits}

    def records(self, kind: str, at: datetime | None = None) -> list[dict[str, Any]]:
        """Records of a kind as served at an instant (default ``now``), newest first."""
        return self.world.records(kind, at or self.now)

    def journal_at(self, at: datetime) -> list[JournalNote]:
        """Notes recorded up to an instant, oldest first."""
        return [note for note in self.notes if note.recorded_at <= at]

    def truth_of(self, wake_day: Any) -> NightTruth:
        """The truth of the night that ends on ``wake_day``, the coming nights included."""
        for night in self.days:
            if night.wake_day == wake_day:
                return night
        first, last = self.days[0].wake_day, self.days[-1].wake_day
        raise BadMemberRequest(f"expected a wake day from {first} to {last}, got {wake_day}")


def make_member(
    seed: int = 0,
    *,
    now: datetime,
    n_nights: int = 240,
    utc_offset_min: int | None = None,
    future_nights: int = 8,
    today: Mapping[str, Any] | None = None,
    today_note: str | None = None,
    happenings: Happenings = AS_MEASURED,
) -> SyntheticMember:
    """Make one synthetic member.

    Parameters
    ----------
    seed : int
        Who it is; 0 or more.
    now : datetime, aware
        The last wake day is the local date of this instant.
    n_nights : int
        Wake days up to and with the last one (some of them missing, as in life).
    utc_offset_min : int, optional
        Home offset at ``now``; default: the one at which ``now`` is evening (`demo_offset`).
    future_nights : int
        Nights after ``now`` that the world holds back until their time.
    today : mapping, optional
        Behaviours of the last wake day that override the drawn ones, e.g. ``{"alcohol_drinks": 2}``; only
        the nights after it change.
    today_note : str, optional
        The wording of today's note, when a recording of it already exists.
    happenings : Happenings
        What goes wrong in the history, and how often.

    Raises
    ------
    BadMemberRequest
        An argument out of its range.
    """
    if seed < 0:
        raise BadMemberRequest(f"expected a seed of 0 or more, got {seed}")
    if future_nights < 1:
        raise BadMemberRequest(f"expected at least one future night, got {future_nights}")
    offset_min = demo_offset(now) if utc_offset_min is None else utc_offset_min
    calendar = plan_days(seed, n_nights, now, offset_min, future_nights, happenings)
    traits = _as_asked(draw_traits(seed), happenings)
    behaviours = plan_behaviours(seed, traits, calendar, today)
    nights = plan_nights(seed, traits, calendar, behaviours, happenings)
    told = plan_told_events(
        seed, happenings.told_events_share, calendar.days, None if today_note is None else calendar.today
    )
    told_ln = told_by_night(told, calendar.days) if happenings.told_events_share else None
    truths = [
        replace(truth, observed=night.kind == "scored")
        for truth, night in zip(simulate_nights(seed, traits, behaviours, told_ln), nights, strict=True)
    ]
    return SyntheticMember(
        seed=seed,
        now=now.astimezone(UTC),
        utc_offset_min=offset_min,
        traits=traits,
        calendar=calendar,
        behaviours=tuple(behaviours),
        days=tuple(truths),
        notes=tuple(write_notes(seed, traits.habits, calendar, behaviours, today_note, told)),
        told=told,
        world=build_world(
            seed, traits, calendar, behaviours, truths, nights, now.astimezone(UTC), happenings
        ),
    )


def make_cohort(
    n_members: int,
    seed: int = 0,
    *,
    now: datetime = datetime(2026, 11, 1, 20, 45, tzinfo=UTC),
    n_nights: int = 365,
) -> list[SyntheticMember]:
    """Members ``seed*100000 … + n_members - 1``, all in UTC, for benchmarks; equal arguments give equal cohorts."""
    if n_members < 1:
        raise BadMemberRequest(f"expected at least one member, got {n_members}")
    return [
        make_member(seed * 100_000 + k, now=now, n_nights=n_nights, utc_offset_min=0)
        for k in range(n_members)
    ]


def _as_asked(traits: Traits, happenings: Happenings) -> Traits:
    """The drawn member with those habits that were asked for."""
    habits = traits.habits
    if happenings.nap_share is not None:
        habits = replace(habits, nap_share=happenings.nap_share)
    if happenings.missing_share is not None:
        habits = replace(habits, missing_share=happenings.missing_share)
    old = traits.old_hardware if happenings.old_hardware is None else happenings.old_hardware
    return replace(traits, habits=habits, old_hardware=old)
