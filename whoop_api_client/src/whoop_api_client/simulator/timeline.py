"""A record over time: the revisions that WHOOP would have shown, each from its own instant on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from hrv_shared.daytime import parse_instant

__all__ = ["Revision", "Timeline", "api_instant"]


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

    @cached_property
    def span(self) -> tuple[datetime, datetime | None]:
        """Start and end of what the payload speaks of (a recovery has none)."""
        end = self.payload["end"]
        return parse_instant(self.payload["start"]), parse_instant(end) if end else None

    @cached_property
    def renderings(self) -> dict[tuple, bytes]:
        """JSON already written for it, by what it depends on."""
        return {}


@dataclass(frozen=True)
class Timeline:
    """A record's revisions, oldest first, and the instant that collections sort it by."""

    kind: str
    key: str
    sort_at: datetime
    revisions: tuple[Revision, ...]

    @cached_property
    def position(self) -> tuple[str, str]:
        """Where it stands in its collection; unique, and rising with `sort_at`."""
        return api_instant(self.sort_at), self.key

    def at(self, instant: datetime) -> Revision | None:
        """The revision that stands at ``instant``; None before the first and after a deletion."""
        position = bisect_right(self.revisions, instant, key=lambda revision: revision.visible_at)
        if position == 0 or self.revisions[position - 1].payload is None:
            return None
        return self.revisions[position - 1]


def api_instant(instant: datetime) -> str:
    """WHOOP's form: UTC, always three decimals, ``Z``."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
