"""Changing hrv.toml: checked before it is written, other keys kept, strings safe."""

from __future__ import annotations

import tomllib

import pytest

from hrv_shared.errors import ConfigurationError
from hrv_shared.settings import load_settings
from hrv_shared.settings_file import change_settings


def test_a_choice_is_written_read_and_taken_back(tmp_path):
    path = change_settings(tmp_path / "home", {"seed": 4, "journal_keep_audio": True})
    assert path.stat().st_mode & 0o777 == 0o600
    settings = load_settings({"HRV_HOME": str(tmp_path / "home")})
    assert (settings.seed, settings.journal_keep_audio) == (4, True)
    change_settings(tmp_path / "home", {"journal_keep_audio": None})
    assert tomllib.loads(path.read_text()) == {"seed": 4}


@pytest.mark.parametrize("text", ['a"b\\c\nd', "ünï", "x\x7fy", "]\n[evil]\nk = 1"])
def test_any_text_comes_back_as_it_was(tmp_path, text):
    path = change_settings(tmp_path, {"llm_base_url": text})
    assert tomllib.loads(path.read_text()) == {"llm_base_url": text}


@pytest.mark.parametrize(
    "changes", [{"no_such": 1}, {"threads": 0}, {"llm_backend": "skynet"}, {"seed": [1]}]
)
def test_what_a_setting_does_not_take_leaves_the_file_as_it_was(tmp_path, changes):
    path = change_settings(tmp_path, {"seed": 1})
    with pytest.raises(ConfigurationError):
        change_settings(tmp_path, changes)
    assert tomllib.loads(path.read_text()) == {"seed": 1}
