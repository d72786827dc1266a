"""After a pull: the same tables as `rebuild` makes, byte for byte, but only the last months are derived anew.

What was known before the earliest new fact does not change (the as-of rule), and no rule looks further from a night
than to the cycles beside it. So the rows of the last `REACH` are derived from the facts of a somewhat longer time, and
stand beside the older rows as they are. Whenever that might not hold (tables that somebody else wrote, another version
of this program, news of an old night, nothing before the first new one, a first workout that cannot be told from a
first one in weeks) everything is made anew.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
from filelock import FileLock

import hrv_shared.daytime
import hrv_shared.schemas
from hrv_shared.record import Fact
from hrv_shared.store import Store
from whoop_api_client.tables.rebuild import OWN_TABLES, derive, rebuild
from whoop_api_client.tables.revisions import KINDS
from whoop_api_client.tables.shapes import ExportCycle, RecoveryShape, Shape, read
from whoop_api_client.tables.timeline import Id
from whoop_api_client.tables.vintages import numbered

__all__ = ["refresh"]

REACH = timedelta(days=45)
"""Rows of what began so long before the news are derived anew."""
MARGIN = timedelta(days=30)
"""A record is known no earlier than so long before its own start (in truth: not before it)."""
STANDS_BEFORE = timedelta(days=4)
"""A cycle that lies so far inside the reach shows that no rule has to look beyond it."""


def refresh(store: Store, member_id: str) -> dict[str, int]:
    """Bring one member's tables up to date with the record.

    Returns
    -------
    dict of str to int
        Rows per table, of the member.
    """
    cursor = f"tables:{member_id}"
    with FileLock(store.home / "tables.lock"):
        counts = _from_where_we_were(store, member_id, store.record.get_cursor(cursor))
    if counts is None:
        last_seq = store.record.last_seq(member_id)
        counts = rebuild(store, member_id)
        _remember(store, cursor, last_seq)
    return counts


def _from_where_we_were(store: Store, member_id: str, cursor: str | None) -> dict[str, int] | None:
    """Rows per table, or None when everything has to be made anew."""
    stand = json.loads(cursor or "{}")
    if stand.get("code") != _code_digest() or stand.get("tables") != _tables_digest(store):
        return None
    last_seq = store.record.last_seq(member_id)
    news = list(store.record.facts(KINDS, member_id, after_seq=stand["seq"]))
    frames = {name: store.read_table(name) for name in OWN_TABLES}
    if news:
        since = min(fact.known_at for fact in news)
        facts = list(store.record.facts(KINDS, member_id, known_since=since - REACH - MARGIN))
        recent = _recent_things(facts, since)
        if recent is None or not _knows_first_ones(store, member_id, facts, since):
            return None
        fresh = derive(facts)
        for name, old in frames.items():
            is_fresh = _is_fresh(name, since, recent)
            stays = old.filter((pl.col("member_id") != member_id) | ~is_fresh)
            frames[name] = pl.concat([stays, fresh[name].filter(is_fresh)])
        frames["days"] = numbered(frames["days"])
        for name, frame in frames.items():
            store.write_table(name, frame)
    _remember(store, f"tables:{member_id}", last_seq)
    return {name: frame.filter(pl.col("member_id") == member_id).height for name, frame in frames.items()}


def _recent_things(facts: list[Fact], since: datetime) -> set[Id] | None:
    """What began within the reach; None when what became known since then is not all about such things."""
    began: dict[Id, datetime] = {}
    recoveries: dict[Id, str] = {}
    for fact in facts:
        if fact.kind == "gone":
            continue
        try:
            shape = read(fact)
        except ValueError:
            return None
        start = _start(shape)
        if start is None:
            recoveries[fact.kind, fact.key] = fact.key
        else:
            began[fact.kind, fact.key] = min(start, began.get((fact.kind, fact.key), start))
    recent = {thing for thing, start in began.items() if start >= since - REACH}
    recent |= {thing for thing, cycle in recoveries.items() if ("cycle", cycle) in recent}
    spoken_of = [_target(fact) for fact in facts if fact.known_at >= since]
    if not all(thing in recent for thing in spoken_of):
        return None
    first = min((began[thing] for thing in spoken_of if thing in began), default=since)
    inside = since - REACH + STANDS_BEFORE
    anchors = (start for (kind, _), start in began.items() if kind in ("cycle", "export_cycle"))
    # without a cycle between, the news could belong to one that lies further back
    return recent if any(inside <= start < first - STANDS_BEFORE for start in anchors) else None


def _knows_first_ones(store: Store, member_id: str, facts: list[Fact], since: datetime) -> bool:
    """Whether "no workout" and "no nap" are told from "none known yet" as the whole record would tell them.

    That hangs on the first workout and the first sleep ever. One among `facts` that began before the reach will do,
    for then every row that is derived anew lies behind it; so will it that there is none but those of `facts`.
    """
    known_before = since - REACH - MARGIN
    for kinds in (("workout", "export_workout"), ("sleep", "export_sleep")):
        if any(_start(read(fact)) < since - REACH for fact in facts if fact.kind in kinds):
            continue
        older = store.record.facts(kinds, member_id, as_of=known_before)
        if any(fact.known_at < known_before for fact in older):
            return False
    return True


def _is_fresh(name: str, since: datetime, recent: set[Id]) -> pl.Expr:
    """Which rows of a table are derived anew."""
    if name == "days":
        return pl.col("known_at") >= since
    if name == "recoveries":
        return pl.col("cycle_key").is_in([key for kind, key in recent if kind in ("cycle", "export_cycle")])
    return pl.col("start_at") >= since - REACH


def _start(shape: Shape) -> datetime | None:
    if isinstance(shape, RecoveryShape):
        return None
    return shape.cycle.start_at if isinstance(shape, ExportCycle) else shape.start_at


def _target(fact: Fact) -> Id:
    if fact.kind == "gone":
        return str(fact.payload.get("kind")), str(fact.payload.get("key"))
    return fact.kind, fact.key


def _remember(store: Store, cursor: str, seq: int) -> None:
    stand = {"seq": seq, "code": _code_digest(), "tables": _tables_digest(store)}
    store.record.set_cursor(cursor, json.dumps(stand))


def _tables_digest(store: Store) -> str:
    """Of the files as they lie there: whoever else writes one makes us begin anew."""
    digest = hashlib.sha256()
    for name in OWN_TABLES:
        path = store.table_path(name)
        digest.update(path.read_bytes() if path.exists() else b"absent")
        digest.update(name.encode())
    return digest.hexdigest()


@cache
def _code_digest() -> str:
    """Of the rules that make the tables: a changed rule makes every row anew."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    rules = [*sorted(folder.glob("*.py")), *sorted(folder.with_name("export").glob("*.py"))]
    for path in (*rules, Path(hrv_shared.schemas.__file__), Path(hrv_shared.daytime.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()
