"""Tensors are read as they were written; a damaged file is a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hrv_shared.models import ModelTampered, read_safetensors


def test_a_damaged_file_is_a_sentence(tmp_path):
    path = tmp_path / "model.safetensors"
    for content in (b"", b"\xff" * 40, (9).to_bytes(8, "little") + b'{"a": 1} '):
        path.write_bytes(content)
        with pytest.raises(ModelTampered, match="no safetensors file"):
            read_safetensors(path)


def test_tensors_are_read_as_written(tmp_path):
    a, b = np.arange(6, dtype="<f4").reshape(2, 3), np.array([7], dtype="<i8")
    entry = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    entry["b"] = {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]}
    header = json.dumps(entry | {"__metadata__": {"x": "y"}}).encode()
    path = tmp_path / "t.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + a.tobytes() + b.tobytes())
    found = read_safetensors(path)
    assert set(found) == {"a", "b"} and np.array_equal(found["a"], a) and found["b"].tolist() == [7]
