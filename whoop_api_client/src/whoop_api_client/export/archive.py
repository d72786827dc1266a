"""The CSV files of an export, out of a folder or a ZIP, and nothing that a hostile ZIP would like to give us."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from whoop_api_client.export.errors import NotAnExport, UnsafeArchive

__all__ = ["DEFAULT_LIMITS", "Limits", "csv_files"]

MB = 1024 * 1024
_CHUNK = MB


@dataclass(frozen=True)
class Limits:
    """How much we are willing to unpack (bytes; ratio = unpacked / packed, judged above 1 MB)."""

    entry: int = 64 * MB
    total: int = 128 * MB
    ratio: int = 200
    entries: int = 1_000


DEFAULT_LIMITS = Limits()


def csv_files(
    path: Path, limits: Limits = DEFAULT_LIMITS, ignored: list[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of every CSV file of the export, by name.

    Parameters
    ----------
    path : Path
        WHOOP's ZIP, the unpacked folder, or one CSV file.
    ignored : list of str, optional
        Filled with the names of the files that are not CSV.

    Raises
    ------
    NotAnExport
        Nothing there, or not readable.
    UnsafeArchive
        Too large, broken, encrypted, or a name that leaves the archive.
    """
    ignored = [] if ignored is None else ignored
    try:
        if path.is_dir():
            yield from _from_folder(path, limits, ignored)
        elif path.is_file() and path.suffix.lower() == ".csv":
            yield path.name, _bounded(path, limits)
        elif path.is_file() and zipfile.is_zipfile(path):
            yield from _from_zip(path, limits, ignored)
        elif path.exists():
            raise NotAnExport(
                f"{path.name}: expected WHOOP's export: a ZIP, a folder or a CSV file; got another file."
            )
        else:
            raise NotAnExport(f"{path}: expected WHOOP's export (a ZIP or a folder), but nothing is there.")
    except PermissionError as error:
        raise NotAnExport(
            f"{error.filename or path}: may not be read. Give yourself read access to it."
        ) from error


def _from_folder(path: Path, limits: Limits, ignored: list[str]) -> Iterator[tuple[str, bytes]]:
    total = 0
    for file in sorted([*path.glob("*"), *path.glob("*/*")]):
        if file.is_dir() or file.name.startswith("."):
            continue
        name = file.relative_to(path).as_posix()
        inside = file.resolve().is_relative_to(path.resolve())
        if file.suffix.lower() != ".csv" or not inside or not file.is_file():
            ignored.append(name)
            continue
        data = _bounded(file, limits)
        total += len(data)
        if total > limits.total:
            raise UnsafeArchive(
                f"{path.name}: expected at most {_size(limits.total)} of CSV files, got more."
            )
        yield name, data


def _bounded(file: Path, limits: Limits) -> bytes:
    if file.stat().st_size > limits.entry:
        raise UnsafeArchive(
            f"{file.name}: expected at most {_size(limits.entry)}, got {_size(file.stat().st_size)}."
        )
    return file.read_bytes()


def _from_zip(path: Path, limits: Limits, ignored: list[str]) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check(path.name, entries, limits)
            total = 0
            for entry in sorted(entries, key=lambda e: e.filename):
                parts = PurePosixPath(entry.filename).parts
                if entry.is_dir():
                    continue
                hidden = parts[0] == "__MACOSX" or parts[-1].startswith(".")
                if hidden or not entry.filename.lower().endswith(".csv"):
                    ignored.append(entry.filename)
                    continue
                data = _unpack(path.name, archive, entry, limits)
                total += len(data)
                if total > limits.total:
                    raise UnsafeArchive(
                        f"{path.name}: expected at most {_size(limits.total)} unpacked, got more."
                    )
                yield entry.filename, data
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, zlib.error) as error:
        if isinstance(error, PermissionError):
            raise
        raise UnsafeArchive(
            f"{path.name}: the ZIP is damaged ({error}). Download the export again."
        ) from error


def _check(name: str, entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Judge the whole directory before anything is unpacked."""
    if len(entries) > limits.entries:
        raise UnsafeArchive(
            f"{name}: expected a handful of files, got {len(entries)}. This is not WHOOP's export."
        )
    names = [entry.filename.replace("\\", "/").casefold() for entry in entries]
    if len(set(names)) < len(names):
        raise UnsafeArchive(f"{name}: two entries have the same name. Download the export again.")
    for entry in entries:
        pure = PurePosixPath(entry.filename.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or ":" in pure.parts[0]:
            raise UnsafeArchive(f"{name}: an entry points outside the archive. Do not trust this file.")
        mode = entry.external_attr >> 16
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UnsafeArchive(
                f"{name}: an entry is a link or a device, not a file. Do not trust this file."
            )
        if entry.flag_bits & 0x1:
            raise UnsafeArchive(f"{name}: the ZIP is encrypted. Unpack it and import the folder.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeArchive(
                f"{name}: an entry is packed in a way that WHOOP does not use. Unpack it yourself."
            )
    csv_total = sum(e.file_size for e in entries if e.filename.lower().endswith(".csv"))
    if csv_total > limits.total:
        raise UnsafeArchive(
            f"{name}: expected at most {_size(limits.total)} unpacked, got {_size(csv_total)}."
        )


def _unpack(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> bytes:
    """Unpack one entry, counting the bytes that really come instead of believing its header."""
    data = bytearray()
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            data += chunk
            if len(data) > limits.entry:
                raise UnsafeArchive(f"{name}: {entry.filename} is larger than {_size(limits.entry)}.")
            if len(data) > MB and len(data) > limits.ratio * max(entry.compress_size, 1):
                raise UnsafeArchive(
                    f"{name}: {entry.filename} unpacks to over {limits.ratio} times its size."
                )
    return bytes(data)


def _size(count: int) -> str:
    return f"{count / MB:,.0f} MB"
