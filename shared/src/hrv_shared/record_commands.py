"""``hrv record``: where the record is, and taking it to PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, app_for, emit
from hrv_shared.errors import StoreError
from hrv_shared.settings import load_settings
from hrv_shared.store import Store

__all__ = ["record_app"]

record_app = app_for("record", "Where the record is: a file of the store, or PostgreSQL.")

DsnOption = Annotated[
    str, typer.Option(help="As libpq takes it; better without a password (~/.pgpass, a socket).")
]
SchemaOption = Annotated[str, typer.Option(help="Schema for this store alone.")]


@record_app.command()
def status(as_json: JsonOption = False) -> None:
    """Where the record is, and how much it holds."""
    store = Store.open(load_settings())
    place = store.database
    facts = sum(store.record.last_seq(member) > 0 for member in store.record.members())
    where = str(place) if isinstance(place, Path) else f"PostgreSQL, schema {place.schema}"
    emit({"where": where, "members": facts}, f"{where}: {facts} members", as_json)


@record_app.command()
def use(dsn: DsnOption, schema: SchemaOption, as_json: JsonOption = False) -> None:
    """Keep a new store's record in PostgreSQL from the start."""
    from hrv_shared.postgres import PostgresPlace, write_place

    store = Store.open(load_settings())
    write_place(store.home, PostgresPlace(dsn, schema))
    store.record.members()
    emit({"schema": schema}, f"The record is in PostgreSQL, schema {schema}.", as_json)


@record_app.command()
def move(dsn: DsnOption, schema: SchemaOption, as_json: JsonOption = False) -> None:
    """Move the record and the ledger from the store's file to PostgreSQL; the file is kept aside.

    Stop what writes to the store before (hrv up --stop).
    """
    from hrv_shared.postgres import PostgresPlace, move_record, write_place

    store, place = Store.open(load_settings()), PostgresPlace(dsn, schema)
    file = store.home / "record.sqlite"
    if not file.exists():
        raise StoreError("This store has no record in a file. A new one begins with: hrv record use --dsn …")
    counts = move_record(file, place)
    for old in sorted(store.home.glob("record.sqlite*")):
        old.rename(old.with_name(old.name.replace("record.sqlite", "record.sqlite.moved", 1)))
    write_place(store.home, place)
    faults = Store.open(load_settings()).ledger.verify()
    if faults:
        raise StoreError(
            f"The moved ledger has {len(faults)} faults; the file is kept as record.sqlite.moved."
        )
    said = ", ".join(f"{n} {name}s" for name, n in counts.items())
    emit(
        {"schema": schema, **counts},
        f"Moved: {said}; the ledger is sound. The file is record.sqlite.moved.",
        as_json,
    )
