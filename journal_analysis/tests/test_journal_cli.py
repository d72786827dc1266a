"""The command line: quick help, one JSON object, one sentence for a mistake."""

import json
import subprocess
import sys

import pytest

from journal_analysis.bench_store import measure_store
from journal_analysis.word_error import word_errors

HEAVY = ("faster_whisper", "polars", "av", "ctranslate2", "numpy", "py3langid", "watchfiles")


@pytest.fixture
def command(tmp_path):
    environment = {
        "HRV_HOME": str(tmp_path / "home"),
        "HRV_ALLOW_DOWNLOAD": "false",
        "PATH": "",
        "HOME": str(tmp_path),
    }

    def call(*arguments, stdin=""):
        line = [sys.executable, "-m", "journal_analysis", *arguments]
        return subprocess.run(line, env=environment, input=stdin, capture_output=True, text=True, check=False)

    return call


def test_add_show_undo_confirm(command):
    told = ["--recorded-at", "2026-03-04T22:30:00+01:00", "--json"]  # said in a morning, ten is that of the day before
    added = json.loads(command("add", "--text", "Two beers, the last at ten.", *told).stdout)
    assert added["receipt"] == "I heard: 2 drinks (Two beers), last at 22:00."
    key = added["entry"][:8]
    assert "alcohol: 2 drinks" in command("show").stdout
    assert json.loads(command("undo", key, "--json").stdout)["changed"] == 2
    assert json.loads(command("confirm", key, "--json").stdout)["changed"] == 2
    assert json.loads(command("rebuild", "--json").stdout)["rows"] == 6
    assert json.loads(command("ingest", "--json").stdout)["new"] == 0


def test_a_note_from_stdin_a_diary_and_the_table(command, tmp_path):
    told = ["--recorded-at", "2026-03-04T21:00:00+01:00", "--json"]
    added = json.loads(command("add", "--text", "-", *told, stdin="Two beers.\nNo magnesium.\n").stdout)
    assert added["day"] == "2026-03-04" and len(added["facts"]) == 2
    edited = command("edit", added["entry"][:8], "--text", "-", "--json", stdin="Two beers. One coffee.\n")
    assert json.loads(edited.stdout)["changed"] == 2, "a coffee came, the magnesium went"
    assert "One coffee." in command("show", added["entry"][:8]).stdout
    (tmp_path / "home" / "inbox").mkdir(exist_ok=True)
    (tmp_path / "home" / "inbox" / "past.jsonl").write_text("no note\n")
    assert "Not taken, past.jsonl, line 1: Expected" in command("ingest").stdout
    german = command("add", "--text", "Zwei Bier getrunken, kein Training.")
    assert german.stdout.startswith(
        "This note seems to be in German. I can read English only so far; it is kept."
    )
    diary = tmp_path / "diary"
    diary.mkdir()
    (diary / "2026-03-03.md").write_text("Three beers.")
    assert json.loads(command("backfill", str(diary), "--json").stdout)["entries"] == 1
    table = json.loads(command("table", "--json", "--behaviour", "alcohol").stdout)
    assert [
        (r["day"], r["night"], r["state"], r["amount"], r["nights_since_yes"]) for r in table["rows"]
    ] == [
        ("2026-03-04", "2026-03-05", "yes", 2.0, 1),
        ("2026-03-03", "2026-03-04", "yes", 3.0, None),
    ]
    assert table["rules"] == {"tracked_days": 3, "memory_days": 28, "half_life_nights": 2.0}
    assert json.loads(command("table", "--json", "--as-of", "2026-03-01T00:00Z").stdout)["rows"] == []
    shown = command("table").stdout
    assert "2026-03-04, acts on the night to 2026-03-05" in shown and "magnesium" in shown
    assert "week of 2026-03-02" in command("table", "--weekly").stdout


def test_the_store_bench_measures_and_its_tables_are_those_of_a_rebuild():
    figures = {row["metric"]: row["value"] for row in measure_store(12, added=4, commands=1)}
    assert figures["tables equal to those made anew"] == 1 and figures["rows of journal_days"] > 40
    assert figures["typed note to receipt, median (s)"] < 3  # 0.3 on a quiet machine


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add"], "either a recording or --text"),
        (["add", "--text", "x", "--recorded-at", "yesterday"], "--recorded-at like"),
        (["add", "nowhere.flac"], "can't be opened"),
        (["backfill", "nowhere.jsonl"], "can't be read"),
        (["table", "--as-of", "now"], "--as-of like"),
        (["bench"], "--data DIR"),
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
