"""The journal's tables, derived from the record: ``journal_facts``, ``journal_days`` and ``journal_weeks``.

`rebuild` makes them whole. `refresh` gives the same bytes after a note, for less: what an older day says can only be
changed by a fact about it or about one of the `MEMORY_DAYS` before it, so only the days from the first one told of anew
are made again. Whenever that might not hold (tables written by somebody else, another version of the rules, answers
of an export) it rebuilds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from filelock import FileLock

import hrv_shared.schemas
from hrv_shared.private_questions import private_questions
from hrv_shared.schemas import TABLES
from journal_analysis.answers import AnswerReport, read_answers
from journal_analysis.day_begins import DayBegins, day_begins
from journal_analysis.day_states import MEMORY_DAYS, Telling, day_rows
from journal_analysis.entries import ENTRY, FACT
from journal_analysis.week_states import monday_of, week_rows

if TYPE_CHECKING:
    from hrv_shared.record import Fact
    from hrv_shared.store import Store

__all__ = ["OWN_TABLES", "rebuild", "refresh"]

OWN_TABLES = ("journal_facts", "journal_days", "journal_weeks")
_COLUMNS = TABLES["journal_facts"].columns
_EXPORT = ("export_journal", "export_cycle", "export_sleep")
_CURSOR = "journal-tables"


@dataclass
class _Member:
    """Where the tables stand for one member: last fact read, private questions, offsets and last day told of, and
    when days begin."""

    seq: int
    private: str
    told_offsets: dict[str, int]
    last_told: str
    begins: DayBegins

    def as_list(self) -> list[Any]:
        return [self.seq, self.private, self.told_offsets, self.last_told, self.begins.as_list()]

    @classmethod
    def of_list(cls, told: list[Any]) -> _Member:
        return cls(*told[:4], begins=DayBegins.of_list(told[4]))


def rebuild(store: Store) -> dict[str, AnswerReport]:
    """Make the journal's tables anew from the record: every revision of every fact, told or answered.

    Returns
    -------
    dict
        Member -> what the export's answers gave.
    """
    with _lock(store):
        return _rebuild(store)


def refresh(store: Store) -> None:
    """Bring the journal's tables up to date with the record."""
    with _lock(store):
        if not _refreshed(store):
            _rebuild(store)


def _rebuild(store: Store) -> dict[str, AnswerReport]:
    rows: list[dict[str, Any]] = []
    frames: dict[str, list[pl.DataFrame]] = {"journal_days": [], "journal_weeks": []}
    reports, members = {}, {}
    days = store.read_table("days")
    for member_id in store.record.members():
        seq = store.record.last_seq(member_id)
        own = [_row(fact) for fact in store.record.facts(FACT, member_id)]
        answers, reports[member_id] = read_answers(store.record, member_id)
        own += [{"member_id": member_id, **answer} for answer in answers]
        offsets = _offsets({}, store.record.facts(ENTRY, member_id))
        last_told = _last_told("", own)
        begins = day_begins(days.filter(pl.col("member_id") == member_id), offsets, last_told)
        members[member_id] = _Member(seq, _private(store, member_id), offsets, last_told, begins)
        rows += own
        _add(frames, member_id, day_rows((_telling(row) for row in own), begins.instants()), None)
    facts = pl.DataFrame(rows, schema=_COLUMNS, orient="row")
    _write(store, {"journal_facts": facts, **{n: pl.concat([_empty(n), *f]) for n, f in frames.items()}})
    _remember(store, members)
    return reports


def _refreshed(store: Store) -> bool:
    """Whether the tables could be brought up to date from where they stood."""
    stand = json.loads(store.record.get_cursor(_CURSOR) or "{}")
    if stand.get("code") != _code_digest() or stand.get("tables") != _tables_digest(store):
        return False
    members = {name: _Member.of_list(told) for name, told in stand["members"].items()}
    if set(members) != set(store.record.members()):
        return False
    days = store.read_table("days")
    frames: dict[str, pl.DataFrame] = {}
    for member_id, member in members.items():
        last_seq = store.record.last_seq(member_id)
        news = list(store.record.facts((FACT, ENTRY, *_EXPORT), member_id, after_seq=member.seq))
        if any(fact.kind in _EXPORT for fact in news) or _private(store, member_id) != member.private:
            return False
        new_rows = [_row(fact) for fact in news if fact.kind == FACT]
        member.last_told = _last_told(member.last_told, new_rows)
        member.told_offsets = _offsets(member.told_offsets, (f for f in news if f.kind == ENTRY))
        own_days = days.filter(pl.col("member_id") == member_id)
        begins = day_begins(own_days, member.told_offsets, member.last_told)
        since = begins.differs_since(member.begins)
        if since == date.min:
            return False
        member.seq, member.begins = last_seq, begins
        if since is None and not new_rows:
            continue
        frames = frames or {name: store.read_table(name) for name in OWN_TABLES}
        _refresh_member(frames, member_id, new_rows, begins, since)
    if frames:
        _write(store, frames)
    _remember(store, members)
    return True


