"""The wearer's own word on a sentence: it goes before any reading, from when it was said, for these words alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from agent_summary import BASE, NOW, summary_of
from hrv_shared.constants import HORIZONS, MEDIAN_INDEX
from hrv_shared.llm import FakeChatModel
from hrv_shared.models import ModelError, resolve
from hrv_shared.settings import load_settings
from hrv_shared.store import Store
from llm_agent.answer import ask_about
from llm_agent.briefing import make_briefing
from llm_agent.cli import app
from llm_agent.errors import BadEdit
from llm_agent.kinds import in_words
from llm_agent.own_readings import own_readings, read_now, set_reading, unset_reading
from llm_agent.reader import MODEL
from llm_agent.reading import shipped_readers
from llm_agent.understood import understood_lines

WEEK = dict.fromkeys(HORIZONS, BASE)
SAID = "Feet up with the cat on me. The bins went out."


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home", lambda: NOW)


@pytest.fixture(scope="module")
def network():
    cache_dir = load_settings({}).cache_dir
    try:
        return shipped_readers().encoder(resolve(MODEL, cache_dir=cache_dir).path)
    except ModelError:
        pytest.skip(f"{MODEL} is not in {cache_dir}; fetch it with: hrv models fetch reader")


def keep(store, kind, key, **payload):
    store.record.append("me", kind, key, payload, known_at=NOW, basis="seen", source="typed")


def ask(own, replies=(), said=SAID, style="choice", model=None):
    briefing = make_briefing(summary_of(()), WEEK, [said], own_words=own, in_prompt=style != "read")
    return ask_about(briefing, model or FakeChatModel(replies), samples=1, seed=0, style=style)


def test_of_a_sentence_with_an_own_word_no_model_is_asked(store):
    set_reading(store, "me", "feet up, with the CAT on me", "relief, a lot")
    answer = ask(own_readings(store, "me", NOW), [{"about": "daily life"}])
    assert answer.shifts_ms[1] == pytest.approx(0.05 * BASE[MEDIAN_INDEX], abs=0.01)
    assert [reply["about"] for reply in answer.replies] == ["J2"]
    assert "Feet up with the cat on me" in answer.rationale


def test_an_own_word_counts_from_when_it_was_said_until_it_is_taken_back(store):
    later = Store(store.home, lambda: NOW + timedelta(hours=1))
    set_reading(later, "me", "The bins went out.", "heart")
    assert own_readings(store, "me", NOW) == {}
    assert own_readings(store, "me", later.clock()) == {"the bins went out": "heart, clearly"}
    assert own_readings(store, "somebody else", later.clock()) == {}
    last = Store(store.home, lambda: NOW + timedelta(hours=2))
    unset_reading(last, "me", "the bins went out")
    assert own_readings(store, "me", last.clock()) == {}
    assert own_readings(store, "me", later.clock()) == {"the bins went out": "heart, clearly"}


def test_other_words_are_judged_as_ever(store):
    set_reading(store, "me", "The bins went out.", "heart, a lot")
    own = own_readings(store, "me", NOW)
    said, verdicts = "Slept like a log. The bin went out.", [{"about": "relief, clearly"}, {"about": "daily life"}]
    assert ask(own, verdicts, said).shifts_ms == ask({}, verdicts, said).shifts_ms


@pytest.mark.parametrize(("words", "means"), [("", "body"), ("...", "body"), ("x" * 401, "body"), ("Fine.", "great"),
                                              ("Fine.", "body, hugely"), ("Fine.", "others")])  # fmt: skip
def test_what_is_no_own_word_is_refused(store, words, means):
    with pytest.raises(BadEdit, match="Expected"):
        set_reading(store, "me", words, means)
    assert not list(store.record.facts())


def test_the_command_says_shows_and_takes_back(store, monkeypatch, network):
    monkeypatch.setattr("llm_agent.cli.Store.open", lambda settings: store)
    keep(store, "journal_entry", "e1", day="2026-05-10", transcript=f"Two beers at nine. {SAID}")
    keep(store, "journal_entry", "e2", day="2026-05-10", transcript="Gone.", state="undone")
    keep(store, "journal_fact", "e1:alcohol", entry_key="e1", status="accepted", quote="Two beers at nine")

    def hrv(*arguments):
        return CliRunner().invoke(app, ["reading", *arguments, "--member", "me"])

    assert hrv("The bins went out.", "--means", "night, a little").exit_code == 0
    shown = hrv().stdout
    assert "“The bins went out.” a bad night ahead, a little (your own word)" in shown and "beers" not in shown
    assert "Feet up" in shown and "Gone" not in shown
    assert hrv("the bins went out", "--undo").exit_code == 0
    assert "your own word" not in hrv().stdout
    for wrong in (("--undo",), ("words",), ("words", "--undo", "--means", "body"), ("--means", "body")):
        assert isinstance(hrv(*wrong).exception, BadEdit), wrong


def test_the_reader_reads_all_and_the_own_word_goes_before(store, network):
    read = ask({}, style="read", model=network)
    own = ask({"the bins went out": "heart, a lot"}, style="read", model=network)
    assert own.shifts_ms[1] < -5 < read.shifts_ms[1] and len(own.replies) == len(read.replies) == 2
    assert own.shifts_ms[1] == pytest.approx(-0.095 * BASE[MEDIAN_INDEX], abs=3)


def test_what_could_go_either_way_is_said_to_be_unclear():
    assert in_words("plan", 0.1).startswith("unclear") and in_words("plan", 0.9) == "a plan (90 % sure)"
    assert in_words("heart, a lot", 0.3) == "a strain on the mind, a lot (30 % sure)"


def test_an_own_word_on_a_habit_does_not_outvote_the_matter_of_the_evening(network):
    said = "Grandad died this morning. Feet up with the cat."
    assert ask({"feet up with the cat": "relief, a lot"}, said=said, style="read", model=network).shifts_ms[1] < -3


def test_another_days_notes_are_read_when_asked_for(store, network):
    keep(store, "journal_entry", "a", day="2026-05-09", transcript="My brother died.")
    keep(store, "journal_entry", "b", day="2026-05-10", transcript="Fed the hens.")
    (newest,) = read_now(store, "me", shipped_readers(), network)
    (earlier,) = read_now(store, "me", shipped_readers(), network, (NOW - timedelta(days=1)).date())
    assert (newest["words"], earlier["words"]) == ("Fed the hens.", "My brother died.")
    assert earlier["about"].startswith("heart") and not earlier["yours"]
    assert understood_lines([earlier])[0].startswith("  “My brother died.” a strain on the mind")
