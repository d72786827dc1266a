"""The service's own small notebook: which jobs ran, which webhooks came, which signatures were used up.

One SQLite file in the store's folder (WAL, synchronous FULL), so that nothing of it depends on the process staying
alive. No health data: results of jobs stay in memory.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from hrv_shared.database import transaction
from hrv_shared.daytime import format_instant, parse_instant
from hrv_shared.errors import StoreError

__all__ = ["Book", "Hint", "JobRow", "Taken"]

KEPT_JOBS = 100
MOST_WAITING = 5_000
KEPT_HINTS, HINTS_KEPT_FOR = 10_000, timedelta(days=7)
MOST_SIGNATURES, SIGNATURES_KEPT_FOR = 20_000, timedelta(days=1)

Taken = Literal["new", "seen", "full"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, state TEXT NOT NULL, started_at TEXT NOT NULL,
    finished_at TEXT, error_code TEXT, error_message TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS hint (
    n INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT NOT NULL, type TEXT NOT NULL, record_id TEXT NOT NULL,
    received_at TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, due_at TEXT NOT NULL,
    UNIQUE (trace_id, type, record_id)
) STRICT;
CREATE TABLE IF NOT EXISTS signature (digest BLOB PRIMARY KEY, used_at TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class JobRow:
    """What is durable of a job."""

    id: int
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True)
class Hint:
    """A webhook event: something about this record changed at WHOOP."""

    n: int
    type: str
    record_id: str
    attempts: int


class Book:
    """The notebook in `path`; safe to use from several threads, not from several services at once."""

    def __init__(self, path: Path):
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=60, isolation_level=None, check_same_thread=False
            )
            path.chmod(0o600)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except (sqlite3.DatabaseError, OSError) as error:
            raise StoreError(
                f"{path} can't be used ({error}). It holds only the service's jobs and webhooks: move it aside and "
                "start again."
            ) from error

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # -- jobs ------------------------------------------------------------------------------------------------------

    def begin_job(self, kind: str, now: datetime) -> int:
        with self._write() as run:
            row = run("INSERT INTO job (kind, state, started_at) VALUES (?, 'queued', ?)", kind, _text(now))
            run("DELETE FROM job WHERE id <= ?", row.lastrowid - KEPT_JOBS)
            return row.lastrowid

    def mark_job(
        self,
        job_id: int,
        state: str,
        finished_at: datetime | None = None,
        error: tuple[str, str] | None = None,
    ) -> None:
        code, message = error or (None, None)
        with self._write() as run:
            run(
                "UPDATE job SET state = ?, finished_at = ?, error_code = ?, error_message = ? WHERE id = ?",
                state, finished_at and _text(finished_at), code, message, job_id,
            )  # fmt: skip

    def interrupt_jobs(self, now: datetime, error: tuple[str, str]) -> int:
        """Tell of every job that a former service did not finish; returns how many."""
        with self._write() as run:
            return run(
                "UPDATE job SET state = 'interrupted', finished_at = ?, error_code = ?, error_message = ? "
                "WHERE state IN ('queued', 'running')", _text(now), *error,
            ).rowcount  # fmt: skip

    def job(self, job_id: int | None = None) -> JobRow | None:
        """A job, by default the last one."""
        which = ("WHERE id = ?", (job_id,)) if job_id is not None else ("ORDER BY id DESC LIMIT 1", ())
        with self._lock:
            row = self._connection.execute(f"SELECT * FROM job {which[0]}", which[1]).fetchone()
        if row is None:
            return None
        started, finished = parse_instant(row[3]), parse_instant(row[4]) if row[4] else None
        return JobRow(row[0], row[1], row[2], started, finished, row[5], row[6])

    # -- webhooks --------------------------------------------------------------------------------------------------

    def take_hint(self, digest: bytes, trace_id: str, kind: str, record_id: str, now: datetime) -> Taken:
        """Use the signature up and note the event, both or neither, durable before this returns."""
        with self._write() as run:
            waiting = run("SELECT count(*) FROM hint WHERE state = 'waiting'").fetchone()[0]
            if waiting >= MOST_WAITING:
                return "full"
            if (taken := self._use(run, digest, now)) != "new":
                return taken
            run(
                "DELETE FROM hint WHERE state != 'waiting' AND (received_at < ? OR n <= "
                "(SELECT coalesce(max(n), 0) FROM hint) - ?)", _text(now - HINTS_KEPT_FOR), KEPT_HINTS,
            )  # fmt: skip
            added = run(
                "INSERT INTO hint (trace_id, type, record_id, received_at, state, attempts, due_at) "
                "VALUES (?, ?, ?, ?, 'waiting', 0, ?) ON CONFLICT DO NOTHING",
                trace_id, kind, record_id, _text(now), _text(now),
            )  # fmt: skip
            return "new" if added.rowcount else "seen"

    def due_hints(self, now: datetime, most: int = 100) -> list[Hint]:
        """Events whose time has come, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT n, type, record_id, attempts FROM hint WHERE state = 'waiting' AND due_at <= ? "
                "ORDER BY n LIMIT ?", (_text(now), most),
            ).fetchall()  # fmt: skip
        return [Hint(*row) for row in rows]

    def next_hint_at(self) -> datetime | None:
        """When the next event is due; None when none waits."""
        with self._lock:
            row = self._connection.execute("SELECT min(due_at) FROM hint WHERE state = 'waiting'").fetchone()
        return parse_instant(row[0]) if row[0] else None

    def finish_hint(self, hint: Hint, state: Literal["done", "given_up"]) -> None:
        with self._write() as run:
            run("UPDATE hint SET state = ? WHERE n = ?", state, hint.n)

    def postpone_hint(self, hint: Hint, due_at: datetime, *, counts: bool) -> None:
        with self._write() as run:
            run(
                "UPDATE hint SET due_at = ?, attempts = attempts + ? WHERE n = ?",
                _text(due_at), int(counts), hint.n,
            )  # fmt: skip

    def hint_counts(self) -> dict[str, int]:
        """How many events of the last seven days are waiting, done and given up."""
        with self._lock:
            rows = self._connection.execute("SELECT state, count(*) FROM hint GROUP BY state").fetchall()
        return {"waiting": 0, "done": 0, "given_up": 0} | dict(rows)

    def _use(self, run, digest: bytes, now: datetime) -> Taken:
        run("DELETE FROM signature WHERE used_at < ?", _text(now - SIGNATURES_KEPT_FOR))
        # only signatures of WHOOP's own get here; when there are that many, refusing is safer than forgetting
        if run("SELECT count(*) FROM signature").fetchone()[0] >= MOST_SIGNATURES:
            return "full"
        used = run("INSERT INTO signature VALUES (?, ?) ON CONFLICT DO NOTHING", digest, _text(now))
        return "new" if used.rowcount else "seen"

    @contextmanager
    def _write(self) -> Iterator:
        with self._lock, transaction(self._connection):
            yield lambda sql, *values: self._connection.execute(sql, values)


def _text(instant: datetime) -> str:
    return format_instant(instant)
