"""What a member's account holds and from when: every record as the revisions that WHOOP would have shown.

Nothing is visible before its time. The same world therefore serves yesterday, tonight and next week, by
the clock alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator.presentation import Presentation, rendered, written
from whoop_api_client.simulator.timeline import Revision, Timeline, api_instant

__all__ = ["KINDS", "Presentation", "Revision", "Timeline", "World", "api_instant"]

KINDS = ("cycle", "sleep", "recovery", "workout")


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
    _oldest_first: dict[str, list[Timeline]] = field(init=False, repr=False, compare=False)
    _by_key: dict[tuple[str, str], Timeline] = field(init=False, repr=False, compare=False)
    _main_sleep: dict[int, str] = field(init=False, repr=False, compare=False)
    _offset_memo: list = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = {kind: [] for kind in KINDS}
        for timeline in sorted(self.timelines, key=lambda t: t.position):
            ordered[timeline.kind].append(timeline)
        object.__setattr__(self, "_oldest_first", ordered)
        object.__setattr__(self, "_offset_memo", [])
        object.__setattr__(self, "_by_key", {(t.kind, t.key): t for t in self.timelines})
        main = {}
        for timeline in ordered["sleep"]:
            payload = timeline.revisions[0].payload
            if not payload["nap"]:
                main[payload["cycle_id"]] = timeline.key
        object.__setattr__(self, "_main_sleep", main)

    def record(self, kind: str, key: str, at: datetime, look: Presentation | None = None) -> dict | None:
        """One record as served at ``at``, or None."""
        revision = self.revision(kind, key, at)
        return None if revision is None else self.present(kind, revision, at, look or Presentation())

    def revision(self, kind: str, key: str, at: datetime) -> Revision | None:
        """The state of one record at ``at``, or None."""
        timeline = self._by_key.get((kind, key))
        return timeline.at(at) if timeline else None

    def main_sleep_key(self, cycle_id: int) -> str | None:
        """The id of the sleep that opened a cycle."""
        return self._main_sleep.get(cycle_id)

    def visible(
        self, kind: str, at: datetime, behind: tuple[str, str] | None = None
    ) -> Iterator[tuple[Timeline, Revision]]:
        """The records of a kind that exist at ``at``, newest start first, each as it stands then.

        ``behind`` : only those that follow this `Timeline.position`.
        """
        lines = self._oldest_first[kind]
        stop = len(lines) if behind is None else bisect_left(lines, behind, key=lambda t: t.position)
        for index in range(stop - 1, -1, -1):
            revision = lines[index].at(at)
            if revision is not None:
                yield lines[index], revision

    def records(self, kind: str, at: datetime, look: Presentation | None = None) -> list[dict]:
        """Every record of a kind as served at ``at``, newest start first."""
        look = look or Presentation()
        return [self.present(kind, revision, at, look) for _, revision in self.visible(kind, at)]

    def interval(self, kind: str, revision: Revision, at: datetime) -> tuple[datetime, datetime | None]:
        """Start and end that the filters test; a recovery's are those of its sleep (whoop_api.md 3)."""
        if kind != "recovery":
            return revision.span
        sleep = self.revision("sleep", revision.payload["sleep_id"], at)
        if sleep is not None:
            return sleep.span
        created = parse_instant(revision.payload["created_at"])
        return created, created

    def account_offset(self, at: datetime) -> str:
        """The offset of the newest visible cycle."""
        if self._offset_memo[:1] != [at]:
            newest = next(self.visible("cycle", at), None)
            self._offset_memo[:] = [at, newest[1].payload["timezone_offset"] if newest else "Z"]
        return self._offset_memo[1]

    def present(self, kind: str, revision: Revision, at: datetime, look: Presentation) -> dict:
        """The payload as the service would write it at ``at``."""
        return written(kind, revision, at, look, lambda: self.account_offset(at))

    def rendered(self, kind: str, revision: Revision, at: datetime, look: Presentation) -> bytes:
        """`present` as JSON bytes."""
        return rendered(kind, revision, at, look, lambda: self.account_offset(at))

    def amend(self, kind: str, key: str, at: datetime, change: Mapping[str, Any] | None) -> Revision | None:
        """Change a record from ``at`` on, or delete it (``change`` None).

        Returns
        -------
        Revision or None
            The new state; None when there is no such record at ``at``.
        """
        timeline = self._by_key.get((kind, key))
        standing = timeline.at(at) if timeline else None
        if standing is None:
            return None
        payload = None
        if change is not None:
            payload = _merged(standing.payload, change) | {"updated_at": api_instant(at)}
        revision = replace(standing, visible_at=at, payload=payload)
        kept = tuple(r for r in timeline.revisions if r.visible_at <= at)
        # what WHOOP would have changed later anyway, it changes in the amended record
        later = tuple(
            replace(r, payload=_merged(r.payload, change))
            for r in timeline.revisions
            if r.visible_at > at and r.payload is not None and change is not None
        )
        changed = replace(timeline, revisions=(*kept, revision, *later))
        lines = self._oldest_first[kind]
        lines[bisect_left(lines, timeline.position, key=lambda t: t.position)] = changed
        self._by_key[kind, key] = changed
        self._offset_memo.clear()
        return revision


def _merged(old: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in change.items():
        inner = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(inner, Mapping)
        merged[name] = _merged(inner, value) if both else value
    return merged
