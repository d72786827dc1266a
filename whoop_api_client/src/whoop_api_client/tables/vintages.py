"""The ``days`` table: for every wake day one row each time that what is known of it changes.

The facts are replayed in the order in which they became known. Reading the table as of an instant (the last row of a
day with ``known_at`` at or before it) gives what a table built from the facts known by then would hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

import polars as pl

from hrv_shared.record import SEEN
from whoop_api_client.tables.night import VALUE_COLUMNS, OpenedDay, opened_day
from whoop_api_client.tables.revisions import Revision
from whoop_api_client.tables.timeline import Id
from whoop_api_client.tables.world import World

__all__ = ["day_vintages", "numbered", "replay"]

Row = dict[str, Any]


def day_vintages(member_id: str, revisions: Iterable[Revision]) -> list[Row]:
    """Make the rows of one member.

    Parameters
    ----------
    revisions : iterable of Revision
        Ordered by ``known_at``.

    Returns
    -------
    list of dict
        Columns of the schema ``days`` but for ``revision`` (see `numbered`).
    """
    return [
        {"member_id": member_id, "day": day, "known_at": step.known_at, "basis": step.basis, **state}
        for step in replay(revisions)
        for day, state in step.said
    ]


def numbered(days: pl.DataFrame) -> pl.DataFrame:
    """The table with ``revision``: the place of a row among those of its day, from 1 on."""
    place = pl.col("known_at").rank("ordinal").over("member_id", "day")
    return days.with_columns(place.cast(pl.Int32).alias("revision"))


@dataclass(frozen=True)
class Step:
    """One instant of a replay: the facts that arrived, and the days of which something else is said since."""

    known_at: datetime
    arrived: tuple[Revision, ...]
    said: list[tuple[date, Row]]
    calendar: Calendar

    @property
    def basis(self) -> str:
        """One basis for rows that rest on several facts: inferred as soon as one of them is."""
        rules = sorted({one.basis.removeprefix("inferred:") for one in self.arrived if one.basis != SEEN})
        return f"inferred:{'+'.join(rules)}" if rules else SEEN


def replay(revisions: Iterable[Revision]) -> Iterator[Step]:
    """Let the facts of one member, ordered by ``known_at``, arrive again; `Step.calendar` is as of the step."""
    world, calendar = World(), Calendar()
    for known_at, batch in groupby(revisions, key=lambda revision: revision.known_at):
        arrived = tuple(batch)
        for one in arrived:
            if one.shape is None:
                world.set_gone(one.target, one.gone)
            else:
                world.put(one.target, one.shape)
        yield Step(known_at, arrived, calendar.update(world, world.touched()), calendar)


class Calendar:
    """Which cycle speaks for which day, and what was said of it last."""

    def __init__(self) -> None:
        self._opened: dict[Id, OpenedDay] = {}
        self._by_day: dict[date, set[Id]] = defaultdict(set)
        self._said: dict[date, Row] = {}

    def update(self, world: World, cycles: set[Id]) -> list[tuple[date, Row]]:
        """Look at some cycles again; returns the days of which something else has to be said now."""
        days: set[date] = set()
        for thing in cycles:
            before, now = self._opened.pop(thing, None), opened_day(world, thing)
            if before is not None:
                self._by_day[before.day].discard(thing)
                days.add(before.day)
            if now is not None:
                self._opened[thing] = now
                self._by_day[now.day].add(thing)
                days.add(now.day)
        said = []
        for day in sorted(days):
            last = self._said.get(day)
            row = _row(_merged([self._opened[thing] for thing in self._by_day[day]]), last)
            if row != last and row is not None:
                self._said[day] = row
                said.append((day, row))
        return said

    def kept(self, day: date) -> OpenedDay | None:
        """The cycle that speaks for a day now."""
        return _merged([self._opened[thing] for thing in self._by_day.get(day, ())])


def _merged(opened: list[OpenedDay]) -> OpenedDay | None:
    """One day out of the cycles that open it: the longest sleep, else the later; a night before none."""
    if not opened:
        return None
    kept = max(opened, key=lambda one: one.rank)
    nights = sum(one.has_sleep for one in opened)
    return replace(kept, flags=kept.flags | {"two_sleeps"}) if nights > 1 else kept


def _row(opened: OpenedDay | None, last: Row | None) -> Row | None:
    """What to say of a day now; a day of which something was said and nothing is left has vanished."""
    if opened is not None:
        head = {"source": opened.source, "state": opened.state, "utc_offset_min": opened.utc_offset_min}
        return {**head, **opened.values, "flags": sorted(opened.flags)}
    if last is None:
        return None
    head = {"source": last["source"], "state": "vanished", "utc_offset_min": last["utc_offset_min"]}
    return {**head, **dict.fromkeys(VALUE_COLUMNS), "flags": ["vanished"]}
