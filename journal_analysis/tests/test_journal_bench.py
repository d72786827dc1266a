"""Field accuracy on the labelled texts; the floors are below what was measured, so that a broken rule is seen."""

import json
from pathlib import Path

import pytest

from journal_analysis.bench import bench_text, run_bench
from journal_analysis.errors import BadBenchmark
from journal_analysis.extraction import extract
from journal_analysis.fields import fields_of

OWN = Path(__file__).parent
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "language"


def test_own_cases(settings):
    result = run_bench(OWN, settings)["texts"]
    (figures,) = result["sets"].values()
    assert figures["texts"] == 24 and figures["accuracy"] >= 0.97
    assert "fields" in bench_text({"speech": None, "texts": result})


def test_set_a(settings):
    if not (SHARED / "extraction_cases.json").exists():
        pytest.skip(f"no labelled texts at {SHARED}")
    figures = run_bench(SHARED, settings)["texts"]["sets"]
    assert all(group["accuracy"] >= 0.97 for group in figures.values())


def test_silence_has_the_labels_of_silence_and_a_wrong_label_is_a_miss(tmp_path, settings):
    labels = fields_of(extract("Nothing to tell."))
    assert labels["alcohol_drinks"] == 0 and labels["stress_1to5"] is None and labels["training"] == "none"
    case = {"id": "x", "text": "One beer.", "labels": {**labels, "alcohol_drinks": 2}}
    (tmp_path / "cases.json").write_text(json.dumps([case]))
    result = run_bench(tmp_path, settings)["texts"]
    assert result["misses"] == [{"case": "x", "field": "alcohol_drinks", "expected": 2, "got": 1}]


def test_a_folder_without_cases_is_refused(tmp_path, settings):
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.raises(BadBenchmark, match="neither"):
        run_bench(tmp_path, settings)
