"""What a member's account holds and from when: every record as the revisions that WHOOP would have shown.

Nothing is visible before its time. The same world therefore serves yesterday, tonight and next week, by
the clock alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hrv_shared.daytime import parse_instant

__all__ = ["KINDS", "Presentation", "Revision", "Timeline", "World", "api_instant"]

KINDS = ("cycle", "sleep", "recovery", "workout")


@dataclass(frozen=True)
class Revision:
    """One state of a record.

    ``visible_at`` : from when it is served; ``payload`` : API-shaped, None once the record is deleted;
    ``grows_from``, ``grows_until`` : an open cycle's scores climb between these to the
    payload's values.
    """

    visible_at: datetime
    payload: dict[str, Any] | None
    grows_from: datetime | None = None
    grows_until: datetime | None = None


@dataclass(frozen=True)
class Timeline:
    """A record's revisions, oldest first, and the instant that collections sort it by."""

    kind: str
    key: str
    sort_at: datetime
    revisions: tuple[Revision, ...]

    def at(self, instant: datetime) -> Revision | None:
        """The revision that stands at ``instant``; None before the first and after a deletion."""
        position = bisect_right(self.revisions, instant, key=lambda revision: revision.visible_at)
        if position == 0 or self.revisions[position - 1].payload is None:
            return None
        return self.revisions[position - 1]


@dataclass(frozen=True)
class Presentation:
    """How answers look, beyond the facts: oddities of the live API that can be turned on and off."""

    pending_score_s: float = 0.0
    unknown_keys: bool = True
    account_offset_on_history: bool = True


@dataclass(frozen=True)
class World:
    """One member's account over all time.

    ``default_now`` : the instant that the world was made for; ``activity_mapping`` : old integer ids to
    UUIDs.
    """

    profile: dict[str, Any]
    body: dict[str, Any]
    timelines: tuple[Timeline, ...]
    default_now: datetime
    activity_mapping: dict[int, str] = field(default_factory=dict)
    _newest_first: dict[str, list[Timeline]] = field(init=False, repr=False, compare=False)
    _by_key: dict[tuple[str, str], Timeline] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = {kind: [] for kind in KINDS}
        for timeline in sorted(self.timelines, key=lambda t: (t.sort_at, t.key), reverse=True):
            ordered[timeline.kind].append(timeline)
        object.__setattr__(self, "_newest_first", ordered)
        object.__setattr__(self, "_by_key", {(t.kind, t.key): t for t in self.timelines})

    def record(self, kind: str, key: str, at: datetime, look: Presentation | None = None) -> dict | None:
        """One record as served at ``at``, or None."""
        timeline = self._by_key.get((kind, key))
        revision = timeline.at(at) if timeline else None
        return None if revision is None else self.present(kind, revision, at, look or Presentation())

    def visible(self, kind: str, at: datetime) -> Iterator[tuple[Timeline, Revision]]:
        """The records of a kind that exist at ``at``, newest start first, each as it stands then."""
        for timeline in self._newest_first[kind]:
            revision = timeline.at(at)
            if revision is not None:
                yield timeline, revision

    def records(self, kind: str, at: datetime, look: Presentation | None = None) -> list[dict]:
        """Every record of a kind as served at ``at``, newest start first."""
        look = look or Presentation()
        return [self.present(kind, revision, at, look) for _, revision in self.visible(kind, at)]

    def interval(self, kind: str, revision: Revision, at: datetime) -> tuple[datetime, datetime | None]:
        """Start and end that the filters test; a recovery's are those of its sleep (whoop_api.md 3)."""
        payload = revision.payload
        if kind == "recovery":
            timeline = self._by_key.get(("sleep", payload["sleep_id"]))
            sleep = timeline.at(at) if timeline else None
            payload = (
                sleep.payload if sleep else {"start": payload["created_at"], "end": payload["created_at"]}
            )
        end = payload["end"]
        return parse_instant(payload["start"]), parse_instant(end) if end else None

    def account_offset(self, at: datetime) -> str:
        """The offset of the newest visible cycle."""
        for _, revision in self.visible("cycle", at):
            return revision.payload["timezone_offset"]
        return "Z"

    def present(self, kind: str, revision: Revision, at: datetime, look: Presentation) -> dict:
        """The payload as the service would write it at ``at``."""
        payload = dict(revision.payload)
        if revision.grows_until is not None:
            payload["score"] = _grown(payload["score"], revision, at)
        scored_from = parse_instant(payload["created_at"]) + timedelta(seconds=look.pending_score_s)
        if look.pending_score_s and kind in ("sleep", "recovery") and at < scored_from:
            payload["score_state"], payload["score"] = "PENDING_SCORE", None
        if look.account_offset_on_history and kind in ("sleep", "workout"):
            payload["timezone_offset"] = self.account_offset(at)
        if look.unknown_keys and kind == "cycle":
            payload["step_count"] = None
        return payload


def api_instant(instant: datetime) -> str:
    """WHOOP's form: UTC, always three decimals, ``Z``."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _grown(score: dict | None, revision: Revision, at: datetime) -> dict | None:
    """Strain is quick to rise and slow to add to: at noon about half of the day's final value."""
    if score is None or revision.grows_from is None:
        return score
    span_s = (revision.grows_until - revision.grows_from).total_seconds()
    share = min(max((at - revision.grows_from).total_seconds() / span_s, 0.0), 1.0) if span_s > 0 else 1.0
    average, highest = score["average_heart_rate"], score["max_heart_rate"]
    return score | {
        "strain": round(score["strain"] * share**0.5, 6),
        "kilojoule": round(score["kilojoule"] * (0.3 + 0.7 * share), 3),
        "average_heart_rate": round(average * (0.85 + 0.15 * share)),
        "max_heart_rate": round(average + (highest - average) * share**0.5),
    }
