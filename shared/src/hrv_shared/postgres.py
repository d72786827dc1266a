"""The record and the ledger in PostgreSQL, for a house of many members: the same SQL, the same rows, the same hashes.

A store keeps its record there when its folder holds ``record.toml`` (mode 0600) with ``dsn`` and ``schema``. A schema
is one record with one ledger: its writes wait for each other, as they do in a file, so a house of many members gives
each bucket of members a store, and a schema, of its own. Everything else of a store stays in its folder.
"""

from __future__ import annotations

import json
import re
import sqlite3
import tomllib
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrv_shared.errors import ConfigurationError, StoreError

__all__ = ["PLACE_FILE", "PostgresConnection", "PostgresPlace", "place_of", "write_place"]

PLACE_FILE = "record.toml"
_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class PostgresPlace:
    """A database and one schema in it.

    Attributes
    ----------
    dsn : str
        As libpq takes it; better without a password (``~/.pgpass``, a peer's socket). Never shown.
    """

    dsn: str
    schema: str

    def __post_init__(self) -> None:
        if not _SCHEMA_NAME.fullmatch(self.schema):
            raise ConfigurationError(
                f"Expected the name of a PostgreSQL schema in small letters, digits and _, got {self.schema!r}."
            )

    def __repr__(self) -> str:
        return f"PostgresPlace(schema={self.schema!r})"


def place_of(home: Path) -> PostgresPlace | None:
    """Where the store's record is, when that is PostgreSQL.

    Raises
    ------
    ConfigurationError
        ``record.toml`` is not what it should be.
    """
    try:
        told = tomllib.loads((home / PLACE_FILE).read_text(encoding="utf-8"))
        return PostgresPlace(str(told["dsn"]), str(told["schema"]))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError):
        raise ConfigurationError(
            f'Expected dsn = "…" and schema = "…" in {home / PLACE_FILE}. Mend it; the record is in PostgreSQL.'
        ) from None


def write_place(home: Path, place: PostgresPlace) -> None:
    """Say that the store's record is there from now on; it must not have one in its folder.

    Raises
    ------
    StoreError
        It has one.
    """
    from hrv_shared.store import write_bytes_atomic

    if (home / "record.sqlite").exists():
        raise StoreError(f"{home} has a record of its own. Move it: hrv record move --dsn … --schema …")
    text = f"dsn = {json.dumps(place.dsn)}\nschema = {json.dumps(place.schema)}\n"
    write_bytes_atomic(home / PLACE_FILE, text.encode())


class PostgresConnection:
    """What `Record` and `Ledger` need of a connection, over psycopg: ``?`` for parameters, errors as `StoreError`.

    An error's text may hold a row, so only its first line from the server is passed on.
    """

    def __init__(self, place: PostgresPlace) -> None:
        try:
            import psycopg
        except ModuleNotFoundError:
            raise StoreError(
                "This store's record is in PostgreSQL, which needs psycopg. Install it: "
                "pip install 'hrv-shared[postgres]'"
            ) from None
        self._errors = psycopg.Error
        self._connect = psycopg.connect
        self._place = place
        self._held = self._opened()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return not self._held.closed and self._held.info.transaction_status.name != "IDLE"

    def execute(self, query: str, values: Iterable[Any] = ()) -> Any:
        """Run one statement; a connection that the server ended is opened anew unless it was in a transaction."""
        values = tuple(values)
        if self._held.closed:
            self._held = self._opened()
        try:
            return self._held.execute(query.replace("?", "%s"), values or None)
        except self._errors as error:
            raise StoreError(_told(error)) from None

    def begin(self) -> None:
        """Begin a write that no other one of this schema overlaps."""
        self.execute("BEGIN")
        self.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))")

    def copy_in(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Fill a table fast, within the transaction that is open."""
        try:
            with self._held.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except self._errors as error:
            raise StoreError(_told(error)) from None

    def close(self) -> None:
        """Close it."""
        self._held.close()

    def drop(self) -> None:
        """Remove the schema with everything in it."""
        self.execute(f'DROP SCHEMA "{self._place.schema}" CASCADE')

    def _opened(self) -> Any:
        try:
            held = self._connect(self._place.dsn, autocommit=True, connect_timeout=30)
            held.execute(f'CREATE SCHEMA IF NOT EXISTS "{self._place.schema}"')
            held.execute(f'SET search_path TO "{self._place.schema}"')
        except self._errors as error:
            raise StoreError(
                f"The record in PostgreSQL can't be reached: {_told(error)}. Is the server running? See {PLACE_FILE}."
            ) from None
        weakref.finalize(self, held.close)  # a store that is let go closes, as a file does
        return held


def statements_of(schema: str, tables: Iterable[str]) -> Iterator[str]:
    """The file's schema in PostgreSQL's words, with the triggers by which its tables only grow.

    Texts are compared byte by byte, as in a file; instants and days are texts that sort so.
    """
    words = {
        "INTEGER PRIMARY KEY AUTOINCREMENT": "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        " TEXT": ' TEXT COLLATE "C"', " REAL": " DOUBLE PRECISION", ") STRICT": ")",
    }  # fmt: skip
    for theirs, ours in words.items():
        schema = schema.replace(theirs, ours)
    yield from (statement for statement in schema.split(";") if statement.strip())
    yield (
        "CREATE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'the % table only grows', TG_TABLE_NAME; END $$"
    )
    for table in tables:
        yield (
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION only_grows()"
        )


def move_record(path: Path, place: PostgresPlace) -> dict[str, int]:
    """Copy a file's record and ledger into a schema that has none yet: rows, numbers and hashes as they are.

    Returns how many rows of each table. The caller holds still what writes to the file.

    Raises
    ------
    StoreError
        The schema has a record already.
    """
    from hrv_shared.database import connect, transaction

    there, counts = connect(place), {}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as here, transaction(there):
        for table in ("fact", "forecast", "outcome", "cursor"):
            if there.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
                raise StoreError(f"The schema {place.schema} holds a record already; choose another one.")
            rows = here.execute(f"SELECT * FROM {table} ORDER BY 1")
            there.copy_in(table, [column[0] for column in rows.description], rows)
            counts[table] = there.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        there.execute("SELECT setval(pg_get_serial_sequence('fact', 'seq'), coalesce(max(seq), 1)) FROM fact")
    here.close()
    there.close()
    return counts


def _told(error: Exception) -> str:
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    return f"{said or 'no answer'} ({type(error).__name__})"
