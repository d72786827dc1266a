"""What was asked of the simulator and how it answered: a client's manners, measured from the other side."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from whoop_api_client.simulator.timeline import api_instant

__all__ = ["RequestLog"]

_KEPT = 20_000


class RequestLog:
    """The last 20,000 answers with their simulated instants; no bodies, no headers, no query."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._answers: deque[tuple[datetime, str, str, int]] = deque(maxlen=_KEPT)

    def add(self, method: str, path: str, status: int) -> None:
        """Note one answer."""
        self._answers.append((self._now(), method, path, status))

    def clear(self) -> None:
        """Begin anew."""
        self._answers.clear()

    def summary(self, under: str, last: int = 0) -> dict[str, Any]:
        """Counts of the answers below the path ``under``.

        Returns
        -------
        dict
            ``answered``, ``by_status``, ``busiest_minute`` (the most answers within any 60 simulated
            seconds) and the ``last`` newest ones.
        """
        answers = [answer for answer in list(self._answers) if answer[2].startswith(under)]
        newest = answers[-last:] if last else []
        return {
            "answered": len(answers),
            "by_status": {str(code): n for code, n in sorted(Counter(a[3] for a in answers).items())},
            "busiest_minute": _busiest([answer[0] for answer in answers], 60.0),
            "last": [
                {"at": api_instant(at), "method": method, "path": path, "status": status}
                for at, method, path, status in newest
            ],
        }


def _busiest(instants: list[datetime], window_s: float) -> int:
    most, oldest = 0, 0
    ordered = sorted(instants)
    for newest, instant in enumerate(ordered):
        while (instant - ordered[oldest]).total_seconds() >= window_s:
            oldest += 1
        most = max(most, newest - oldest + 1)
    return most
