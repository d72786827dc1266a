"""Figures on labelled texts; the floors are below what was measured, so that a broken rule is seen."""

import json
import wave
from pathlib import Path

import pytest

from journal_analysis.bench import bench_text, run_bench
from journal_analysis.bench_texts import measure_texts, spoken_of
from journal_analysis.errors import BadBenchmark
from journal_analysis.extraction import extract
from journal_analysis.fields import fields_of

OWN = Path(__file__).parent / "journal_cases.json"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "language" / "extraction_cases.json"


def value(result, metric, name=None):
    return next(r["value"] for r in result["rows"] if r["metric"] == metric and name in (None, r["set"]))


def test_own_cases(settings):
    result = run_bench([OWN], settings)
    assert value(result, "ten fields right") >= 0.97
    assert result["rows"][0]["n"] == 240
    assert "ten fields right" in bench_text(result)


def test_set_a(settings):
    if not SHARED.exists():
        pytest.skip(f"no labelled texts at {SHARED}")
    result = run_bench([SHARED], settings)
    assert value(result, "ten fields right") >= 0.97


def test_silence_has_the_labels_of_silence_and_a_wrong_label_is_a_miss(tmp_path, settings):
    labels = fields_of(extract("Nothing to tell."))
    assert labels["alcohol_drinks"] == 0 and labels["stress_1to5"] is None and labels["training"] == "none"
    case = {"id": "x", "text": "One beer.", "labels": {**labels, "alcohol_drinks": 2}}
    (tmp_path / "cases.json").write_text(json.dumps([case]))
    result = run_bench([tmp_path], settings)
    assert result["misses"] == [{"case": "x", "field": "alcohol_drinks", "expected": 2, "got": 1}]
    assert value(result, "ten fields right", "cases") == 0.9


def test_facts_are_compared_exactly():
    facts = [
        {"behaviour": "alcohol", "kind": "amount", "amount": 2, "unit": "drinks"},
        {"behaviour": "alcohol_last_time", "kind": "time", "clock_time": "21:30", "unit": "HH:MM"},
    ]
    told = {"id": "x", "text": "Two beers, the last one at half past nine.", "facts": facts}
    right = measure_texts([told])
    assert {r["metric"]: r["value"] for r in right.rows}["facts F1"] == 1.0 and not right.misses
    for change in (
        {"amount": 3},
        {"day_shift": -1},
        {"is_plan": True},
        {"kind": "no"},
        {"behaviour": "caffeine"},
    ):
        wrong = measure_texts([{**told, "facts": [{**facts[0], **change}, facts[1]]}])
        figures = {r["metric"]: r["value"] for r in wrong.rows}
        assert figures["facts F1"] == 0.5 and figures["unconfirmed facts wrong"] == 0.5
        assert len(wrong.misses) == 2


def test_a_note_after_midnight_belongs_to_the_day_before():
    assert str(spoken_of({"recorded_at": "2026-03-11T01:10:00+01:00"}).day) == "2026-03-10"
    assert str(spoken_of({"recorded_at": "2026-03-11T07:10:00+01:00"}).day) == "2026-03-11"
    assert spoken_of({}) is None


def test_a_folder_without_cases_is_refused(tmp_path, settings):
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.raises(BadBenchmark, match="neither"):
        run_bench([tmp_path], settings)


def test_a_recording_in_which_nobody_speaks_is_a_row_of_its_own(tmp_path, settings, with_whisper):
    with wave.open(str(tmp_path / "silence.wav"), "wb") as audio:
        audio.setparams((1, 2, 16_000, 0, "NONE", ""))
        audio.writeframes(bytes(2 * 16_000 * 3))
    item = {"file": "silence.wav", "seconds": 3.0, "kind": "no journal", "reference": "", "labels": None}
    (tmp_path / "manifest.json").write_text(json.dumps([item]))
    result = run_bench([tmp_path], with_whisper)
    assert value(result, "facts where none was told", "no journal") == 0
    assert value(result, "transcribed though no journal", "no journal") == 0
    assert result["recordings"][0]["failed"]
