"""Trouble on demand: which answers go wrong, in which way, how often and for how long."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["FAULT_KINDS", "Fault", "FaultQueue"]

FAULT_KINDS = {
    "rate_limited": "429 with the three headers; `seconds` is its reset",
    "unauthorized": "401 with the live service's plain text",
    "status_500": "500 with a line of text",
    "status_502": "502 with a line of text",
    "status_503": "503 with a line of text",
    "status_504": "504 with a line of text",
    "html": "502 with a gateway's HTML page",
    "html_200": "an HTML page that claims to be fine",
    "empty": "500 without a body",
    "half_json": "200 whose JSON stops in the middle, correctly framed",
    "slow": "the true answer after `seconds` of real time",
    "cut": "half of the true answer, then the line drops",
    "lost": "the service acts, but its answer never arrives",
}


@dataclass
class Fault:
    """Answers to requests whose path holds ``path_contains`` go wrong in the way of ``kind``.

    ``count`` answers in all; or, with ``for_s``, every one within so many simulated seconds.
    ``share`` lets only that share of the answers go wrong. ``seconds`` is what a 429 gives as its reset
    and how long a slow answer takes; ``retry_after`` adds that header to a 429.
    """

    kind: str
    count: int = 1
    path_contains: str = ""
    seconds: float = 1.0
    share: float = 1.0
    for_s: float | None = None
    retry_after: bool = False

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"expected a kind out of {', '.join(FAULT_KINDS)}, got {self.kind!r}")
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 1:
            raise ValueError(f"expected a count of 1 or more, got {self.count!r}")
        if not isinstance(self.path_contains, str):
            raise ValueError(f"expected a text as path_contains, got {self.path_contains!r}")
        if not isinstance(self.retry_after, bool):
            raise ValueError(f"expected true or false for retry_after, got {self.retry_after!r}")
        _within("seconds", self.seconds, 0, 90_000)
        _within("share", self.share, 0, 1)
        if self.for_s is not None:
            _within("for_s", self.for_s, 0, 86_400 * 30)


class FaultQueue:
    """Faults still to come, in the order in which they were asked for; their dice are seeded."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._dice = random.Random(seed)
        self._pending: list[tuple[Fault, datetime | None]] = []

    def add(self, fault: Fault) -> None:
        """Ask for a fault; its time, if it has one, begins now."""
        until = None if fault.for_s is None else self._now() + timedelta(seconds=fault.for_s)
        with self._lock:
            self._pending.append((fault, until))

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[dict]:
        """What is still to come."""
        with self._lock:
            self._drop_the_past()
            return [asdict(fault) for fault, _ in self._pending]

    def take(self, path: str) -> Fault | None:
        """The first fault that fits ``path`` and whose dice say so; one with a count is used up by one."""
        if not self._pending:
            return None
        with self._lock:
            self._drop_the_past()
            for position, (fault, until) in enumerate(self._pending):
                if fault.path_contains not in path or self._dice.random() >= fault.share:
                    continue
                if until is None:
                    fault.count -= 1
                    if fault.count == 0:
                        del self._pending[position]
                return fault
        return None

    def _drop_the_past(self) -> None:
        now = self._now()
        self._pending = [(f, until) for f, until in self._pending if until is None or now < until]


def _within(name: str, value: object, low: float, high: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise ValueError(f"expected {low} to {high} for {name}, got {value!r}")
