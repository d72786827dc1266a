"""Where a value of the table ``days`` came from: every vintage of it, and the facts that told each.

The facts are replayed by the very code that makes the table, so the two cannot tell different stories.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hrv_shared.record import Fact
from whoop_api_client.tables.night import OpenedDay
from whoop_api_client.tables.payload_paths import PARTS, PATHS
from whoop_api_client.tables.revisions import Revision, revisions_of
from whoop_api_client.tables.shapes import ExportCycle
from whoop_api_client.tables.timeline import Id
from whoop_api_client.tables.vintages import replay

__all__ = ["Origin", "Vintage", "lineage"]


@dataclass(frozen=True)
class Origin:
    """One fact that tells a quantity, and what stands at the places where it does."""

    kind: str
    key: str
    revision: int
    seq: int
    source: str
    known_at: datetime
    recorded_at: datetime
    basis: str
    sha256: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Vintage:
    """What was known of one quantity of a day from ``known_at`` until ``until`` (None: still).

    Attributes
    ----------
    revision : int
        Of the day's row in the table ``days``.
    told_by : tuple of Origin
        The facts that the value was made of; empty where none told it.
    not_used : tuple of Origin
        Facts that tell the same quantity and had to give way: the export beside the API, a nap's row.
    changed_by : tuple of str
        The facts whose arrival made this vintage.
    """

    revision: int
    known_at: datetime
    until: datetime | None
    basis: str
    source: str
    state: str
    value: Any
    flags: tuple[str, ...]
    told_by: tuple[Origin, ...]
    not_used: tuple[Origin, ...]
    changed_by: tuple[str, ...]


def lineage(facts: Iterable[Fact], day: date, quantity: str) -> list[Vintage]:
    """Tell how one quantity of a day came about.

    Parameters
    ----------
    facts : iterable of Fact
        Of one member, of `tables.revisions.KINDS`.
    quantity : str
        A column of ``days`` (a key of `payload_paths.PARTS`).

    Returns
    -------
    list of Vintage
        Oldest first. Rows of the table that say the same of this quantity, by the same facts, are one vintage.
    """
    found: list[Vintage] = []
    for revisions in revisions_of(facts).values():
        known, revision = _Known(revisions), 0
        before: set[Id] = set()
        for step in replay(revisions):
            row = dict(step.said).get(day)
            if row is None:
                continue
            revision += 1
            opened = step.calendar.kept(day)
            told_by, not_used = known.origins(opened, quantity)
            now = known.things(opened)
            changed_by = tuple(_name(one.fact) for one in step.arrived if one.target in before | now)
            before = now
            vintage = Vintage(
                revision, step.known_at, None, step.basis, row["source"], row["state"], row[quantity],
                tuple(row["flags"]), told_by, not_used, changed_by,
            )  # fmt: skip
            _append(found, vintage)
    return found


def _append(found: list[Vintage], vintage: Vintage) -> None:
    """Close the vintage before, unless the new one says the same of the quantity."""
    if found:
        before = found[-1]
        if _said(before) == _said(vintage):
            return
        found[-1] = replace(before, until=vintage.known_at)
    found.append(vintage)


def _said(vintage: Vintage) -> tuple[Any, ...]:
    return vintage.source, vintage.state, vintage.value, vintage.told_by, vintage.not_used


class _Known:
    """Shapes back to the facts out of which they were read."""

    def __init__(self, revisions: list[Revision]) -> None:
        self._fact_of: dict[int, Fact] = {}
        for revision in revisions:
            shape = revision.shape
            parts = (
                (shape, shape.cycle, shape.sleep, shape.recovery)
                if isinstance(shape, ExportCycle)
                else (shape,)
            )
            self._fact_of |= {id(part): revision.fact for part in parts if part is not None}

    def origins(
        self, opened: OpenedDay | None, quantity: str
    ) -> tuple[tuple[Origin, ...], tuple[Origin, ...]]:
        """Facts that told the quantity, and those that told it as well and gave way."""
        if opened is None:
            return (), ()
        told = getattr(opened.told, PARTS[quantity])
        shapes = told if isinstance(told, tuple) else () if told is None else (told,)
        used = [self._fact_of[id(shape)] for shape in shapes]
        others = [self._fact_of[id(opened.told.cycle)]]
        if opened.told.beside is not None:
            others.append(self._fact_of[id(opened.told.beside.cycle)])
        told_by = tuple(_origin(fact, quantity) for fact in used)
        not_used = tuple(
            _origin(fact, quantity)
            for fact in others
            if fact not in used
            and quantity in PATHS[fact.kind]
            and PARTS[quantity] in ("recovery", "sleep", "cycle")
        )
        return told_by, not_used

    def things(self, opened: OpenedDay | None) -> set[Id]:
        """Everything that a day is made of."""
        if opened is None:
            return set()
        told = opened.told
        beside = () if told.beside is None else (told.beside.cycle,)
        shapes = (told.cycle, told.sleep, told.recovery, *told.naps, *told.workouts, *beside)
        facts = [self._fact_of[id(shape)] for shape in shapes if shape is not None]
        return {(fact.kind, fact.key) for fact in facts}


def _name(fact: Fact) -> str:
    return f"{fact.kind} {fact.key} revision {fact.revision}"


def _origin(fact: Fact, quantity: str) -> Origin:
    payload = {path: _at(fact.payload, path) for path in PATHS[fact.kind].get(quantity, ())}
    return Origin(
        fact.kind, fact.key, fact.revision, fact.seq, fact.source, fact.known_at, fact.recorded_at, fact.basis,
        fact.sha256, payload,
    )  # fmt: skip


def _at(payload: dict[str, Any], path: str) -> Any:
    """What stands at a path; an export's column may hold dots itself."""
    if path in payload:
        return payload[path]
    value: Any = payload
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
