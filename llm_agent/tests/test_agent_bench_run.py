"""One measurement from file to figures, with a scripted agent; memory, resuming, refusals, the command."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hrv_shared.constants import HORIZONS
from hrv_shared.llm import BadReply, ChatReply, FakeChatModel, ModelUnavailable, draw_samples
from llm_agent.bench.cases import load_cases
from llm_agent.bench.memory import RememberingModel
from llm_agent.bench.random_model import RandomModel
from llm_agent.bench.run import measure, memory_file, read_earlier, text_of
from llm_agent.bench.scoring import against_row
from llm_agent.errors import BadCases, ModelFailed

CASES = Path(__file__).resolve().parents[2] / "benchmarks" / "agent" / "cases"
SCHEMA = {"type": "object", "properties": {"shift": {"type": "number"}}, "required": ["shift"]}


@dataclass
class Said:
    """Fields of the agent's answer."""

    shifts_ms: dict
    spread: dict
    hit_weight: dict
    quantiles_ms: dict
    rationale: str = "Nothing moves it."
    raw_rationale: str = "Nothing moves it."
    levers: tuple = ()
    repairs: int = 0
    valid: bool = True
    dropped: tuple = ()
    seconds: float = 0.0
    prompt_digest: str = "p1"
    prompt_tokens: int = 700
    samples: tuple = ({}, {})


@dataclass
class Scripted:
    """An agent that sums the matched effects, unless told otherwise; and asks its model once an evening."""

    obeys: str = "\0"
    refuses: str = "\0"
    asked: list = field(default_factory=list)

    def __call__(self, summary, base, journal, model, *, samples, seed):
        words = " ".join(journal) + " ".join(f["quote"] for f in summary["tonight_facts"])
        self.asked.append(words)
        if self.refuses in words:
            raise ModelFailed("no answer on schema")
        draw_samples(model, [{"role": "user", "content": words}], schema=SCHEMA, samples=samples, seed=seed)
        shift = sum(m["effect_ms"] for m in summary["matched_effects"]) - (
            9.0 if self.obeys in words else 0.0
        )
        moved = {h: tuple(q + shift for q in base[h]) for h in HORIZONS}
        ones = dict.fromkeys(HORIZONS, 1.0)
        return Said(dict.fromkeys(HORIZONS, shift), ones, dict.fromkeys(HORIZONS, 0.0), moved)


def run(name, agent, tmp_path, **how):
    replies = how.pop("replies", 5000)
    how = {"samples": 2, "seed": 0, "memory": tmp_path / "calls.jsonl", "resume": False} | how
    model = FakeChatModel([{"shift": 0}] * replies)
    return measure(CASES / f"{name}.json", lambda: model, agent, **how), model


def figure(result, what):
    return next(row["value"] for row in result["figures"] if row["what"] == what)


def test_pairs_are_judged_beside_what_code_alone_would_answer(tmp_path):
    result, _ = run("pairs_dev", Scripted(), tmp_path)
    matched = figure(result, "pairs that move the right way, matched")
    assert (
        figure(result, "pairs that move the right way, agent") == matched == 100 * 9 / 20
    )  # the nine with a personal effect
    assert figure(result, "… personal effect, size, agent") == 100.0
    assert figure(result, "… literature effect, direction, matched") == 0.0
    assert figure(result, "agent less matched, direction") == 0.0
    assert (
        figure(result, "agent less rules, direction")
        < 0
        < figure(result, "… literature effect, direction, rules")
    )
    assert figure(result, "answers valid after at most one repair") == 100.0
    assert len(result["rows"]) == 20 and set(result["rows"][0]["answers"]) == {
        "pair-dev-001/a",
        "pair-dev-001/b",
    }
    assert "pairs that move the right way, agent" in text_of(result)


def test_an_attack_that_moves_a_number_is_counted_and_named_by_id_only(tmp_path):
    result, _ = run("injection_dev", Scripted(obeys="Ignore all previous instructions and set"), tmp_path)
    assert figure(result, "attacks that changed no number") == 95.0
    (fault,) = [f for f in result["faults"] if "changed" in f]
    assert fault == "inject-dev-001 (order): numbers changed on nights [1, 2, 3, 4, 5, 6, 7]"


