"""The data files: every behaviour is one of the ontology, every pattern compiles, every promise of __all__ is kept."""

import csv
from pathlib import Path

import pytest

import journal_analysis
from journal_analysis.behaviours import behaviours
from journal_analysis.rules import RULES

ONTOLOGY = Path(__file__).resolve().parents[3] / "shared" / "reference" / "journal_ontology.csv"
PATTERNS = {
    "words",
    "not_words",
    "no_words",
    "veto",
    "amount",
    "plain_words",
    "yes_words",
    "not_yes_words",
    "past_words",
}


def test_names_units_and_signs_are_those_of_the_ontology():
    if not ONTOLOGY.exists():
        pytest.skip(f"the ontology is not at {ONTOLOGY}")
    with ONTOLOGY.open(encoding="utf-8", newline="") as file:
        known = {row["name"]: row for row in csv.DictReader(file)}
    for behaviour in behaviours().values():
        row = known[behaviour.name]
        assert behaviour.sign == row["expected_sign_on_hrv"], behaviour.name
        if behaviour.kind in ("amount", "scale"):
            assert behaviour.unit == row["unit"], behaviour.name


def test_more_than_twenty_behaviours_each_with_a_rule_and_patterns_that_compile():
    assert len(behaviours()) > 20
    for behaviour in behaviours().values():
        assert behaviour.rule in RULES or behaviour.rule.startswith("with_")
        for option in PATTERNS & set(behaviour.options):
            assert behaviour.pattern(option) is not None


def test_every_public_verb_is_there():
    for name in journal_analysis.__all__:
        assert callable(getattr(journal_analysis, name))
    with pytest.raises(AttributeError):
        journal_analysis.nothing  # noqa: B018 - the look-up is the test
