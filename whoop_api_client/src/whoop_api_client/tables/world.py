"""What is visible at one moment: the latest revision of everything, found by time and by key.

Facts are put in one by one, in the order in which they became known. After each, `touched` names the cycles whose
night or day may look different now; nothing else has to be computed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from whoop_api_client.export.nights import NAP, SAME_INSTANT
from whoop_api_client.tables.shapes import (
    CycleShape,
    ExportCycle,
    RecoveryShape,
    Shape,
    SleepShape,
    WorkoutShape,
)
from whoop_api_client.tables.timeline import Id, Timeline

__all__ = ["OWN_WITHIN", "World"]

OWN_WITHIN = timedelta(minutes=5)
_REACH = OWN_WITHIN + 3 * SAME_INSTANT
"""No rule looks further from an instant than this, but for "the cycle that contains it"."""


class World:
    """The facts of one member as known so far.

    Attributes
    ----------
    gone : set of (kind, key)
        Records that vanished upstream. They stay in their timeline as tombstones: what WHOOP deleted must not come
        back out of an old export.
    workouts_since, naps_since : datetime or None
        Start of the earliest workout or sleep record ever seen; before it "none" would be a guess.
    """

    def __init__(self) -> None:
        self.shapes: dict[Id, Shape] = {}
        self.gone: set[Id] = set()
        self.cycles, self.naps, self.workouts = Timeline(), Timeline(), Timeline()
        self.export_mains, self.loose_sleeps = Timeline(), Timeline()
        self._mains_of: dict[str, set[Id]] = defaultdict(set)
        self.workouts_since: datetime | None = None
        self.naps_since: datetime | None = None
        self._instants: set[datetime] = set()
        self._cycle_ids: set[Id] = set()
        self._since_moved: list[tuple[datetime | None, datetime]] = []

    def put(self, thing: Id, shape: Shape) -> None:
        """Let a revision take the place of the one before it."""
        old = self.shapes.get(thing)
        if isinstance(shape, ExportCycle) and isinstance(old, ExportCycle) and shape.whose == NAP:
            earlier = old.earlier if old.whose == NAP else old
            if earlier is not None and earlier.recovery is not None:
                shape = replace(shape, earlier=earlier)
        if old is not None:
            self._place(thing, old, put_in=False)
        self.shapes[thing] = shape
        self._place(thing, shape, put_in=True)
        self._extend_since(shape)

    def set_gone(self, thing: Id, gone: bool) -> None:
        """Mark a record as vanished upstream, or as back again."""
        (self.gone.add if gone else self.gone.discard)(thing)
        if thing in self.shapes:
            self._touch(thing, self.shapes[thing])

    def touched(self) -> set[Id]:
        """Cycles that the facts since the last call may have changed."""
        ids = {thing for thing in self._cycle_ids if thing in self.shapes}
        for at in self._instants:
            ids.update(self.cycles.between(at - _REACH, at + _REACH))
            for thing in self.cycles.before(at - _REACH):
                ids.add(thing)
                if self.stands(thing):
                    break
        for before, since in self._since_moved:
            ends = ((thing, self._end(thing)) for thing in self.cycles)
            ids.update(thing for thing, end in ends if self._knows(end, since) != self._knows(end, before))
        self._instants, self._cycle_ids, self._since_moved = set(), set(), []
        return ids

    def stands(self, thing: Id) -> bool:
        """Whether a cycle makes a day of its own: not gone, and no export row of a cycle that the API told."""
        if thing in self.gone:
            return False
        if thing[0] == "cycle":
            return True
        return not any(kind == "cycle" for kind, _ in self.cycles.near(self.shapes[thing].start_at))

    def twin(self, thing: Id) -> ExportCycle | None:
        """The export row of a cycle that the API told."""
        near = self.cycles.near(self.shapes[thing].start_at)
        return next((self.shapes[t] for t in near if t[0] == "export_cycle" and t not in self.gone), None)

    def api_mains(self, thing: Id) -> tuple[bool, list[SleepShape]]:
        """Whether the API ever told a night of this cycle, and the nights that still are."""
        found = self._mains_of.get(thing[1], set()) | set(self.loose_sleeps.near(self.shapes[thing].start_at))
        return bool(found), [self.shapes[t] for t in sorted(found) if t not in self.gone]

    def api_recovery(self, cycle_key: str) -> tuple[bool, RecoveryShape | None]:
        """Whether the API ever told a recovery of this cycle, and the recovery if it still is."""
        thing = ("recovery", cycle_key)
        return thing in self.shapes, None if thing in self.gone else self.shapes.get(thing)

    def within(self, timeline: Timeline, thing: Id) -> list[SleepShape | WorkoutShape]:
        """Naps or workouts that start in a cycle: after its start, before its end and before the next cycle."""
        start = self.shapes[thing].start_at
        limits = [self._end(thing)] + [
            next((s for s, t in self.cycles.after(start, thing) if self.stands(t)), None)
        ]
        last = min(
            (limit for limit in limits if limit is not None),
            default=datetime.max.replace(tzinfo=start.tzinfo),
        )
        return [self.shapes[t] for t in timeline.between(start, last) if self._counts(timeline, t)]

    def knows_naps(self, thing: Id) -> bool:
        """Whether a cycle without naps had none, or lies before everything that we know of sleeps."""
        return self._knows(self._end(thing), self.naps_since)

    def knows_workouts(self, thing: Id) -> bool:
        """The same for workouts."""
        return self._knows(self._end(thing), self.workouts_since)

    def _counts(self, timeline: Timeline, thing: Id) -> bool:
        """Not gone, and not the export's copy of something that the API told."""
        if thing in self.gone:
            return False
        if not thing[0].startswith("export_"):
            return True
        return all(kind.startswith("export_") for kind, _ in timeline.near(self.shapes[thing].start_at))

    def _end(self, thing: Id) -> datetime | None:
        shape = self.shapes[thing]
        return shape.cycle.end_at if isinstance(shape, ExportCycle) else shape.end_at

    @staticmethod
    def _knows(end: datetime | None, since: datetime | None) -> bool:
        return since is not None and (end is None or end > since)

    def _extend_since(self, shape: Shape) -> None:
        for name, kind in (("workouts_since", WorkoutShape), ("naps_since", SleepShape)):
            before = getattr(self, name)
            if isinstance(shape, kind) and (before is None or shape.start_at < before):
                setattr(self, name, shape.start_at)
                self._since_moved.append((before, shape.start_at))

    def _place(self, thing: Id, shape: Shape, *, put_in: bool) -> None:
        for timeline, at in self._timelines(thing, shape):
            (timeline.add if put_in else timeline.remove)(at, thing)
        if isinstance(shape, SleepShape) and not shape.is_nap and shape.cycle_key is not None:
            (self._mains_of[shape.cycle_key].add if put_in else self._mains_of[shape.cycle_key].discard)(
                thing
            )
        self._touch(thing, shape)

    def _timelines(self, thing: Id, shape: Shape) -> Iterator[tuple[Timeline, datetime]]:
        if isinstance(shape, CycleShape | ExportCycle):
            yield self.cycles, shape.start_at
        elif isinstance(shape, WorkoutShape):
            yield self.workouts, shape.start_at
        elif isinstance(shape, SleepShape):
            if shape.is_nap:
                yield self.naps, shape.start_at
            elif thing[0] == "export_sleep":
                yield self.export_mains, shape.cycle_start_at
            elif shape.cycle_key is None:
                yield self.loose_sleeps, shape.start_at

    def _touch(self, thing: Id, shape: Shape) -> None:
        cycle_key = getattr(shape, "cycle_key", None)
        if cycle_key is not None:
            self._cycle_ids.add(("cycle", cycle_key))
        if isinstance(shape, CycleShape | ExportCycle):
            self._cycle_ids.add(thing)
        self._instants.update(at for _, at in self._timelines(thing, shape))
