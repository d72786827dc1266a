"""The one place that reads the wall clock, so that tests and replays can put another one in its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock", "system_clock"]

Clock = Callable[[], datetime]
"""A function that returns the current instant, aware, UTC."""


def system_clock() -> datetime:
    """The current instant, aware, UTC, to the microsecond."""
    return datetime.now(UTC)
