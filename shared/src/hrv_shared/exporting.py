"""Everything that is kept of the wearer, in one ZIP that people and programs can read without us.

The database goes in whole, so that unpacking it into an empty folder gives an equal store; beside it the same as JSON
lines and CSV. Secrets (tokens, keys) are left out.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from hrv_shared.errors import StoreError
from hrv_shared.schemas import TABLES
from hrv_shared.store import Store

__all__ = ["EXPORT_PARTS", "export_all"]

EXPORT_PARTS = ("facts", "forecasts", "outcomes")
_QUERIES = {
    "facts": "SELECT * FROM fact ORDER BY seq",
    "forecasts": "SELECT * FROM forecast ORDER BY book, n",
    "outcomes": "SELECT * FROM outcome ORDER BY n",
}
_JSON_COLUMNS = ("payload", "quantiles_ms", "reasons")
_SECRET = re.compile(r"(?im)^\s*\w*(secret|passphrase|api_key|notify_urls)\w*\s*=.*$")
_README = """Everything that hrv kept of you, as of {now}.

record.sqlite     record, ledger, outcomes; with ledger.head an equal store when unpacked into an empty folder
ledger.head       the ends of the ledger's chains
facts.jsonl       every fact as received, with known_at (when it was learned) and basis (how that is known)
forecasts.jsonl   every forecast with its quantiles, reasons and hash
outcomes.jsonl    what came true
tables/*.csv      tables made of the record (made anew by: hrv rebuild)
reports/          daily and weekly summaries
audio/, inbox/    recordings and notes that were not confirmed yet
hrv.toml          your choices, without secrets

Read it again with: unzip into an empty folder F, then HRV_HOME=F hrv rebuild
"""


def export_all(
    store: Store, path: Path, advance: Callable[[float, str], None] = lambda amount, note: None
) -> dict[str, Any]:
    """Write the ZIP beside ``path``, then rename it there (mode 0600).

    Returns
    -------
    dict
        path, size_bytes, and how many facts, forecasts, outcomes, tables and files it holds.

    Raises
    ------
    StoreError
        There is nothing to export, or the place can't be written to.
    """
    if not isinstance(store.database, Path):
        raise StoreError(
            "The record is in PostgreSQL; export it with the server's own pg_dump, schema by schema."
        )
    if not store.database.exists():
        raise StoreError(f"{store.home} holds no record, so there is nothing to export.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise StoreError(f"{path} can't be written ({error.strerror}). Choose another place.") from None
    counts: dict[str, Any] = {}
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, count in _written(store, archive):
                counts[name] = counts.get(name, 0) + count
                advance(1, name)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return {"path": str(path), "size_bytes": path.stat().st_size, **counts}


def _written(store: Store, archive: zipfile.ZipFile) -> Iterator[tuple[str, int]]:
    archive.writestr("README.txt", _README.format(now=f"{store.clock():%Y-%m-%d %H:%M} UTC"))
    with tempfile.TemporaryDirectory(dir=store.home, prefix=".export-") as folder:
        copy = Path(folder) / "record.sqlite"
        with sqlite3.connect(store.database) as held, sqlite3.connect(copy) as whole:
            held.backup(whole)
        held.close()
        whole.close()
        archive.write(copy, "record.sqlite")
        head = store.home / "ledger.head"
        if head.exists():
            archive.write(head, "ledger.head")
        rows = sqlite3.connect(copy)
        try:
            for name in EXPORT_PARTS:
                yield name, _json_lines(rows, name, archive)
        finally:
            rows.close()
    for name in TABLES:
        if store.table_path(name).exists():
            archive.writestr(f"tables/{name}.csv", _csv(store.read_table(name)))
            yield "tables", 1
    for part in ("reports", "audio", "inbox"):
        for file in sorted((store.home / part).rglob("*")):
            if file.is_file() and not file.is_symlink():
                archive.write(file, str(file.relative_to(store.home)))
                yield "files", 1
    choices = store.home / "hrv.toml"
    if choices.exists():
        archive.writestr("hrv.toml", _SECRET.sub("", choices.read_text(encoding="utf-8")))


def _json_lines(rows: sqlite3.Connection, name: str, archive: zipfile.ZipFile) -> int:
    cursor, count = rows.execute(_QUERIES[name]), 0
    names = [column[0] for column in cursor.description]
    with archive.open(f"{name}.jsonl", "w", force_zip64=True) as out:
        for values in cursor:
            row = dict(zip(names, values, strict=True))
            for column in _JSON_COLUMNS:
                if row.get(column):
                    row[column] = json.loads(row[column])
            out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count


def _csv(frame: pl.DataFrame) -> str:
    """A table for spreadsheets: lists as JSON, and no text that a spreadsheet would take for a formula."""
    plain = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if isinstance(kind, pl.List):
            column = column.map_elements(lambda v: json.dumps(v.to_list()), return_dtype=pl.String)
        if kind == pl.String:
            column = (
                pl.when(column.str.contains(r"^[=+\-@\t\r]")).then("'" + column).otherwise(column).alias(name)
            )
        plain.append(column)
    return frame.select(plain).write_csv()
