"""What the record already holds of one kind of export row, found by instant rather than by exact key."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime, timedelta

from hrv_shared.daytime import parse_instant
from hrv_shared.record import Fact
from whoop_api_client.export.nights import SAME_INSTANT

__all__ = ["Held", "instant_key", "is_near"]


class Held:
    """Facts of one kind by instant.

    Parameters
    ----------
    facts : dict of str to Fact
        Latest revision by key; a key begins with the row's instant.
    also : iterable of datetime
        Starts of the same things as WHOOP's API gave them: a key follows them where they are close.
    """

    def __init__(self, facts: dict[str, Fact], also: Iterable[datetime] = ()) -> None:
        self.facts = facts
        own = {parse_instant(key.partition("#")[0]): key for key in facts}
        self._instants = sorted(own)
        self._keys = own
        self._also = sorted(also)

    def key(self, at: datetime) -> str:
        """Key of the row that starts at ``at``: the one it already has, within two seconds."""
        near = _near(self._instants, at)
        if near is not None:
            return self._keys[near].partition("#")[0]
        return instant_key(_near(self._also, at) or at)

    def covers(self, at: datetime) -> bool:
        """Whether an earlier export spanned this instant, so that a row new to us was not there then."""
        return bool(self._instants) and self._instants[0] <= at <= self._instants[-1]

    def newest(self) -> datetime | None:
        """The latest instant held."""
        return self._instants[-1] if self._instants else None


def instant_key(at: datetime) -> str:
    """An instant as a key, whole seconds: ``2026-07-13T23:46:01Z``."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_near(instants: list[datetime], at: datetime, reach: timedelta) -> bool:
    """Whether one of the sorted instants lies within ``reach``."""
    place = bisect_left(instants, at - reach)
    return place < len(instants) and instants[place] <= at + reach


def _near(instants: list[datetime], at: datetime) -> datetime | None:
    place = bisect_left(instants, at)
    close = [i for i in instants[max(0, place - 1) : place + 1] if abs(i - at) <= SAME_INSTANT]
    return min(close, key=lambda i: (abs(i - at), i)) if close else None
