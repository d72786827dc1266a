"""A GGUF model cut short, so that the state in its middle can be read.

llama.cpp hands out the state after the last block alone. A copy that ends earlier hands out an earlier one, which tells
things that the last one no longer holds (Skean et al. 2025, Layer by Layer, arXiv 2502.02013), and costs less to read.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from hrv_shared.llm.errors import ModelUnavailable
from hrv_shared.models.cache import hash_file, remembered_hash

__all__ = ["cut_short"]

KEPT = 2
"""Copies that are kept; older ones go."""
HASHES = "cut_models.json"


def cut_short(path: Path, blocks: int, folder: Path) -> Path:
    """A copy of a model that ends after its first ``blocks`` blocks; made once, then only checked.

    Raises
    ------
    ModelUnavailable
        It has fewer blocks, is no GGUF model, or the copy can't be written.
    """
    import gguf

    stat = path.stat()
    told = json.dumps([str(path.resolve()), stat.st_size, stat.st_mtime_ns, blocks])
    key = sha256(told.encode()).hexdigest()[:16]
    for copy in folder.glob(f"{key}-*.gguf"):
        if remembered_hash(copy, folder / HASHES).startswith(copy.stem.removeprefix(f"{key}-")):
            return copy
        copy.unlink()
    part = folder / f"{key}.{os.getpid()}.cutting"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(gguf, path, blocks, part)
        copy = folder / f"{key}-{hash_file(part)[:16]}.gguf"
        part.replace(copy)
        remembered_hash(copy, folder / HASHES)
        for old in sorted(folder.glob("*.gguf"), key=lambda f: f.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise ModelUnavailable(
            f"{path.name} cut to {blocks} blocks could not be written to {folder} ({error.strerror or error}). "
            f"Expected room for up to {stat.st_size // 1_000_000} MB there."
        ) from error
    except (ValueError, KeyError) as error:
        raise ModelUnavailable(f"{path.name} can't be cut to {blocks} blocks: {error}.") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return copy


def _write(gguf, path: Path, blocks: int, target: Path) -> None:
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
            writer.add_key_value(name, value, field.types[0], field.types[-1] if len(field.types) > 1 else None)
        for tensor in source.tensors:
            kind, _, rest = tensor.name.partition(".")
            if kind != "blk" or int(rest.partition(".")[0]) < blocks:
                writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
