"""Every behaviour that is simply named, in own wordings: done, denied, planned, another's, and what looks like it.

``mention_cases/*.txt``: a ``[behaviour]``, then lines ``expected | text``. Expected is ``-`` (no fact of it) or
``[plan[+1] ][-1 ]`` and ``yes``, ``no``, ``5 mg``, ``20 min``, ``7 scale``, ``21:00``.
``notes.txt`` has all facts of a text.
"""

import re
import time
from datetime import date
from pathlib import Path

import pytest

from hrv_shared import ontology
from journal_analysis.behaviours import behaviours
from journal_analysis.extraction import extract
from journal_analysis.rules.literals import literals_of
from journal_analysis.spelling import mended_word

WEDNESDAY = date(2026, 3, 4)
FOLDER = Path(__file__).parent / "mention_cases"
LEFT_OUT = {
    "alcohol_type", "sport_type", "caffeine_mg", "energy_drink", "pre_workout", "free_note", "vaccine_type",
    "alcohol_free_day", "big_meal", "light_meal", "added_sugar", "processed_food", "avoided_processed_food",
    "fruit_vegetables", "dairy", "meat", "fish_meal", "sodium", "spicy_food", "planned_strain_tomorrow",
    "planned_travel", "relationship_status_single",
}  # fmt: skip
"""What is not read from notes; journal_analysis/README.md says why."""


SLIPS = {"ibuprofin", "ibuprophen", "runing", "missus"}
"""Spellings that the patterns hold although the spelling mends them too."""
RULES_HERE = ("mention", "rating", "moment")
CORE = {"magnesium", "jet_lag", "away_from_home"}
"""Read by the rule "mention" too, with words in behaviours.toml."""


def cases():
    for path in sorted(FOLDER.glob("*.txt")):
        behaviour = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("[") and line.endswith("]"):
                behaviour = line[1:-1]
            elif line and not line.startswith("#") and path.stem not in ("nothing", "notes"):
                expected, text = line.split(" | ", 1)
                yield pytest.param(behaviour, expected.strip(), text, id=f"{behaviour}: {text[:60]}")


def told(fact):
    """A fact in the words of the case files."""
    if fact.kind == "amount":
        unit = "min" if fact.unit == "minutes" else fact.unit
        said = f"{fact.amount:.10g} {unit}"
    elif fact.kind == "scale":
        said = f"{fact.amount:g} scale"
    else:
        said = fact.clock_time or fact.kind
    shift = f"{fact.day_shift:+d}" if fact.day_shift else ""
    if fact.is_plan:
        return f"plan{shift} {said}"
    return f"{shift} {said}".strip()


@pytest.mark.parametrize(("behaviour", "expected", "text"), list(cases()))
def test_said_of_a_behaviour(behaviour, expected, text):
    read = [told(f) for f in extract(text, WEDNESDAY) if f.behaviour == behaviour]
    assert read == ([] if expected == "-" else [expected])


def notes():
    for line in (FOLDER / "notes.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, facts = line.split(" => ")
            yield pytest.param(text, sorted(facts.split("; ")), id=text[:60])


@pytest.mark.parametrize(("text", "expected"), list(notes()))
def test_all_that_a_statement_says(text, expected):
    named = [f for f in extract(text, WEDNESDAY) if behaviours()[f.behaviour].rule in RULES_HERE]
    assert sorted(f"{f.behaviour} {told(f)}" for f in named if f.behaviour not in CORE) == expected


NOTHING = (FOLDER / "nothing.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", [line for line in NOTHING if line and not line.startswith("#")])
def test_texts_about_something_else_hold_no_fact(text):
    named = [f for f in extract(text, WEDNESDAY) if behaviours()[f.behaviour].rule in RULES_HERE]
    assert [(f.behaviour, f.quote) for f in named if f.behaviour not in CORE] == []


def test_every_behaviour_that_a_person_can_say_is_read_and_has_cases():
    sayable = {n for n in ontology.behaviours() if not n.startswith(("auto_", "custom_"))} - LEFT_OUT
    assert sayable - set(behaviours()) == set()
    told_of = {case.values[0] for case in cases()}
    mentions = {n for n, b in behaviours().items() if b.rule in RULES_HERE}
    assert mentions - told_of - CORE == set()


def test_two_hundred_behaviours_are_read_in_a_moment():
    text = (
        "Slept ok, woke twice. Coffee at eight, worked from home, four hours of meetings. Gym, 50 minutes, hard, "
        "then sauna 15 min and 3 minutes of cold plunge. Magnesium 400 mg, zinc 15 mg, vitamin D 2000 IU, creatine "
        "5 g. Two litres of water, peppermint tea. Headache since five, took an ibuprofen. Bed at eleven."
    )
    extract(text, WEDNESDAY)
    began = time.process_time()
    for _ in range(5):
        extract(text, WEDNESDAY)
    assert (time.process_time() - began) / 5 < 0.08


@pytest.mark.parametrize(
    "piece",
    [
        "read a a a a ",
        "phone phone in the ",
        "took vitamins c and ",
        "1 2 3 mg ",
        "sauna and sauna, ",
        "woke up up ",
    ],
)
def test_long_texts_are_read_without_delay(piece):
    text = piece * (20000 // len(piece))
    extract(piece, WEDNESDAY)
    began = time.process_time()
    extract(text, WEDNESDAY)
    assert time.process_time() - began < 1


def test_no_word_of_the_patterns_is_mended_to_another():
    plain = re.compile(r"(?<![\\a-z(?*+:\[])[a-z]{6,}(?![a-z?*+{\[(])")
    changed = {
        word: mended_word(word)
        for behaviour in behaviours().values()
        if behaviour.rule in RULES_HERE
        for word in plain.findall(str(behaviour.options.get("words", "")))
    }
    assert {word: mended for word, mended in changed.items() if word != mended and word not in SLIPS} == {}


def test_words_that_rule_a_behaviour_out_are_in_every_match():
    for behaviour in behaviours().values():
        for option in ("words", "weak", "dose_words"):
            pattern = behaviour.options.get(option)
            if pattern and behaviour.rule == "mention":
                needed = literals_of(pattern)
                for case in cases():
                    for match in behaviour.pattern(option).finditer(case.values[2].lower()):
                        assert not needed or any(n in match.group() for n in needed), (pattern, match.group())
