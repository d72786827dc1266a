"""The ``days`` table: for every wake day one row each time that what is known of it changes.

The facts are replayed in the order in which they became known. Reading the table as of an instant (the last row of a
day with ``known_at`` at or before it) gives what a table built from the facts known by then would hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

from hrv_shared.record import SEEN
from whoop_api_client.tables.night import VALUE_COLUMNS, OpenedDay, opened_day
from whoop_api_client.tables.revisions import Revision
from whoop_api_client.tables.timeline import Id
from whoop_api_client.tables.world import World

__all__ = ["Calendar", "day_vintages", "one_basis"]

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
        Columns of the schema ``days``.
    """
    world, calendar, rows = World(), Calendar(), []
    told: Counter[date] = Counter()
    for known_at, batch in groupby(revisions, key=lambda revision: revision.known_at):
        bases = set()
        for revision in batch:
            bases.add(revision.basis)
            if revision.shape is None:
                world.set_gone(revision.target, revision.gone)
            else:
                world.put(revision.thing, revision.shape)
        for day, state in calendar.update(world, world.touched()):
            told[day] += 1
            head = {"member_id": member_id, "day": day, "revision": told[day], "known_at": known_at}
            rows.append({**head, "basis": one_basis(bases), **state})
    return rows


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


def one_basis(bases: set[str]) -> str:
    """One basis for a row that rests on several facts: inferred as soon as one of them is."""
    rules = sorted(basis.removeprefix("inferred:") for basis in bases if basis != SEEN)
    return f"inferred:{'+'.join(rules)}" if rules else SEEN
