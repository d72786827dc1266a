"""The journal ontology: complete, consistent, and the same as the reference where that is at hand."""

import csv
from pathlib import Path

import pytest

from hrv_shared.ontology import behaviours

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "journal_ontology.csv"


def test_every_behaviour_is_complete():
    assert len(behaviours()) == 279
    for name, behaviour in behaviours().items():
        assert behaviour.name == name
        assert behaviour.category
        assert behaviour.unit or behaviour.type in ("boolean", "text", "category"), name
    assert {b.type for b in behaviours().values()} >= {"boolean", "amount", "scale", "time_of_day"}


def test_a_behaviour_says_its_unit_sign_and_words():
    alcohol = behaviours()["alcohol"]
    assert (alcohol.type, alcohol.unit, alcohol.expected_sign) == ("amount", "drinks", "negative")
    assert "beer" in alcohol.synonyms
    assert behaviours()["masturbation"].private and not alcohol.private


def test_the_list_is_read_only():
    with pytest.raises(TypeError):
        behaviours()["alcohol"] = None


def test_the_list_is_the_references():
    if not REFERENCE.exists():
        pytest.skip(f"the reference ontology is not at {REFERENCE}")
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ours = [
        (b.name, b.category, b.type, b.unit, "|".join(b.synonyms), b.expected_sign)
        for b in behaviours().values()
    ]
    theirs = [
        (r["name"], r["category"], r["type"], r["unit"], r["synonyms"], r["expected_sign_on_hrv"])
        for r in rows
    ]
    assert ours == theirs
