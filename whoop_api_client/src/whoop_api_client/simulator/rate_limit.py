"""Two windows at once, a minute's and a day's, counted per app, with WHOOP's three headers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

__all__ = ["RateLimit"]


class RateLimit:
    """Counts requests in fixed windows that begin with their first request; a limit of 0 is none."""

    def __init__(
        self, per_minute: int, per_day: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._windows = [
            _Window(limit, seconds) for limit, seconds in ((per_minute, 60), (per_day, 86_400)) if limit
        ]

    def take(self) -> tuple[bool, dict[str, str]]:
        """Count one request; returns whether it may pass, and the headers of its answer."""
        if not self._windows:
            return True, {}
        now = self._monotonic()
        for window in self._windows:
            window.roll(now)
        allowed = all(window.used < window.limit for window in self._windows)
        if allowed:
            for window in self._windows:
                window.used += 1
        return allowed, self.headers()

    def headers(self) -> dict[str, str]:
        """The headers of the window that is closest to its limit."""
        if not self._windows:
            return {}
        closest = min(self._windows, key=lambda window: (window.limit - window.used) / window.limit)
        every = ", ".join(f"{window.limit};window={window.seconds}" for window in self._windows)
        reset_s = max(0, math.ceil(closest.began_at + closest.seconds - self._monotonic()))
        return {
            "X-RateLimit-Limit": f"{closest.limit}, {every}",
            "X-RateLimit-Remaining": str(max(closest.limit - closest.used, 0)),
            "X-RateLimit-Reset": str(reset_s),
        }


class _Window:
    def __init__(self, limit: int, seconds: int) -> None:
        self.limit, self.seconds = limit, seconds
        self.used, self.began_at = 0, -math.inf

    def roll(self, now: float) -> None:
        if now - self.began_at >= self.seconds:
            self.used, self.began_at = 0, now
