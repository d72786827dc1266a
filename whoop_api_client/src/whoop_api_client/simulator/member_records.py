"""From nights and days to the account: cycles, sleeps, recoveries, naps and workouts as WHOOP would write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from uuid import UUID

import numpy as np

from whoop_api_client.simulator.behaviours import Behaviours
from whoop_api_client.simulator.happenings import AS_MEASURED, Happenings
from whoop_api_client.simulator.home_zone import LocalDays, format_offset
from whoop_api_client.simulator.night_schedule import Night
from whoop_api_client.simulator.physiology import NightTruth
from whoop_api_client.simulator.scores import (
    cycle_score,
    nap_score,
    recovery_score,
    sleep_score,
    workout_score,
)
from whoop_api_client.simulator.traits import Traits, stream
from whoop_api_client.simulator.world import Revision, Timeline, World, api_instant

__all__ = ["build_world"]

_SPORT_IDS = {
    "running": 0,
    "cycling": 1,
    "swimming": 33,
    "weightlifting": 45,
    "functional-fitness": 48,
    "walking": 63,
}


def build_world(
    seed: int,
    traits: Traits,
    calendar: LocalDays,
    behaviours: list[Behaviours],
    truths: list[NightTruth],
    nights: list[Night],
    now: datetime,
    happenings: Happenings = AS_MEASURED,
) -> World:
    """Every record of the account with all its revisions, the future included."""
    writer = _Writer(seed, traits, calendar, happenings)
    timelines = [writer.first_cycle(nights[0])] if happenings.first_cycle_at_midnight else []
    opened = [night for night in nights if night.kind not in ("merged", "absent")]
    for position, night in enumerate(opened):
        following = opened[position + 1] if position + 1 < len(opened) else None
        k = night.index
        unworn = k + 1 < len(nights) and nights[k + 1].kind == "absent"
        timelines.append(writer.cycle(night, following, behaviours[k], truths[k], unworn))
        if night.kind != "no_sleep":
            timelines += writer.sleep_and_recovery(night, behaviours[k - 1] if k else None, truths[k])
            timelines += writer.naps(night, behaviours[k])
            timelines += writer.workouts(night, following, behaviours[k])
    return World(writer.profile(), writer.body(), tuple(timelines), now, writer.activity_mapping)


@dataclass
class _Writer:
    """Writes one account's records; each purpose draws from a stream of its own."""

    seed: int
    traits: Traits
    calendar: LocalDays
    happenings: Happenings

    def __post_init__(self) -> None:
        n = len(self.calendar.days)
        self.user_id = 10_000_000 + self.seed % 80_000_000
        self.activity_mapping: dict[int, str] = {}
        jitter = stream(self.seed, "cycle-ids").integers(-300_000, 300_000, n)
        self.cycle_ids = [1_090_000_000 + 900_000 * k + int(jitter[k]) for k in range(n)]
        self.noise = stream(self.seed, "record-noise").standard_normal((n, 24))
        self.chance = stream(self.seed, "record-chance").random((n, 12))

    def profile(self) -> dict:
        names = ["Alex", "Sam", "Robin", "Kim", "Jo", "Nic", "Toni", "Chris"]
        return {
            "user_id": self.user_id,
            "email": f"member-{self.seed}@example.invalid",
            "first_name": names[self.seed % len(names)],
            "last_name": "Synthetic",
        }

    def body(self) -> dict:
        return {
            "height_meter": self.traits.height_m,
            "weight_kilogram": self.traits.weight_kg,
            "max_heart_rate": self.traits.max_hr_bpm,
        }

    def first_cycle(self, first_night: Night) -> Timeline:
        """The day of joining: from midnight with offset Z, without sleep or recovery."""
        opens = datetime.combine((first_night.start_at - timedelta(hours=6)).date(), time(), tzinfo=UTC)
        created = first_night.start_at - timedelta(minutes=70)
        base = {
            "id": 1_089_000_000,
            "user_id": self.user_id,
            "created_at": api_instant(created),
            "updated_at": api_instant(created),
            "start": api_instant(opens),
            "end": None,
            "timezone_offset": "Z",
            "score_state": "SCORED",
            "score": {
                "strain": 0.025803559,
                "kilojoule": 208.66307,
                "average_heart_rate": 67,
                "max_heart_rate": 92,
            },
        }
        closed_at = first_night.processed_at
        closed = base | {"end": api_instant(first_night.start_at), "updated_at": api_instant(closed_at)}
        revisions = (Revision(created, base), Revision(closed_at, closed))
        return Timeline("cycle", str(base["id"]), opens, revisions)

    def cycle(
        self, night: Night, following: Night | None, day: Behaviours, truth: NightTruth, unworn: bool
    ) -> Timeline:
        """``unworn`` : the strap came off that day, and the next cycle begins only days later."""
        k = night.index
        created = night.processed_at - timedelta(seconds=5)
        merged_days = following.index - k - 1 if following and not unworn else 0
        opening = {
            "id": self.cycle_ids[k],
            "user_id": self.user_id,
            "created_at": api_instant(created),
            "updated_at": api_instant(created),
            "start": api_instant(night.start_at),
            "end": None,
            "timezone_offset": format_offset(self.calendar.offsets_min[k]),
            "score_state": "SCORED",
            "score": cycle_score(self.traits, day.day_strain_0_21, truth, self.noise[k], merged_days),
        }
        bedtime = following.start_at if following and not unworn else night.end_at + timedelta(hours=16)
        revisions = [Revision(created, opening, grows_from=night.end_at, grows_until=bedtime)]
        if following:
            closed_at = following.processed_at - timedelta(seconds=5)
            closed = opening | {"end": api_instant(bedtime), "updated_at": api_instant(closed_at)}
            revisions.append(Revision(closed_at, closed))
        return Timeline("cycle", str(self.cycle_ids[k]), night.start_at, tuple(revisions))

    def sleep_and_recovery(
        self, night: Night, evening: Behaviours | None, truth: NightTruth
    ) -> list[Timeline]:
        k, noise = night.index, self.noise[night.index]
        scored = night.kind == "scored"
        sleep = self._sleep_base(night.index, 0, night.start_at, night.end_at, night.processed_at, False)
        recovery = {
            "cycle_id": self.cycle_ids[k],
            "sleep_id": sleep["id"],
            "user_id": self.user_id,
            "created_at": sleep["created_at"],
            "updated_at": sleep["updated_at"],
            "score_state": "SCORED" if scored else "UNSCORABLE",
            "score": None,
        }
        if not scored:
            sleep |= {"score_state": "UNSCORABLE", "score": None}
            found = [_single(self._line("sleep", sleep["id"], night), night.processed_at, sleep)]
            if self.chance[k, 0] < 0.5:
                found.append(
                    _single(
                        self._line("recovery", str(self.cycle_ids[k]), night), night.processed_at, recovery
                    )
                )
            return found
        if k < 30:
            self.activity_mapping[1_200_000_000 + 1_700_003 * k] = sleep["id"]
        sleeps, recoveries = [], []
        calibrating = k < self.happenings.calibrating_nights
        for visible_at, end_at, factor in _stages(night, noise):
            stamp = {"updated_at": api_instant(visible_at), "score_state": "SCORED"}
            sleeps.append(
                Revision(
                    visible_at,
                    sleep
                    | stamp
                    | {
                        "end": api_instant(end_at),
                        "score": sleep_score(self.traits, night.start_at, end_at, evening, truth, noise),
                    },
                )
            )
            scores = recovery_score(self.traits, truth, noise, factor, calibrating, self.chance[k, 1] < 0.01)
            recoveries.append(Revision(visible_at, recovery | stamp | {"score": scores}))
        if self.chance[k, 7] < self.happenings.deleted_sleep_share and k < self.calendar.today_index:
            deleted_at = max(night.settled_at, sleeps[-1].visible_at) + timedelta(days=2)
            sleeps.append(Revision(deleted_at, None))
            recoveries.append(Revision(deleted_at, None))
        return [
            Timeline("sleep", sleep["id"], night.start_at, tuple(sleeps)),
            Timeline("recovery", str(self.cycle_ids[k]), night.start_at, tuple(recoveries)),
        ]

    def naps(self, night: Night, day: Behaviours) -> list[Timeline]:
        if not day.nap_minutes:
            return []
        k = night.index
        start = _local(self.calendar, k, 13.5 + 1.5 * self.chance[k, 2])
        end = start + timedelta(minutes=day.nap_minutes)
        seen_at = end + timedelta(minutes=10)
        nap = self._sleep_base(k, 1, start, end, seen_at, True)
        nap |= {"score_state": "SCORED", "score": nap_score(self.traits, start, end, self.noise[k])}
        return [Timeline("sleep", nap["id"], start, (Revision(seen_at, nap),))]

    def workouts(self, night: Night, following: Night | None, day: Behaviours) -> list[Timeline]:
        k = night.index
        planned = []
        if day.training != "none":
            planned.append((day.training_hour, day.training_minutes, day.sport, day.training))
        if self.chance[k, 3] < 0.15 and not day.illness:
            planned.append((12.4, 25 + int(20 * self.chance[k, 4]), "walking", "walk"))
        found = []
        for ordinal, (hour, minutes, sport, level) in enumerate(planned):
            start = max(_local(self.calendar, k, hour), night.end_at + timedelta(minutes=40))
            end = start + timedelta(minutes=minutes)
            if following and end > following.start_at:
                continue
            seen_at = end + timedelta(minutes=5 + round(7 * self.chance[k, 5]))
            workout = {
                "id": _uuid(self.seed, "workout", k, ordinal),
                "v1_id": None,
                "user_id": self.user_id,
                "created_at": api_instant(seen_at),
                "updated_at": api_instant(seen_at),
                "start": api_instant(start),
                "end": api_instant(end),
                "timezone_offset": format_offset(self.calendar.offsets_min[k]),
                "sport_name": sport,
                "sport_id": _SPORT_IDS[sport],
                "score_state": "SCORED",
                "score": workout_score(self.traits, level, sport, end - start, self.noise[k]),
            }
            revisions = [Revision(seen_at, workout)]
            if self.chance[k, 6] < self.happenings.deleted_workout_share and k < self.calendar.today_index:
                revisions.append(Revision(seen_at + timedelta(hours=3), None))
            found.append(Timeline("workout", workout["id"], start, tuple(revisions)))
        return found

    def _sleep_base(
        self, k: int, ordinal: int, start: datetime, end: datetime, seen_at: datetime, nap: bool
    ) -> dict:
        return {
            "id": _uuid(self.seed, "sleep", k, ordinal),
            "cycle_id": self.cycle_ids[k],
            "v1_id": None,
            "user_id": self.user_id,
            "created_at": api_instant(seen_at),
            "updated_at": api_instant(seen_at),
            "start": api_instant(start),
            "end": api_instant(end),
            "timezone_offset": format_offset(self.calendar.offsets_min[k]),
            "nap": nap,
        }

    def _line(self, kind: str, key: str, night: Night) -> tuple[str, str, datetime]:
        return kind, key, night.start_at


def _stages(night: Night, noise: np.ndarray) -> list[tuple[datetime, datetime, float]]:
    """When the night's numbers changed: (from when, sleep end as believed, factor on the true RMSSD)."""
    stages = []
    if night.early_end_at is not None:
        stages.append((night.processed_at, night.early_end_at, float(np.exp(0.04 * noise[20]))))
    stages.append((night.settled_at, night.end_at, 1.0))
    if night.rescored_at is not None:
        stages.append((night.rescored_at, night.end_at, float(np.exp(0.01 * noise[21]))))
    return stages


def _single(line: tuple[str, str, datetime], visible_at: datetime, payload: dict) -> Timeline:
    return Timeline(*line, (Revision(visible_at, payload),))


def _local(calendar: LocalDays, k: int, hour: float) -> datetime:
    wall = datetime.combine(calendar.days[k], time(), tzinfo=UTC) + timedelta(seconds=round(hour * 3600))
    return wall - timedelta(minutes=calendar.offsets_min[k])


def _uuid(seed: int, kind: str, k: int, ordinal: int) -> str:
    digest = blake2b(f"{seed}/{kind}/{k}/{ordinal}".encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))
