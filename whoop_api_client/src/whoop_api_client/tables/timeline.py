"""Things sorted by their start, for questions such as "what lies within two seconds of this"."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from datetime import datetime, timedelta

from whoop_api_client.export.nights import SAME_INSTANT

__all__ = ["Id", "Timeline"]

Id = tuple[str, str]
"""(kind of fact, key)."""


class Timeline:
    """Ids by start; equal starts are ordered by id, so that every answer is deterministic."""

    def __init__(self) -> None:
        self._items: list[tuple[datetime, Id]] = []

    def add(self, start_at: datetime, thing: Id) -> None:
        """Put a thing in."""
        insort(self._items, (start_at, thing))

    def remove(self, start_at: datetime, thing: Id) -> None:
        """Take a thing out that was put in with this start."""
        del self._items[bisect_left(self._items, (start_at, thing))]

    def between(self, first: datetime, last: datetime) -> Iterator[Id]:
        """Things that start in ``[first, last)``, earliest first."""
        place = bisect_left(self._items, (first,))
        while place < len(self._items) and self._items[place][0] < last:
            yield self._items[place][1]
            place += 1

    def near(self, at: datetime, reach: timedelta = SAME_INSTANT) -> list[Id]:
        """Things that start within ``reach`` of an instant, the nearest first."""
        place, found = bisect_left(self._items, (at - reach,)), []
        while place < len(self._items) and self._items[place][0] <= at + reach:
            found.append((abs(self._items[place][0] - at), self._items[place][1]))
            place += 1
        return [thing for _, thing in sorted(found)]

    def before(self, at: datetime) -> Iterator[Id]:
        """Things that start before an instant, the latest first."""
        place = bisect_left(self._items, (at,))
        while place > 0:
            place -= 1
            yield self._items[place][1]

    def after(self, at: datetime, thing: Id) -> Iterator[tuple[datetime, Id]]:
        """(start, id) of the things that come after a given one, earliest first."""
        place = bisect_left(self._items, (at, thing)) + 1
        while place < len(self._items):
            yield self._items[place]
            place += 1

    def __iter__(self) -> Iterator[Id]:
        return (thing for _, thing in self._items)
