"""The simulator's own time: set, moved on, running at any pace, or frozen."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

__all__ = ["SimClock"]


class SimClock:
    """Starts at ``now`` and, when it runs, goes on ``pace`` times as fast as the real clock."""

    def __init__(
        self,
        now: datetime,
        runs: bool,
        monotonic: Callable[[], float] = time.monotonic,
        pace: float = 1.0,
    ) -> None:
        self._monotonic = monotonic
        self._watchers: list[Callable[[], None]] = []
        self.runs, self.pace = runs, pace
        self.set(now)

    def now(self) -> datetime:
        """The simulated instant, aware, UTC."""
        if not self.runs:
            return self._base
        return self._base + timedelta(seconds=self.pace * (self._monotonic() - self._set_at))

    def set(self, now: datetime) -> None:
        """Put the clock to ``now`` (aware), forwards or backwards."""
        self._base = now.astimezone(UTC)
        self._set_at = self._monotonic()
        for watcher in self._watchers:
            watcher()

    def advance(self, seconds: float) -> None:
        """Move the clock by ``seconds``."""
        self.set(self.now() + timedelta(seconds=seconds))

    def go(self, *, runs: bool | None = None, pace: float | None = None) -> None:
        """Stop, start or change the pace, without a jump."""
        current = self.now()
        self.runs = self.runs if runs is None else runs
        self.pace = self.pace if pace is None else pace
        self.set(current)

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` whenever somebody sets the clock."""
        self._watchers.append(watcher)