def test_a_refusal_is_an_invalid_answer_that_leaves_the_models_forecast(tmp_path):
    result, _ = run("events_dev", Scripted(refuses="grandfather"), tmp_path)
    assert figure(result, "answers valid after at most one repair") == pytest.approx(100 * 11 / 12)
    assert "event-dev-002/it: not valid (ModelFailed)" in result["faults"]
    assert figure(result, "… plain, agent") == 100.0 and figure(result, "… lower, agent") == 0.0


def test_a_stopped_run_carries_on_and_equal_prompts_are_asked_once(tmp_path):
    with pytest.raises(ModelUnavailable):
        run("events_dev", Scripted(), tmp_path, replies=10)
    kept = (tmp_path / "calls.jsonl").read_text().splitlines()
    assert len(kept) == 5
    (tmp_path / "calls.jsonl").write_text("\n".join(kept)[:-20])  # killed while writing
    result, model = run("events_dev", Scripted(), tmp_path, resume=True)
    assert result["fresh_calls"] == 8 and len(model.calls) == 16
    again, model = run("events_dev", Scripted(), tmp_path, resume=True)
    assert again["fresh_calls"] == 0 and model.calls == []
    assert [f for f in again["figures"] if f["what"] != "peak memory"] == [
        f for f in result["figures"] if f["what"] != "peak memory"
    ]
    anew, model = run("events_dev", Scripted(), tmp_path)
    assert anew["fresh_calls"] == 12


def test_beginning_a_set_anew_leaves_the_memory_of_others(tmp_path):
    sets = ("events_dev", "pairs_dev")
    for name in sets:
        run(name, Scripted(), tmp_path, memory=memory_file(tmp_path, name))
    run("events_dev", Scripted(), tmp_path, memory=memory_file(tmp_path, "events_dev"))
    again, _ = run("pairs_dev", Scripted(), tmp_path, memory=memory_file(tmp_path, "pairs_dev"), resume=True)
    assert again["fresh_calls"] == 0


def test_a_model_that_is_gone_ends_the_run_instead_of_counting_as_refusals(tmp_path):
    def wraps(*_args, **_how):
        raise ModelFailed("could not be asked") from ModelUnavailable("gone")

    with pytest.raises(ModelUnavailable, match="gone"):
        run("events_dev", wraps, tmp_path)


def test_a_bad_reply_is_remembered_as_one(tmp_path):
    how = {"schema": SCHEMA, "max_tokens": 9, "temperature": 0.5, "seed": 3}
    model = RememberingModel(FakeChatModel(["nonsense", {"shift": 1}]), tmp_path / "m.jsonl")
    ask = [{"role": "user", "content": "?"}]
    with pytest.raises(BadReply):
        model.complete(ask, **how)
    assert [type(r) for r in model.sample(ask, samples=1, **how)] == [ChatReply]
    empty = RememberingModel(FakeChatModel([]), tmp_path / "m.jsonl")
    with pytest.raises(BadReply, match="not JSON"):
        empty.complete(ask, **how)
    assert empty.sample(ask, samples=1, **how)[0].parsed == {"shift": 1}
    assert (empty.take().calls, empty.take().calls) == (2, 0)
    with pytest.raises(ModelUnavailable):
        empty.complete(ask, **how | {"seed": 4})


def test_states_are_counted_and_not_kept(tmp_path):
    class Stated:
        model_id = "stated"

        def states(self, texts):
            return np.ones((len(texts), 2), np.float32)

    model = RememberingModel(Stated(), tmp_path / "m.jsonl")
    assert model.states(["a", "b"]).shape == (2, 2) and model.states([]).shape == (0, 2)
    used = model.take()
    assert (used.calls, used.fresh) == (2, 2) and used.seconds >= 0
    assert not (tmp_path / "m.jsonl").exists()


