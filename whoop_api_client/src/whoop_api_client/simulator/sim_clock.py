"""The simulator's own time: set, moved on, running or frozen."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["SimClock"]


class SimClock:
    """Starts at ``now`` and, when it runs, goes on at the pace of the real clock."""

    def __init__(self, now: datetime, runs: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.runs = runs
        self.set(now)

    def now(self) -> datetime:
        """The simulated instant, aware, UTC."""
        if not self.runs:
            return self._base
        return self._base + timedelta(seconds=self._monotonic() - self._set_at)

    def set(self, now: datetime) -> None:
        """Put the clock to ``now`` (aware), forwards or backwards."""
        self._base = now.astimezone(UTC)
        self._set_at = self._monotonic()

    def advance(self, seconds: float) -> None:
        """Move the clock by ``seconds``."""
        self.set(self.now() + timedelta(seconds=seconds))
