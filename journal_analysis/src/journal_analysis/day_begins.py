"""When each day of the journal begins: 04:00 on the wearer's wall clock, wherever the wearer was then.

Daylight saving and travel are nothing but changes of the offset; a day has the one last known before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import polars as pl

from hrv_shared.constants import DAY_ROLLOVER_HOUR

__all__ = ["DayBegins", "day_begins"]


@dataclass(frozen=True)
class DayBegins:
    """First and last day, and the days after which another offset (minutes east of UTC) holds."""

    first: date | None = None
    last: date | None = None
    changes: tuple[tuple[date, int], ...] = ()

    def instants(self) -> dict[date, datetime]:
        """The instant at which each day begins."""
        if self.first is None or self.last is None:
            return {}
        found, at = {}, 0
        for n in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=n)
            while at + 1 < len(self.changes) and self.changes[at + 1][0] < day:
                at += 1
            zone = timezone(timedelta(minutes=self.changes[at][1] if self.changes else 0))
            found[day] = datetime.combine(day, time(DAY_ROLLOVER_HOUR), zone).astimezone(UTC)
        return found

    def differs_since(self, before: DayBegins) -> date | None:
        """The first day that begins otherwise than `before` said; None where there is none."""
        if self.first != before.first or self.changes[:1] != before.changes[:1]:
            return date.min
        if self.last is None or before.last is None or self.last < before.last:
            return None if self.last == before.last else date.min
        found = [before.last + timedelta(days=1)] if self.last > before.last else []
        longest = max(len(self.changes), len(before.changes))
        for k in range(1, longest):
            one, other = self.changes[k : k + 1], before.changes[k : k + 1]
            if one != other:
                found.append(min(c[0] for c in (*one, *other)) + timedelta(days=1))
                break
        return min(found, default=None)

    def as_list(self) -> list[Any]:
        """For JSON."""
        edges = [day and day.isoformat() for day in (self.first, self.last)]
        return [*edges, [[day.isoformat(), offset] for day, offset in self.changes]]

    @classmethod
    def of_list(cls, told: list[Any]) -> DayBegins:
        """Back from JSON."""
        first, last = (day and date.fromisoformat(day) for day in told[:2])
        return cls(first, last, tuple((date.fromisoformat(day), offset) for day, offset in told[2]))


def day_begins(days: pl.DataFrame, told: Mapping[str, int], last_told: str = "") -> DayBegins:
    """When each day begins that the journal can speak of.

    Parameters
    ----------
    days : DataFrame
        Schema ``days``, of one member: the offset of each day as first known.
    told : mapping
        Wake day (ISO) -> offset of that day's notes; they were there themselves, so they count over ``days``.
    last_told : str
        The last day (ISO) of which something was told, or empty.
    """
    known = days.filter(pl.col("utc_offset_min").is_not_null()).sort("day", "known_at")
    first_known = known.unique("day", keep="first", maintain_order=True).select("day", "utc_offset_min")
    offsets = dict(first_known.iter_rows()) | {date.fromisoformat(day): o for day, o in told.items()}
    ends = [
        *offsets,
        *days["day"].drop_nulls().to_list(),
        *([date.fromisoformat(last_told)] if last_told else []),
    ]
    if not ends:
        return DayBegins()
    changes: list[tuple[date, int]] = []
    for day in sorted(offsets):
        if not changes or changes[-1][1] != offsets[day]:
            changes.append((day, offsets[day]))
    return DayBegins(min(ends), max(ends), tuple(changes))