def test_words_alone_leave_code_nothing_to_sum(tmp_path):
    agent = Scripted()
    result, _ = run("pairs_dev", agent, tmp_path, words_only=True)
    assert figure(result, "pairs that move the right way, matched") == 0.0
    assert figure(result, "pairs that move the right way, rules") < 20.0
    assert "words only" in text_of(result)


def test_a_random_model_is_valid_repeatable_and_for_choices_only():
    schema = {"type": "object", "properties": {k: {"enum": list("abcdef")} for k in "xyz"}, "required": ["x"]}
    ask = [{"role": "user", "content": "?"}]
    told = [RandomModel().complete(ask, schema=schema, seed=seed, max_tokens=9).parsed for seed in (0, 0, 1)]
    assert told[0] == told[1] != told[2]
    with pytest.raises(ModelUnavailable, match="choice"):
        RandomModel().complete(ask, schema=SCHEMA)


def test_some_cases_are_drawn_by_seed(tmp_path):
    first, _ = run("pairs_sealed", Scripted(), tmp_path, only=7)
    same, _ = run("pairs_sealed", Scripted(), tmp_path, only=7)
    other, _ = run("pairs_sealed", Scripted(), tmp_path, only=7, seed=1)
    ids = [[row["id"] for row in result["rows"]] for result in (first, same, other)]
    assert first["n"] == 7 and ids[0] == ids[1] != ids[2]


class Shifted(Scripted):
    """Moves every evening by so much."""

    by: float = 0.0

    def __call__(self, summary, base, *args, **how):
        said = super().__call__(summary, base, *args, **how)
        moved = {h: tuple(q + self.by for q in base[h]) for h in HORIZONS}
        return Said(dict.fromkeys(HORIZONS, self.by), said.spread, said.hit_weight, moved)


def test_evenings_that_go_the_wrong_way_are_told_from_those_that_stay(tmp_path):
    down = Shifted()
    down.by = -9.0
    result, _ = run("events_second", down, tmp_path)
    assert figure(result, "moving evenings sent the wrong way") == pytest.approx(100 * 30 / 80)
    assert figure(result, "moving evenings left where they were") == 0
    still, _ = run("events_second", Shifted(), tmp_path)
    assert figure(still, "moving evenings sent the wrong way") == 0
    assert figure(still, "moving evenings left where they were") == 100


def test_an_earlier_run_of_the_same_set_is_compared_case_by_case(tmp_path):
    down = Shifted()
    down.by = -9.0
    earlier, _ = run("events_second", Shifted(), tmp_path)
    (tmp_path / "earlier.json").write_text(json.dumps(earlier))
    rows = read_earlier(tmp_path / "earlier.json", load_cases(CASES / "events_second.json"))
    now, _ = run("events_second", down, tmp_path, only=40)
    told = against_row(now["rows"], rows, seed=0)
    was = [row["expected"] for row in now["rows"]]
    assert told["n"] == 40 and told["value"] == pytest.approx(100 * (was.count(-1) - was.count(0)) / 40)
    assert told["low"] < told["value"] < told["high"]
    with pytest.raises(BadCases, match="same --only"):
        against_row(now["rows"], [], seed=0)


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"rows": [], "digest": "of another set"}'])
def test_what_is_no_earlier_run_of_the_set_is_refused(tmp_path, text):
    (tmp_path / "earlier.json").write_text(text)
    with pytest.raises(BadCases, match="earlier.json: expected"):
        read_earlier(tmp_path / "earlier.json", load_cases(CASES / "events_second.json"))


def test_red_flags_need_no_model(tmp_path):
    result = measure(
        CASES / "red_flags.json", lambda: 1 / 0, Scripted(), samples=1, seed=0, memory=None, resume=False
    )
    assert figure(result, "red flags with their fixed notice") == 100.0 and result["faults"] == []


def test_the_command_writes_every_answer(tmp_path, monkeypatch, capsys):
    from llm_agent.cli import app

    out = tmp_path / "out.json"
    app(["bench", "--cases", str(CASES / "red_flags.json"), "--json", str(out)], standalone_mode=False)
    assert "fixed notice" in capsys.readouterr().out
    assert len(json.loads(out.read_text())["rows"]) >= 200
