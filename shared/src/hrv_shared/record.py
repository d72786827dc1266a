"""The record: what WHOOP answered and what the wearer said, as received, with the time at which we learned it.

It only grows. A changed payload is a new revision of the same key; an unchanged one is not written again, so every
pull and import may run twice. ``known_at`` is *seen* for what we fetched or heard ourselves and *inferred* by a stated
rule for imported history (``basis`` says which).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hrv_shared.clock import Clock, system_clock
from hrv_shared.database import connect, transaction
from hrv_shared.daytime import format_instant, parse_instant
from hrv_shared.errors import StoreError
from hrv_shared.postgres import PostgresPlace

__all__ = ["SEEN", "Fact", "FactDraft", "Record", "canonical_json"]

SEEN = "seen"


@dataclass(frozen=True)
class FactDraft:
    """A fact to be written.

    Attributes
    ----------
    known_at : datetime
        Aware; when we learned it.
    basis : str
        ``seen``, or ``inferred:<rule>``.
    """

    member_id: str
    kind: str
    key: str
    payload: dict[str, Any]
    known_at: datetime
    basis: str
    source: str


@dataclass(frozen=True)
class Fact(FactDraft):
    """A written fact; ``seq`` is its place in the record."""

    seq: int
    revision: int
    recorded_at: datetime
    sha256: str


class Record:
    """The facts of one store, safe for several processes at a time."""

    def __init__(self, place: Path | PostgresPlace, clock: Clock = system_clock) -> None:
        self._connection = connect(place)
        self._clock = clock

    def append(
        self,
        member_id: str,
        kind: str,
        key: str,
        payload: dict[str, Any],
        *,
        known_at: datetime,
        basis: str,
        source: str,
    ) -> Fact | None:
        """Write one fact; None when the latest revision of its key says the same."""
        draft = FactDraft(member_id, kind, key, payload, known_at, basis, source)
        with transaction(self._connection):
            row = self._append(draft)
        return None if row is None else _fact(row)

    def append_many(self, drafts: Iterable[FactDraft], cursors: Mapping[str, str] | None = None) -> int:
        """Write facts, and with them where their sync stands, in one transaction; durable when it returns.

        Returns how many were new.
        """
        with transaction(self._connection):
            new = sum(self._append(draft) is not None for draft in drafts)
            for cursor in (cursors or {}).items():
                self._connection.execute(_SET_CURSOR, cursor)
        return new

    def facts(
        self,
        kind: str | tuple[str, ...] | None = None,
        member_id: str | None = None,
        as_of: datetime | None = None,
        *,
        known_since: datetime | None = None,
        after_seq: int | None = None,
    ) -> Iterator[Fact]:
        """Every revision known at ``as_of``, in the order of writing.

        Parameters
        ----------
        known_since, after_seq : optional
            Only what became known then or later; only what was written after that place.
        """
        where: list[str] = ["1 = 1"]
        values: list[Any] = []
        if kind is not None:
            kinds = (kind,) if isinstance(kind, str) else tuple(kind)
            where.append(f"kind IN ({', '.join('?' * len(kinds))})")
            values += kinds
        if member_id is not None:
            where.append("member_id = ?")
            values.append(member_id)
        if as_of is not None:
            where.append("known_at <= ?")
            values.append(format_instant(as_of))
        if known_since is not None:
            where.append("known_at >= ?")
            values.append(format_instant(known_since))
        if after_seq is not None:
            where.append("seq > ?")
            values.append(after_seq)
        query = f"SELECT {_COLUMNS} FROM fact WHERE {' AND '.join(where)} ORDER BY seq"
        for row in self._connection.execute(query, values).fetchall():
            yield _fact(row)

    def latest(self, kind: str, member_id: str, as_of: datetime | None = None) -> dict[str, Fact]:
        """The revision in force at ``as_of`` for every key of a kind."""
        found: dict[str, Fact] = {}
        for fact in self.facts(kind, member_id, as_of):
            held = found.get(fact.key)
            if held is None or (held.known_at, held.revision) <= (fact.known_at, fact.revision):
                found[fact.key] = fact
        return found

    def last_seq(self, member_id: str) -> int:
        """The place of a member's last fact; 0 without any."""
        query = "SELECT coalesce(max(seq), 0) FROM fact WHERE member_id = ?"
        return self._connection.execute(query, (member_id,)).fetchone()[0]

    def members(self) -> list[str]:
        """Everybody of whom there is a fact."""
        return [row[0] for row in self._connection.execute("SELECT DISTINCT member_id FROM fact ORDER BY 1")]

    def get_cursor(self, name: str) -> str | None:
        """Where a sync stands."""
        row = self._connection.execute("SELECT value FROM cursor WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_cursor(self, name: str, value: str) -> None:
        """Remember where a sync stands."""
        with transaction(self._connection):
            self._connection.execute(_SET_CURSOR, (name, value))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _append(self, draft: FactDraft) -> tuple | None:
        """Write a draft; the row as written, or None when its key says the same already."""
        text = canonical_json(draft.payload)
        digest = hashlib.sha256(text.encode()).hexdigest()
        last = self._connection.execute(
            "SELECT revision, sha256 FROM fact WHERE member_id = ? AND kind = ? AND key = ?"
            " ORDER BY revision DESC LIMIT 1",
            (draft.member_id, draft.kind, draft.key),
        ).fetchone()
        if last is not None and last[1] == digest:
            return None
        revision = 1 if last is None else last[0] + 1
        row = (
            draft.member_id, draft.kind, draft.key, revision, format_instant(draft.known_at), draft.basis, draft.source,
            format_instant(self._clock()), text, digest,
        )  # fmt: skip
        try:
            place = self._connection.execute(
                f"INSERT INTO fact ({_COLUMNS.removeprefix('seq, ')}) VALUES ({', '.join('?' * len(row))})"
                " RETURNING seq",
                row,
            ).fetchone()
        except sqlite3.OperationalError as error:
            raise StoreError(f"The record could not be written ({error}); nothing of it was kept.") from error
        return (place[0], *row)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no blanks: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


_SET_CURSOR = "INSERT INTO cursor VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_COLUMNS = "seq, member_id, kind, key, revision, known_at, basis, source, recorded_at, payload, sha256"


def _fact(row: tuple) -> Fact:
    seq, member_id, kind, key, revision, known_at, basis, source, recorded_at, payload, sha256 = row
    return Fact(
        seq=seq, member_id=member_id, kind=kind, key=key, revision=revision, known_at=parse_instant(known_at),
        basis=basis, source=source, recorded_at=parse_instant(recorded_at), payload=json.loads(payload), sha256=sha256,
    )  # fmt: skip
