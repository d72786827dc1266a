"""How every part opens the record: one SQLite file (WAL, synchronous FULL), or a schema of PostgreSQL.

One schema, append-only by trigger, one writer at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrv_shared.errors import StoreError
from hrv_shared.postgres import PostgresConnection, PostgresPlace, statements_of

__all__ = ["SCHEMA_VERSION", "Connection", "connect", "transaction"]

Connection = sqlite3.Connection | PostgresConnection

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE fact (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL,
    known_at TEXT NOT NULL, basis TEXT NOT NULL, source TEXT NOT NULL, recorded_at TEXT NOT NULL,
    payload TEXT NOT NULL, sha256 TEXT NOT NULL,
    UNIQUE (member_id, kind, key, revision)
) STRICT;
CREATE TABLE forecast (
    book TEXT NOT NULL CHECK (book IN ('live', 'replay')), n INTEGER NOT NULL,
    member_id TEXT NOT NULL, slot TEXT NOT NULL,
    as_of TEXT NOT NULL, issued_at TEXT NOT NULL, recorded_at TEXT NOT NULL,
    origin_day TEXT NOT NULL, target_day TEXT NOT NULL, horizon INTEGER NOT NULL,
    forecaster TEXT NOT NULL, version TEXT NOT NULL, quantiles_ms TEXT NOT NULL, input_digest TEXT NOT NULL,
    reasons TEXT, prev_hash TEXT NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (book, n)
) STRICT;
CREATE UNIQUE INDEX one_live_issue ON forecast (member_id, slot, origin_day, forecaster, horizon) WHERE book = 'live';
CREATE UNIQUE INDEX one_replay_issue ON forecast (member_id, slot, origin_day, forecaster, version, horizon)
    WHERE book = 'replay';
CREATE TABLE outcome (
    n INTEGER PRIMARY KEY,
    member_id TEXT NOT NULL, day TEXT NOT NULL, revision INTEGER NOT NULL, hrv_rmssd_ms REAL NOT NULL,
    night_began_at TEXT, known_at TEXT NOT NULL, recorded_at TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL,
    UNIQUE (member_id, day, revision)
) STRICT;
CREATE TABLE cursor (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

_GROWING = ("fact", "forecast", "outcome")
_APPEND_ONLY = """
CREATE TRIGGER {table}_is_never_{verb} BEFORE {action} ON {table}
BEGIN SELECT RAISE(ABORT, 'the {table} table only grows'); END;
"""


def connect(place: Path | PostgresPlace) -> Connection:
    """Open the database, making it on first use.

    Raises
    ------
    StoreError
        It is not ours, is damaged, can't be reached, or was written by a newer version.
    """
    if isinstance(place, PostgresPlace):
        return _connect_postgres(place)
    return _connect_file(place)


def _connect_file(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            version = _create_file(connection)
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{path} is not a readable record ({error}). It was left as it is; "
            "move it aside and restore a backup, or pull and import again."
        ) from error
    path.chmod(0o600)
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema {version}, this program knows {SCHEMA_VERSION}. Update the program."
        )
    return connection


def _connect_postgres(place: PostgresPlace) -> PostgresConnection:
    connection = PostgresConnection(place)
    with transaction(connection):
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        found = connection.execute("SELECT version FROM schema_version").fetchone()
        if found is None:
            for statement in statements_of(_SCHEMA, _GROWING):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?)", (SCHEMA_VERSION,))
    if found is not None and found[0] != SCHEMA_VERSION:
        raise StoreError(
            f"The record has schema {found[0]}, this program knows {SCHEMA_VERSION}. Update the program."
        )
    return connection


def _create_file(connection: sqlite3.Connection) -> int:
    with transaction(connection):
        if (
            connection.execute("PRAGMA user_version").fetchone()[0] == 0
        ):  # another process may have been faster
            for statement in _SCHEMA.split(";"):
                if statement.strip():
                    connection.execute(statement)
            for table in _GROWING:
                for action, verb in (("UPDATE", "changed"), ("DELETE", "dropped")):
                    connection.execute(_APPEND_ONLY.format(table=table, action=action, verb=verb))
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    return connection.execute("PRAGMA user_version").fetchone()[0]


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """One durable write: all of it, or nothing; waits for other processes' writes."""
    if isinstance(connection, PostgresConnection):
        connection.begin()
    else:
        connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    try:
        connection.execute("COMMIT")
    except (sqlite3.OperationalError, StoreError) as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise StoreError(
            f"The record could not be written ({error}); nothing of it was kept. Run again."
        ) from error
