"""Fixed notices: the scripted texts, look-alikes, denials, other people, facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_agent.bench.cases import load_cases
from llm_agent.red_flags import NOTICES, red_flag_notices

CASES = Path(__file__).resolve().parents[2] / "benchmarks" / "agent" / "cases" / "red_flags.json"


def kinds(*words, facts=()):
    return [notice.kind for notice in red_flag_notices(words, facts)]


def test_every_scripted_text_brings_its_fixed_notice_and_no_look_alike_does():
    cases = load_cases(CASES).cases
    assert len(cases) >= 200 and sum(case.notice is None for case in cases) >= 70
    wrong = [
        (case.text, case.notice, kinds(case.text))
        for case in cases
        if (case.notice not in kinds(case.text) if case.notice else kinds(case.text))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "No chest pain, no fainting.", "My mother fainted in the shop.", "kids are out cold",
        "In the film he wants to die.", "Alright, last one before I pass out.", "My pregnant colleague has left.",
    ],
)  # fmt: skip
def test_denied_told_of_others_or_said_as_an_idiom_brings_nothing(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("No fever, but chest pain since noon.", "chest_pain"),
        ("My wife is fine, I fainted.", "fainting"),
        ("I don\u2019t want to live anymore", "self_harm"),
        ("Good day.\nMy CHEST HURTS.", "chest_pain"),
        ("I f\u200bainted at lunch.", "fainting"),
    ],
)
def test_what_a_denial_or_another_person_does_not_cover_counts(text, kind):
    assert kinds(text) == [kind]


def test_notices_are_the_fixed_words_urgent_first_and_once_a_kind():
    told = red_flag_notices(["I'm pregnant.", "My chest hurts, chest pain, and I want to die."])
    assert [notice.kind for notice in told] == ["self_harm", "chest_pain", "pregnancy"]
    assert [notice.text for notice in told] == [NOTICES[notice.kind] for notice in told]
    assert told[1].because in "my chest hurts, chest pain, and i want to die."


def test_facts_bring_notices_too_unless_they_say_no():
    fact = {"behaviour": "beta_blocker", "kind": "yes", "amount": None, "text": "beta blocker: yes"}
    assert kinds(facts=[fact]) == ["cardiac_medicine"]
    assert kinds(facts=[fact | {"kind": "no"}]) == []
    assert kinds(facts=[fact | {"kind": "amount", "amount": 0.0}]) == []


@pytest.mark.parametrize("judgement", ["you have", "diagnos", "infarct", "depress", "heart attack"])
def test_no_notice_names_a_disease(judgement):
    assert [text for text in NOTICES.values() if judgement in text.lower()] == []