def _refresh_member(
    frames: dict[str, pl.DataFrame], member_id: str, new_rows: list[dict[str, Any]], begins: DayBegins,
    since: date | None,
) -> None:  # fmt: skip
    """Put the new facts in, and make one member's days anew from the first that they speak of."""
    old = frames["journal_facts"]
    facts = pl.concat([old, pl.DataFrame(new_rows, schema=_COLUMNS, orient="row")])
    frames["journal_facts"] = facts
    own = facts.filter(pl.col("member_id") == member_id)
    revised = own.filter(pl.col("fact_key").is_in([row["fact_key"] for row in new_rows]))
    first = min(filter(None, [revised["day"].min(), since]))  # type: ignore[type-var]
    reach = first - timedelta(days=MEMORY_DAYS)
    near = own.filter(pl.col("day") >= reach)["fact_key"].unique()
    tellings = own.filter(pl.col("fact_key").is_in(near.implode())).select(Telling._fields).iter_rows()
    rows = day_rows((Telling(*told) for told in tellings), begins.instants(), first)
    fresh: dict[str, list[pl.DataFrame]] = {"journal_days": [], "journal_weeks": []}
    is_own = pl.col("member_id") == member_id
    whole_week = frames["journal_days"].filter(
        is_own, pl.col("day").is_between(monday_of(first), first, "left")
    )
    _add(fresh, member_id, rows, whole_week)
    for name, day, start in (("journal_days", "day", first), ("journal_weeks", "week", monday_of(first))):
        frames[name] = pl.concat([frames[name].filter(~is_own | (pl.col(day) < start)), *fresh[name]])


def _add(
    frames: dict[str, list[pl.DataFrame]],
    member_id: str,
    rows: list[dict[str, Any]],
    before: pl.DataFrame | None,
) -> None:
    """One member's days, and their weeks; ``before`` are the days of the first week that are not made anew."""
    weeks = week_rows([*(before.to_dicts() if before is not None else []), *rows])
    for name, made in (("journal_days", rows), ("journal_weeks", weeks)):
        columns = {n: t for n, t in TABLES[name].columns.items() if n != "member_id"}
        frame = pl.DataFrame(made, schema=columns, orient="row").with_columns(member_id=pl.lit(member_id))
        frames[name].append(frame.select(list(TABLES[name].columns)))


def _row(fact: Fact) -> dict[str, Any]:
    payload = {name: value for name, value in fact.payload.items() if name in _COLUMNS}
    return {
        **payload,
        "member_id": fact.member_id,
        "fact_key": fact.key,
        "revision": fact.revision,
        "known_at": fact.known_at,
        "basis": fact.basis,
        "source": fact.source,
        "day": date.fromisoformat(fact.payload["day"]),
        "night": date.fromisoformat(fact.payload["night"]),
    }


def _telling(row: dict[str, Any]) -> Telling:
    return Telling(*(row[name] for name in Telling._fields))


def _offsets(told: dict[str, int], entries: Iterable[Fact]) -> dict[str, int]:
    """Wake day -> minutes east of UTC, as the notes of that day say."""
    return told | {e.payload["day"]: e.payload["utc_offset_min"] for e in entries}


def _last_told(before: str, rows: Iterable[dict[str, Any]]) -> str:
    """The last day (ISO) of which something done was told."""
    return max([before, *(row["day"].isoformat() for row in rows if not row["is_plan"])])


def _private(store: Store, member_id: str) -> str:
    chosen = private_questions(store.record, member_id)
    return json.dumps([sorted(chosen.left_out), sorted(chosen.let_in)])


def _empty(name: str) -> pl.DataFrame:
    return hrv_shared.schemas.empty(name)


def _write(store: Store, frames: dict[str, pl.DataFrame]) -> None:
    for name in OWN_TABLES:
        store.write_table(name, frames[name])


def _remember(store: Store, members: dict[str, _Member]) -> None:
    told = {name: member.as_list() for name, member in members.items()}
    stand = {"code": _code_digest(), "tables": _tables_digest(store), "members": told}
    store.record.set_cursor(_CURSOR, json.dumps(stand))


def _lock(store: Store) -> FileLock:
    return FileLock(store.home / "journal-tables.lock")


def _tables_digest(store: Store) -> str:
    """Of the files as they lie there: whoever else writes one makes us begin anew."""
    digest = hashlib.sha256()
    for name in OWN_TABLES:
        path = store.table_path(name)
        digest.update(path.read_bytes() if path.exists() else b"absent")
    return digest.hexdigest()


@cache
def _code_digest() -> str:
    """Of the rules that make the tables: a changed rule makes every row anew."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    names = ("table", "day_begins", "day_states", "week_states", "answers", "behaviours")
    paths = [folder / f"{name}.py" for name in names] + sorted((folder / "data").glob("*.toml"))
    for path in (*paths, Path(hrv_shared.schemas.__file__)):
        digest.update(path.read_bytes())
    for name in ("journal_ontology.csv", "journal_questions.toml"):
        file = resources.files("hrv_shared") / "data" / name
        digest.update(file.read_bytes() if file.is_file() else b"absent")
    return digest.hexdigest()
