"""The frozen cases: on schema, in number, told once, different in one fact; and the summary made of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from hrv_shared.ontology import behaviours
from llm_agent.bench.case_summary import build_summary
from llm_agent.bench.cases import load_cases
from llm_agent.errors import BadCases

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "agent" / "cases"
LEAST = {
    "pairs_dev": 20, "pairs_sealed": 110, "events_dev": 12, "events_sealed": 48, "injection_dev": 20,
    "injection_sealed": 220, "red_flags": 200, "events_relief_dev": 24, "events_second": 110,
    "injection_third": 270, "events_third": 130, "events_fourth": 120, "injection_fourth": 230,
    "events_fifth": 130, "injection_fifth": 230,
}  # fmt: skip


def of(name):
    return load_cases(FOLDER / f"{name}.json")


@pytest.mark.parametrize("name", LEAST)
def test_a_set_is_on_schema_and_large_enough(name):
    assert len(of(name).cases) >= LEAST[name]


@pytest.mark.parametrize("kind", ["pairs", "events", "injection"])
def test_no_words_of_the_sealed_half_stand_in_the_other(kind):
    def told(case):
        sides = [case.side] if kind == "events" else [case.a, case.b] if kind == "pairs" else [case.attacked]
        return {" ".join(side.journal) for side in sides}

    dev, sealed = (
        {text for case in of(f"{kind}_{split}").cases for text in told(case)} for split in ("dev", "sealed")
    )
    assert not dev & sealed


@pytest.mark.parametrize("name", ["pairs_dev", "pairs_sealed"])
def test_the_words_of_a_pair_are_the_same_but_for_one_stretch(name):
    for case in of(name).cases:
        (a,), (b,) = case.a.journal, case.b.journal
        head = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        assert a != b and (len(a) + len(b)) > 20 and case.a.matched_effects == (), case.id
        assert head < len(a) or head < len(b)
        if case.expect.source == "personal":
            (effect,) = case.b.matched_effects
            assert (effect.low80_ms, effect.high80_ms) == (case.expect.low_ms, case.expect.high_ms)
            assert effect in case.state.effects


def test_events_hold_plain_days_and_rises_too():
    signs = [case.expect.sign for case in of("events_sealed").cases]
    assert signs.count(0) >= 10 and signs.count(1) >= 8 and signs.count(-1) >= 25


def test_attacks_come_by_every_road_and_leave_the_honest_words_alone():
    cases = of("injection_sealed").cases
    assert {case.place for case in cases} == {"journal", "workout", "export_note"}
    assert len({case.category for case in cases}) >= 15
    for case in cases:
        honest = re.sub(r"\W+", "", " ".join(case.clean.journal))
        attacked = re.sub(r"\W+", "", " ".join(case.attacked.journal))
        assert case.clean.matched_effects == case.attacked.matched_effects
        if case.place == "journal":
            assert len(attacked) >= len(honest) and case.clean.tonight_facts == case.attacked.tonight_facts
            assert case.attack.strip() in " ".join(case.attacked.journal), case.id
        else:
            assert attacked == honest and case.attack in case.attacked.tonight_facts[0].quote


@pytest.mark.parametrize("name", [name for name in LEAST if name != "red_flags"])
def test_facts_are_behaviours_of_the_ontology_and_nobody_can_be_reached(name):
    known = set(behaviours())
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert not re.search(r"\w@\w+\.\w|https?://|\+\d{6,}", text)
    for case in of(name).cases:
        sides = (
            [case.side] if hasattr(case, "side") else [case.a, case.b] if hasattr(case, "a") else [case.clean]
        )
        assert {
            fact.behaviour for side in sides for fact in (*side.tonight_facts, *case.state.tonight_facts)
        } <= known


STABLE = (
    "issue", "freshness", "last_night", "nights", "baseline", "sleep_last_night", "resting_hr", "load",
    "tonight_facts", "forecasts",
)  # fmt: skip


@pytest.mark.parametrize("name", ["pairs_dev", "events_dev", "injection_dev"])
def test_the_summary_of_a_case_has_the_layout_of_the_real_one(name):
    layout = pytest.importorskip(
        "data_intelligence.summary", reason="the room of the summaries is not installed"
    )
    fields = {block: TypeAdapter(layout.DailySummary.model_fields[block].annotation) for block in STABLE}
    for case in of(name).cases:
        side = case.side if hasattr(case, "side") else case.b if hasattr(case, "b") else case.attacked
        built = build_summary(case.state, side)
        for block, annotation in fields.items():
            annotation.validate_python(built[block])
        cited = set(re.findall(r'"(?:fact_)?evidence": "(E\d+)"', json.dumps(built)))
        assert cited and cited <= set(built["evidence"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no file of cases"),
        ('{"kind": "dreams", "cases": []}', "no file of cases"),
        ('{"kind": "red_flags", "split": "x", "cases": []}', "at least one"),
        ('{"kind": "red_flags", "split": "x", "cases": [{"id": "a"}]}', "not on the schema"),
        (
            json.dumps({"kind": "red_flags", "split": "x", "cases": 2 * [
                {"id": "a", "split": "dev", "text": "t", "notice": None}]}), "every case once",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_in_words(tmp_path, text, says):
    path = tmp_path / "cases.json"
    path.write_text(text)
    with pytest.raises(BadCases, match=says):
        load_cases(path)
    with pytest.raises(BadCases, match="found no"):
        load_cases(tmp_path / "none.json")
