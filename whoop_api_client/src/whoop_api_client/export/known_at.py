"""When we learned an export row: now, if it is fresh; else when the wearer could have seen it, by a stated rule.

A rule's name is the fact's basis, ``inferred:<rule>``. A row that an earlier export lacked, or that changed since, was
learned now, whatever its age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hrv_shared.record import SEEN

__all__ = ["AFTER_WAKING", "OPEN_FOR", "Learned", "learned"]

FRESH = timedelta(hours=48)
"""A row met within two days of its event counts as seen when we met it."""

AFTER_WAKING = timedelta(minutes=30)
"""A night is scored a median 9 and nearly always under 39 minutes after waking (whoop_api.md 8.3)."""

OPEN_FOR = timedelta(hours=24)
"""A cycle whose end is not told is taken to last a day."""


@dataclass(frozen=True)
class Learned:
    """An instant and how we come by it."""

    known_at: datetime
    basis: str

    def not_before(self, earlier: datetime) -> Learned:
        """The same, but never before the revision that it replaces."""
        return Learned(max(self.known_at, earlier), self.basis)


def learned(event_at: datetime, rule: str, now: datetime) -> Learned:
    """When a row that became complete at ``event_at`` counts as known, if it is met at ``now``."""
    if now - event_at <= FRESH:
        return Learned(now, SEEN)
    return Learned(event_at, f"inferred:{rule}")
