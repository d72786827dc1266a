"""A model whose pieces join to a zip file, of which some members are its files."""

from __future__ import annotations

import io
import zipfile
from contextlib import contextmanager
from hashlib import sha256

import pytest

from hrv_shared.models import ModelTampered
from hrv_shared.models.assemble import assemble_model
from hrv_shared.models.manifest import ModelFile, ModelManifest, Piece

FILES = {"model.bin": b"weights " * 500, "tokenizer.json": b"{}"}


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in files.items():
            whole.writestr(f"net/{name}", content)
    return stream.getvalue()


class Halves:
    """A source that holds the first and the second half of some bytes."""

    def __init__(self, whole: bytes) -> None:
        middle = len(whole) // 2
        self._halves = {"half-1": whole[:middle], "half-2": whole[middle:]}

    def missing(self, manifest):
        return []

    @contextmanager
    def open(self, piece):
        yield io.BytesIO(self._halves[piece.distribution])


def manifest() -> ModelManifest:
    pieces = (Piece("half-1", "net.zip.1"), Piece("half-2", "net.zip.2"))
    files = tuple(
        ModelFile(name, len(content), sha256(content).hexdigest(), pieces, member=f"net/{name}")
        for name, content in FILES.items()
    )
    return ModelManifest("net", "reader", files, 1000, "pins.txt", "none")


def test_members_are_taken_out_and_the_zip_file_goes(tmp_path):
    assemble_model(manifest(), Halves(zipped(FILES)), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == FILES


@pytest.mark.parametrize(
    "whole",
    [b"no zip file at all", zipped(FILES)[:-30], zipped(FILES | {"model.bin": b"other"}), zipped({}), b"x" * 9000],
)
def test_anything_else_is_refused_and_nothing_of_it_stays(tmp_path, whole):
    with pytest.raises(ModelTampered, match=r"do not join to the pinned model\.bin"):
        assemble_model(manifest(), Halves(whole), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_member_is_refused(tmp_path):
    whole = bytearray(zipped(FILES))
    whole[60] ^= 0xFF
    with pytest.raises(ModelTampered, match=r"do not join to the pinned model\.bin"):
        assemble_model(manifest(), Halves(bytes(whole)), tmp_path)


def test_room_is_kept_for_the_zip_file():
    assert manifest().joining_bytes == sum(map(len, FILES.values())) + 1000
