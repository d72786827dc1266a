"""What a person wants to know of a long pull: how many records, how fast, how far back, how long still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from whoop_api_client.models import COLLECTIONS


class PullProgress:
    """Follows a pull page by page (`begins` and `page` are what `sync.synchronise` calls).

    What is left is estimated from the span of time that the pages have covered, over the span of the account: WHOOP
    tells no count. All kinds are taken to reach back as far as the first cycle.
    """

    def __init__(self, now: datetime, monotonic: Callable[[], float] = time.monotonic):
        self._now = now
        self._monotonic = monotonic
        self._began_s = monotonic()
        self._first_at: datetime | None = None
        self._counts: dict[str, int] = {}
        self._reached: dict[str, datetime] = {}

    @property
    def count(self) -> int:
        """Records so far."""
        return sum(self._counts.values())

    def begins(self, first_at: datetime | None) -> None:
        self._first_at = first_at
        self._began_s = self._monotonic()

    def page(self, kind: str, count: int, back_to: datetime | None) -> int:
        """Take note of a page; returns how many records are new."""
        new = count - self._counts.get(kind, 0)
        self._counts[kind] = count
        if back_to is not None:
            self._reached[kind] = back_to
        return new

    def share_done(self) -> float | None:
        """Between 0 and 1; None when the account's length is unknown."""
        if self._first_at is None or self._first_at >= self._now or not self._reached:
            return None
        span = self._now - self._first_at
        kinds = list(COLLECTIONS)
        latest = max(kinds.index(kind) for kind in self._reached)
        # kinds are read one after the other: those before the one being read are done
        covered = latest + min(max((self._now - self._reached[kinds[latest]]) / span, 0.0), 1.0)
        return covered / len(kinds)

    def seconds_left(self) -> float | None:
        done = self.share_done()
        if not done:
            return None
        return (self._monotonic() - self._began_s) * (1 - done) / done

    def text(self) -> str:
        """Such as ``1,250 records, 310/s, back to 2023-04-02, about 2 min left``."""
        elapsed_s = max(self._monotonic() - self._began_s, 1e-3)
        parts = [f"{self.count:,} records", f"{self.count / elapsed_s:,.0f}/s"]
        if self._reached:
            kind = max(self._reached, key=list(COLLECTIONS).index)
            parts.append(f"{kind}s back to {self._reached[kind]:%Y-%m-%d}".replace("ys back", "ies back"))
        left_s = self.seconds_left()
        if left_s is not None:
            parts.append(
                f"about {left_s / 60:.0f} min left" if left_s >= 90 else f"about {left_s:.0f} s left"
            )
        return ", ".join(parts)
