"""The store: one folder (``HRV_HOME``) with the record, the derived tables, audio and reports.

What is derived is replaced whole: written beside, fsynced, renamed, so a reader sees the old or the new.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hrv_shared import schemas
from hrv_shared.clock import Clock, system_clock
from hrv_shared.errors import StoreError

if TYPE_CHECKING:
    from hrv_shared.ledger import Ledger
    from hrv_shared.postgres import PostgresPlace
    from hrv_shared.record import Record
    from hrv_shared.settings import Settings

__all__ = ["Store", "write_bytes_atomic"]


class Store:
    """Paths of one ``HRV_HOME`` and the two books that live in it.

    Parameters
    ----------
    home : Path
        The folder; made (mode 0700) when absent.
    clock : Clock
        Where "now" comes from.
    """

    def __init__(self, home: Path, clock: Clock = system_clock) -> None:
        self.home = Path(home)
        self.clock = clock
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(
                f"The store {self.home} can't be made: {error.strerror}. Set HRV_HOME."
            ) from error

    @classmethod
    def open(cls, settings: Settings, clock: Clock = system_clock) -> Store:
        """Open the store that the settings name."""
        return cls(settings.home, clock)

    @cached_property
    def database(self) -> Path | PostgresPlace:
        """The system of record: a file of the folder, or what its ``record.toml`` names."""
        from hrv_shared.postgres import place_of

        return place_of(self.home) or self.home / "record.sqlite"

    @cached_property
    def record(self) -> Record:
        """The facts."""
        from hrv_shared.record import Record

        return Record(self.database, clock=self.clock)

    @cached_property
    def ledger(self) -> Ledger:
        """The forecasts and their outcomes."""
        from hrv_shared.ledger import Ledger

        return Ledger(self.database, head_file=self.home / "ledger.head", clock=self.clock)

    def folder(self, *parts: str) -> Path:
        """A folder of the store, made when absent: ``inbox``, ``audio``, ``reports/daily`` …"""
        path = self.home.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def reports_dir(self, period: str) -> Path:
        """The folder of the ``daily`` or ``weekly`` reports."""
        return self.folder("reports", period)

    def table_path(self, name: str) -> Path:
        """Where the Parquet file of a table lies."""
        return self.home / "tables" / f"{schemas.TABLES[name].name}.parquet"

    def read_table(self, name: str) -> pl.DataFrame:
        """Read a derived table; empty, with its columns, when it was never built."""
        path = self.table_path(name)
        try:
            frame = pl.read_parquet(path, memory_map=False)
        except FileNotFoundError:
            return schemas.empty(name)
        except (pl.exceptions.PolarsError, OSError) as error:
            aside = path.with_suffix(".damaged")
            os.replace(path, aside)
            raise StoreError(
                f"Table {name} can't be read ({error}); moved aside as {aside.name}. Run: hrv rebuild"
            ) from error
        if frame.schema != pl.Schema(schemas.TABLES[name].columns):
            raise StoreError(f"Table {name} was made by another version of this program. Run: hrv rebuild")
        return frame

    def write_table(self, name: str, frame: pl.DataFrame) -> None:
        """Replace a derived table; the same rows give the same bytes."""
        checked = schemas.validate(name, frame).rechunk()
        buffer = io.BytesIO()
        checked.write_parquet(buffer, compression="zstd", statistics=False, row_group_size=1 << 20)
        path = self.table_path(name)
        self.folder("tables")
        write_bytes_atomic(path, buffer.getvalue())


def write_bytes_atomic(
    path: Path, data: bytes, *, mode: int = 0o600, barrier: Callable[[], None] | None = None
) -> None:
    """Write beside, fsync, rename over, fsync the folder: the file is old or new, never half.

    Parameters
    ----------
    barrier : callable, optional
        Called between fsync and rename; the fault tests stop here.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        if barrier:
            barrier()
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise StoreError(
                f"The disk is full; {path.name} was left as it was. Free some space and run again."
            ) from error
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
