"""Erasing: of a thousand planted values all are found before and none after; what is not ours stays."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from hrv_shared.erasing import WORDS_TO_ERASE, erase_all, places
from hrv_shared.errors import ConfigurationError
from hrv_shared.settings import Settings
from hrv_shared.store import Store

VALUES = 1_000


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        home=tmp_path / "home",
        config_dir=tmp_path / "config",
        cache_dir=tmp_path / "cache",
        token_store="file",
    )


def planted(settings, seed=11) -> list[str]:
    """Values that occur nowhere else, written into every place there is, by the real books where they have one."""
    draw = random.Random(seed)
    values = [f"{draw.getrandbits(64):016x}" for _ in range(VALUES)]
    store = Store(settings.home)
    waiting = list(values)
    for k in range(600):
        value = waiting.pop()
        payload = {"transcript": f"note {value}", "hrv_rmssd_ms": 61.5}
        store.record.append(
            "me", "journal_entry", f"k{k}", payload, known_at=store.clock(), basis="seen", source="text"
        )
    store.record.set_cursor("sync", waiting.pop())
    store.record.close()
    unlike = ("record.toml", "hrv.toml")  # read on the way: what stands in them has to make sense
    files = [place for place in places(settings) if not place.kept and not place.path.endswith(unlike)]
    assert len(files) > 20
    for place in files:
        path = Path(place.path)
        name = path.name.replace("*", "x")
        if "." in name or name.startswith("service-token") or name.startswith("dashboard-token"):
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / name).write_text(waiting.pop())
        else:
            folder = path.parent / name / "deeper"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{waiting.pop()}.txt").write_text(" ".join(waiting.pop() for _ in range(4)))
    (settings.home / "hrv.toml").write_text(f'asr_model = "{waiting.pop()}"')
    demo = settings.home / "demo" / "reports"
    demo.mkdir(parents=True)
    (settings.home / "demo" / ".hrv-demo").write_text("made by a test")
    (demo / "all.json").write_text(json.dumps(waiting))
    return values


def found(values, *folders) -> set[str]:
    """Which values stand in a file or a file's name below the folders."""
    held = set()
    for folder in folders:
        for path in folder.rglob("*"):
            text = str(path) + (path.read_bytes().decode("latin-1") if path.is_file() else "")
            held |= {value for value in values if value in text}
    return held


def test_of_a_thousand_planted_values_none_is_left(settings, tmp_path):
    values = planted(settings)
    assert len(found(values, tmp_path)) == VALUES
    done = erase_all(settings, "Erase ALL ")
    assert done.removed_files > 20
    assert found(values, tmp_path) == set()
    assert done.left == ()
    assert not settings.home.exists()


def test_without_the_words_nothing_is_erased(settings, tmp_path):
    values = planted(settings)
    for words in ("", "erase", "yes", "erase all!", "eraseall"):
        with pytest.raises(ConfigurationError, match="nothing was erased"):
            erase_all(settings, words)
    assert len(found(values, tmp_path)) == VALUES


def test_what_is_not_ours_stays_and_is_named(settings):
    planted(settings)
    thesis = settings.home / "thesis.docx"
    thesis.write_text("not ours")
    photo = settings.home / "photos" / "cat.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"cat")
    done = erase_all(settings, WORDS_TO_ERASE)
    assert (thesis.read_text(), photo.read_bytes()) == ("not ours", b"cat")
    assert set(done.left) == {str(thesis), str(photo.parent)}


def test_a_link_is_removed_and_what_it_points_to_is_not(settings, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.txt").write_text("mine")
    Store(settings.home)
    (settings.home / "audio").symlink_to(elsewhere)
    erase_all(settings, WORDS_TO_ERASE)
    assert (elsewhere / "precious.txt").read_text() == "mine"
    assert not (settings.home / "audio").is_symlink()


def test_every_place_that_the_house_writes_to_is_on_the_list(settings):
    """A store that was used holds nothing that the list does not know."""
    store = Store(settings.home)
    store.record.append("me", "x", "k", {"a": 1}, known_at=store.clock(), basis="seen", source="test")
    store.ledger.verify()
    for part in ("tables", "inbox", "audio", "uploads", "dagster", "mlartifacts", "exports"):
        (store.folder(part) / "x").write_text("x")
    store.folder("reports", "daily")
    store.record.close()
    store.ledger.close()
    assert erase_all(settings, WORDS_TO_ERASE).left == ()


def test_the_command_asks_for_the_words(settings):
    planted(settings)
    env = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")}
    env |= {
        "HRV_HOME": str(settings.home),
        "HRV_CONFIG_DIR": str(settings.config_dir),
        "HRV_TOKEN_STORE": "file",
    }
    command = [sys.executable, "-m", "hrv_shared", "erase", "--json"]
    refused = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "ConfigurationError"
    done = subprocess.run(
        [*command, "--confirm", WORDS_TO_ERASE],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["left"] == []
    assert not settings.home.exists()
