"""From a briefing to an answer, with scripted models: choices, free answers, the one repair, the checks of words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from agent_summary import BASE, EFFECT, summary_of
from hrv_shared.constants import HORIZONS, MEDIAN_INDEX
from hrv_shared.llm import FakeChatModel, ModelUnavailable
from llm_agent.answer import ask_about, ask_agent, questions_for
from llm_agent.briefing import make_briefing
from llm_agent.choice import CHOICE_SCHEMA
from llm_agent.counted import Counted
from llm_agent.errors import ModelFailed
from llm_agent.free import grounds_of
from llm_agent.grounding import check_text
from llm_agent.prompts import prompt_names

JAB = "Had my flu jab after lunch."
GATE = "Repaired the garden gate."
WEEK = dict.fromkeys(HORIZONS, BASE)


def judged(*verdicts):
    """Scripted answers: of the first sentence all samples, then of the next."""
    return [{"about": verdict} for verdict in verdicts]


NOTHING = "daily life"


def ask(replies, journal=(f"{JAB} {GATE}",), matched=(), samples=1, style="choice", **more):
    model = FakeChatModel(replies)
    return ask_agent(
        summary_of(matched), WEEK, list(journal), model, samples=samples, style=style, **more
    ), model


def test_an_event_that_no_feature_holds_moves_the_night_and_is_quoted():
    answer, model = ask(judged("body, clearly", NOTHING))
    assert answer.shifts_ms[1] == pytest.approx(-0.07 * BASE[MEDIAN_INDEX], abs=0.01)
    assert (
        answer.shifts_ms[2] == pytest.approx(answer.shifts_ms[1] / 2, abs=0.02) and answer.shifts_ms[4] == 0
    )
    (lever,) = answer.levers
    assert (lever["id"], lever["kind"], lever["evidence"]) == ("J1", "event", ["journal/1/J1"])
    assert JAB.rstrip(".") in answer.rationale and "rule of thumb" in answer.rationale
    assert answer.rationale_by == "template" and answer.raw_rationale == ()
    assert [call.messages[-1]["content"] for call in model.calls] == [JAB, GATE]


def test_own_effects_are_taken_as_they_are_whatever_the_model_says():
    answer, _ = ask(judged(NOTHING, NOTHING), matched=(EFFECT,))
    assert answer.shifts_ms[1] == pytest.approx(-6.3, abs=0.01)
    assert "6.3 ms on your own nights" in answer.rationale


def test_what_the_models_took_of_an_effect_is_told_beside_it():
    made = make_briefing(summary_of((EFFECT,)), WEEK, [], counted=Counted(frozenset({"alcohol"}), -2.3))
    answer = ask_about(made, FakeChatModel([]), samples=1, seed=0, style="choice")
    assert answer.shifts_ms[1] == pytest.approx(-2.0, abs=0.01)
    assert "-6.3 ms on your own nights; the models took -2.3, so I take off 2.0 ms." in answer.rationale
    assert (
        "of which the models took -2.3 already" in made.line("X1").text and "-2.3 ms" in made.line("M1").text
    )


def test_a_minority_of_samples_moves_nothing():
    answer, model = ask(judged("body, clearly", NOTHING, "others", *[NOTHING] * 3), samples=3)
    assert answer.shifts_ms[1] == 0 and "I stay with the models" in answer.rationale
    assert [call.seed for call in model.calls] == [0, 1, 2] * 2


def test_most_samples_move_it_and_the_band_is_wider_than_when_all_do():
    most, _ = ask(judged("body, clearly", "body, clearly", *[NOTHING] * 4), samples=3)
    all_of_them, _ = ask(judged(*["body, clearly"] * 3, *[NOTHING] * 3), samples=3)
    assert most.shifts_ms[1] == all_of_them.shifts_ms[1] < 0
    assert "I am not sure how to read it" in most.rationale and "sure" not in all_of_them.rationale
    wide, narrow = (np.log(a.quantiles_ms[1][19] / a.quantiles_ms[1][3]) for a in (most, all_of_them))
    assert wide > narrow
    assert [s["shift_ms"] for s in most.samples][2] == 0.0


def test_the_strength_is_the_one_that_most_chose_the_weaker_of_equals():
    answer, _ = ask(judged("body, a lot", "body, a little", NOTHING, NOTHING), samples=2)
    assert answer.shifts_ms[1] == pytest.approx(-0.04 * BASE[MEDIAN_INDEX], abs=0.01)


def test_a_sentence_that_is_judged_to_be_nothing_changes_no_number_and_no_other_prompt():
    said = "The cat slept on the chair."
    jab = ["body, clearly", "body, clearly", "body, a lot"]
    clean, alone = ask(judged(*jab), [JAB], samples=3)
    noisy, beside = ask(judged(NOTHING, "relief, a little", "others", *jab), [f"{said} {JAB}"], samples=3)
    assert all((noisy.quantiles_ms[h] == clean.quantiles_ms[h]).all() for h in HORIZONS)
    assert [call.messages for call in beside.calls[3:]] == [call.messages for call in alone.calls]


def test_without_a_sentence_to_judge_nobody_is_asked():
    answer, model = ask([], [], matched=(EFFECT,), samples=3)
    assert (
        model.calls == []
        and answer.shifts_ms[1] == pytest.approx(-6.3, abs=0.01)
        and answer.prompt_tokens == 0
    )


def test_what_a_fact_of_the_sentence_does_already_is_not_counted_twice():
    said = "This afternoon I had my flu jab at the village pharmacy."
    facts = [{"behaviour": "vaccination", "kind": "yes", "amount": None, "text": "vaccination: yes", "evidence": "E6",
              "quote": "my flu jab", "unit": None, "clock_time": None}]  # fmt: skip
    model = FakeChatModel(judged("body, a lot"))
    answer = ask_agent(summary_of((), facts), WEEK, [said], model, samples=1)
    assert [lever["id"] for lever in answer.levers] == ["U1"]
    assert answer.shifts_ms[1] == pytest.approx(-0.10 * BASE[MEDIAN_INDEX], abs=0.01)


def fact_of(behaviour, quote):
    return {"behaviour": behaviour, "kind": "yes", "amount": None, "text": f"{behaviour}: yes", "evidence": "E6",
            "quote": quote, "unit": None, "clock_time": None}  # fmt: skip


def test_what_the_models_read_of_the_sentence_is_not_counted_twice():
    said = "I feel sick today, headache and chills."
    summary = summary_of((), [fact_of("sick", "feel sick")])
    read = make_briefing(summary, WEEK, [said], counted=Counted(frozenset({"sick"}), -2.0))
    answers = {
        verdict: ask_about(read, FakeChatModel(judged(verdict)), samples=1, seed=0, style="choice")
        for verdict in ("body, clearly", "relief, clearly")
    }
    assert [lever["id"] for lever in answers["body, clearly"].levers] == ["U1"]
    assert "J1" in [lever["id"] for lever in answers["relief, clearly"].levers], (
        "another way is another matter"
    )


@pytest.mark.parametrize(
    ("judgement", "pct"),
    [("heart, clearly", -7.0), ("heart, a little", -6.0), ("body, a lot", -9.5), ("relief, clearly", -2.0)],
)
def test_an_event_beside_a_usual_effect_of_the_same_way_is_one_matter(judgement, pct):
    """Grief or loss usually takes 6 %: tears for it are no second loss; a comfort goes the other way."""
    said = ["Grandad passed away this morning. It just keeps hitting me, all day long."]
    summary = summary_of((), [fact_of("grief_or_loss", "Grandad passed away")])
    answer = ask_agent(summary, WEEK, said, FakeChatModel(judged(judgement)), samples=1)
    assert answer.shifts_ms[1] == pytest.approx(pct / 100 * BASE[MEDIAN_INDEX], abs=0.01)


def test_one_repair_then_a_failure():
    answer, model = ask(["not json", *judged("body, clearly", NOTHING)])
    assert answer.repairs == 1 and answer.valid and len(model.calls) == 3
    assert len(answer.replies) == 3 and "error" in answer.replies[0]
    with pytest.raises(ModelFailed, match="not even when it was asked again"):
        ask(["not json", "nor this"])
    with pytest.raises(ModelFailed, match="no model here"):
        ask([ModelUnavailable("no model here")])


def test_a_sample_without_an_answer_to_one_sentence_borrows_another_s():
    answer, _ = ask(
        [*judged("body, clearly"), "not json", *judged("body, clearly", *[NOTHING] * 3)], samples=3
    )
    assert answer.repairs == 0 and len(answer.samples) == 3
    assert answer.shifts_ms[1] == pytest.approx(-0.07 * BASE[MEDIAN_INDEX], abs=0.01)


def test_each_sentence_is_a_question_of_its_own_after_the_same_static_part():
    made = make_briefing(summary_of(()), WEEK, [f"{GATE} {JAB} {GATE}"])
    asked = questions_for(made, "choice")
    assert [(q.id, q.messages[-1]["content"]) for q in asked] == [("J1", GATE), ("J2", JAB)]
    assert asked[0].messages[:-1] == asked[1].messages[:-1] and asked[0].schema == CHOICE_SCHEMA


def reason(ids, shift, why="It strains the body.", nights=1):
    return {"ids": ids, "why": why, "shift_ms": shift, "nights": nights}


def free(reasons=(), rationale="I stay with the models.", spread=1.0, hit=0.0):
    return {"reasons": list(reasons), "spread": spread, "hit_weight": hit, "rationale": rationale}


def test_a_large_model_writes_freely_and_its_sound_words_are_published():
    said = "The wine decides this night: 6.3 ms below on your own nights."
    answer, _ = ask([free([reason(["X1"], -6, "Two drinks lower it by 6.3 ms.")], said)], matched=(EFFECT,),
                    journal=["Two glasses of wine."], style="free")  # fmt: skip
    assert answer.shifts_ms[1] == pytest.approx(-6, abs=0.01) and answer.rationale == said
    assert answer.rationale_by == "model" and answer.repairs == 0 and answer.dropped == ()


@pytest.mark.parametrize(("said", "held", "told"), [
    (reason(["X1"], -20), -1.25 * 6.3, "held to -7.9"),  # a single effect overstated
    (reason(["X1"], 5), 0.0, "held to"),  # against its own effect
    (reason(["J1"], -25), -0.12 * BASE[MEDIAN_INDEX], "held to"),  # nothing listed covers it
    (reason(["Z9"], -5), 0.0, "which the briefing does not have"),
    (reason(["C1"], -5), 0.0, "which the models have seen"),
])  # fmt: skip
def test_a_free_shift_is_held_to_what_it_rests_on(said, held, told):
    bad = free([said], "Expect it below the models." if held else "I stay with the models.")
    answer, model = ask(
        [bad, bad], matched=(EFFECT,), journal=["Two glasses of wine. Had my flu jab."], style="free"
    )
    assert answer.shifts_ms[1] == pytest.approx(held, abs=0.05)
    assert answer.repairs == 1 and told in " ".join(answer.dropped)
    assert "Your answer had faults" in model.calls[1].messages[-1]["content"]


@pytest.mark.parametrize(("sentence", "fault"), [
    ("It was lower by 5.9 ms on 30 earlier days.", "a number that the briefing does not hold"),
    ("Wine lowers it by forty percent.", "a number that the briefing does not hold"),
    ("Your high stress adds to it.", "a claim about stress, which was denied"),
    ("The sauna will add to it.", "a claim about sauna, of which nothing was said"),
    ("On such days it is usually much lower over many nights.", "a statistic without its number"),
    ("Wine has raised it by -6.3 ms.", "a sign against its own number"),
    ("Expect it above the models, it is raised.", "go against the shift"),
])  # fmt: skip
def test_words_that_the_briefing_does_not_hold_go(sentence, fault):
    facts = [
        {"behaviour": "alcohol", "kind": "amount", "amount": 2.0, "text": "alcohol: 2 drinks", "evidence": "E5",
         "quote": "Two glasses of wine", "unit": "drinks", "clock_time": None},
        {"behaviour": "stress", "kind": "scale", "amount": 2.0, "text": "stress: 2", "evidence": "E6",
         "quote": "stress two", "unit": "1-5", "clock_time": None},
    ]  # fmt: skip
    made = make_briefing(summary_of((EFFECT,), facts), WEEK, ["Two glasses of wine, stress two."])
    sound, faults = check_text(f"The wine weighs on it. {sentence}", grounds_of(made, -6.0))
    assert fault in " ".join(faults)
    assert sound in ("The wine weighs on it.", "")


def test_a_template_rationale_stands_its_own_checks():
    facts = [{"behaviour": "alcohol", "kind": "amount", "amount": 2.0, "text": "alcohol: 2 drinks", "evidence": "E5",
              "quote": "Two glasses of wine", "unit": "drinks", "clock_time": None}]  # fmt: skip
    summary = summary_of((EFFECT,), facts)
    model = FakeChatModel(judged("body, a lot"))
    answer = ask_agent(summary, WEEK, ["Two glasses of wine.", JAB], model, samples=1)
    made = make_briefing(summary, WEEK, ["Two glasses of wine.", JAB])
    sizes = frozenset(round(abs(lever["taken_ms"]), 1) for lever in answer.levers)
    grounds = grounds_of(made, answer.shifts_ms[1])
    sound, faults = check_text(answer.rationale, type(grounds)(grounds.numbers | sizes, grounds.text, grounds.denied,
                                                               grounds.shift_ms))  # fmt: skip
    assert faults == () and sound == answer.rationale


def test_the_briefing_is_numbered_short_and_the_same_each_time():
    made = make_briefing(
        summary_of((EFFECT,)), WEEK, [f"{JAB} {GATE}"], memory=[("B1", "overshot last week")]
    )
    assert made == make_briefing(
        summary_of((EFFECT,)), WEEK, [f"{JAB} {GATE}"], memory=[("B1", "overshot last week")]
    )
    ids = [line.id for line in made.lines]
    assert len(set(ids)) == len(ids) and ids[0] == "X1" and "B1" in ids and ids.index("J1") < ids.index("M1")
    assert len(made.text) / 3.5 < 1500  # tokens
    assert all(line.evidence for line in made.lines if line.id[0] not in "BF")


def test_prompts_are_files_whose_examples_are_valid_answers():
    assert prompt_names() == ["choice", "free"]
    (question,) = questions_for(make_briefing(summary_of(()), WEEK, [JAB]), "choice")
    choices = CHOICE_SCHEMA["properties"]["about"]["enum"]
    given = [json.loads(m["content"])["about"] for m in question.messages if m["role"] == "assistant"]
    assert len(given) > 40 and set(given) <= set(choices)
    assert not {"system", "assistant"} & {m["role"] for m in question.messages[1::2]}
