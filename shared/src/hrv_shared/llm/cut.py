"""A GGUF model cut short, so that the state in its middle can be read.

llama.cpp hands out the state after the last block alone. A copy that ends earlier hands out an earlier one, which tells
things that the last one no longer holds (Skean et al. 2025, Layer by Layer, arXiv 2502.02013), and costs less to read.
"""

from __future__ import annotations

import json
import os
import struct
import time
import uuid
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from hrv_shared.llm.errors import ModelUnavailable
from hrv_shared.models.cache import hash_file, remembered_hash

__all__ = ["cut_short"]

KEPT = 2
"""Copies that are kept; older ones go."""
HASHES = "cut_models.json"
LEFT_BEHIND_S = 3600.0
"""Age from which on a half-written copy belongs to a process that was killed."""


def cut_short(path: Path, blocks: int, folder: Path) -> Path:
    """A copy of a model that ends after its first ``blocks`` blocks; made once, then only checked.

    Raises
    ------
    ModelUnavailable
        It has fewer blocks, is no GGUF model, or the copy can't be written.
    """
    try:
        return _kept(path, blocks, folder) or _made(path, blocks, folder)
    except ImportError as error:
        raise ModelUnavailable(
            "gguf is not installed. Run `./hrv setup`, or install hrv-shared[llm]."
        ) from error
    except OSError as error:
        raise ModelUnavailable(
            f"{path.name} cut to {blocks} blocks could not be written to {folder} ({error.strerror or error}). "
            f"Expected room for up to {path.stat().st_size // 1_000_000} MB there."
        ) from error
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise ModelUnavailable(f"{path.name} can't be cut to {blocks} blocks: {error}.") from error


def _key(path: Path, blocks: int) -> str:
    stat = path.stat()
    told = json.dumps([str(path.resolve()), stat.st_size, stat.st_mtime_ns, blocks])
    return sha256(told.encode()).hexdigest()[:16]


def _kept(path: Path, blocks: int, folder: Path) -> Path | None:
    key = _key(path, blocks)
    for copy in folder.glob(f"{key}-*.gguf"):
        if remembered_hash(copy, folder / HASHES).startswith(copy.stem.removeprefix(f"{key}-")):
            return copy
        copy.unlink()
    return None


def _made(path: Path, blocks: int, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = _key(path, blocks)
    part = folder / f"{key}.{uuid.uuid4().hex}.cutting"
    try:
        _write(path, blocks, part)
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        copy = folder / f"{key}-{hash_file(part)[:16]}.gguf"
        part.replace(copy)
    finally:
        with suppress(OSError):
            part.unlink()
    remembered_hash(copy, folder / HASHES)
    _tidy(folder, copy)
    return copy


def _tidy(folder: Path, copy: Path) -> None:
    """Remove old copies and what killed processes left; what is in use elsewhere may refuse and stays."""
    others = sorted(set(folder.glob("*.gguf")) - {copy}, key=lambda file: file.stat().st_mtime, reverse=True)
    left = [file for file in folder.glob("*.cutting") if time.time() - file.stat().st_mtime > LEFT_BEHIND_S]
    for file in (*others[KEPT - 1 :], *left):
        with suppress(OSError):
            file.unlink()


def _write(path: Path, blocks: int, target: Path) -> None:
    import gguf

    source = gguf.GGUFReader(path)
    architecture = source.fields["general.architecture"].contents()
    count = f"{architecture}.block_count"
    if not 0 < blocks <= source.fields[count].contents():
        raise ValueError(f"it has {source.fields[count].contents()}")
    writer = gguf.GGUFWriter(target, architecture)
    try:
        for name, field in source.fields.items():
            if name.startswith("GGUF.") or name == "general.architecture":
                continue  # of the container; the writer makes its own
            value = blocks if name == count else field.contents()
            writer.add_key_value(
                name, value, field.types[0], field.types[-1] if len(field.types) > 1 else None
            )
        for tensor in source.tensors:
            kind, _, rest = tensor.name.partition(".")
            if kind != "blk" or int(rest.partition(".")[0]) < blocks:
                writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
