"""The command line: quick help, one JSON object, one sentence for a mistake."""

import json
import subprocess
import sys

import pytest

from journal_analysis.word_error import word_errors

HEAVY = ("faster_whisper", "polars", "av", "ctranslate2", "numpy")


@pytest.fixture
def command(tmp_path):
    environment = {
        "HRV_HOME": str(tmp_path / "home"),
        "HRV_ALLOW_DOWNLOAD": "false",
        "PATH": "",
        "HOME": str(tmp_path),
    }

    def call(*arguments):
        line = [sys.executable, "-m", "journal_analysis", *arguments]
        return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)

    return call


def test_add_show_undo_confirm(command):
    added = json.loads(command("add", "--text", "Two beers, the last at ten.", "--json").stdout)
    assert added["receipt"] == "I heard: 2 drinks (Two beers), last at 22:00."
    key = added["entry"][:8]
    assert "alcohol: 2 drinks" in command("show").stdout
    assert json.loads(command("undo", key, "--json").stdout)["changed"] == 2
    assert json.loads(command("confirm", key, "--json").stdout)["changed"] == 2
    assert json.loads(command("rebuild", "--json").stdout)["rows"] == 6
    assert json.loads(command("ingest", "--json").stdout)["new"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add"], "either a recording or --text"),
        (["add", "--text", "x", "--recorded-at", "yesterday"], "--recorded-at like"),
        (["add", "nowhere.flac"], "can't be opened"),
        (["backfill", "nowhere.jsonl"], "can't be read"),
        (["undo", "ffffffff"], "hrv journal show"),
        (["bench", "--data", "."], "manifest.json"),
    ],
)
def test_a_mistake_gets_a_sentence_and_exit_code_2(command, arguments, words):
    plain, as_json = command(*arguments), command(*arguments, "--json")
    assert plain.returncode == as_json.returncode == 2
    assert words in plain.stderr and "Traceback" not in plain.stderr
    assert words in json.loads(as_json.stdout)["error"]["message"]


def test_help_loads_nothing_heavy():
    code = f"import sys, journal_analysis.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


@pytest.mark.parametrize(
    ("reference", "heard", "errors"),
    [
        ("Two beers at half past nine.", "2 beers at half past 9", 0),
        ("I'm fine.", "I am fine", 0),
        ("No drinks tonight.", "drinks tonight", 1),
        ("Stress was four.", "Stress was for.", 1),
        ("one two three", "", 3),
    ],
)
def test_word_errors(reference, heard, errors):
    assert word_errors(reference, heard)[0] == errors
