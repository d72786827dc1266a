"""Tensors of a ``.safetensors`` file, read without any library.

Eight bytes of header length, a JSON header with name, type, shape and offsets, then the tensors.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hrv_shared.models.errors import ModelTampered

__all__ = ["read_safetensors"]

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I8": "|i1"}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Every tensor by its name; read-only, and read from the disk when it is first used.

    Raises
    ------
    ModelTampered
        The file is not of that form.
    """
    try:
        data = np.memmap(path, np.uint8, "r")
        begin = 8 + int.from_bytes(bytes(data[:8]), "little")
        entries = json.loads(bytes(data[8:begin]))
        entries.pop("__metadata__", None)
        tensors = {}
        for name, entry in entries.items():
            first, last = entry["data_offsets"]
            flat = data[begin + first : begin + last].view(TYPES[entry["dtype"]])
            tensors[name] = np.asarray(flat.reshape(entry["shape"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelTampered(
            f"{path} is no safetensors file ({type(error).__name__}: {error}). Remove it and fetch it again."
        ) from None
    return tensors
