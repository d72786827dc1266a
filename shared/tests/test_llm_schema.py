"""Every answer is checked, and the check itself is checked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrv_shared import llm
from hrv_shared.llm import BadReply, FakeChatModel, ModelUnavailable, draw_samples, open_chat_model
from hrv_shared.llm.json_schema import first_fault

FORECAST = {
    "type": "object",
    "properties": {
        "evidence": {
            "type": "array",
            "items": {"type": "string", "maxLength": 9},
            "minItems": 1,
            "maxItems": 2,
        },
        "shift_ms": {"type": "integer", "minimum": -15, "maximum": 15},
        "sd_scale": {"type": "number", "enum": [0.8, 1.0, 1.5]},
    },
    "required": ["evidence", "shift_ms", "sd_scale"],
    "additionalProperties": False,
}
GOOD = {"evidence": ["two beers"], "shift_ms": -4, "sd_scale": 1}
ASK = [{"role": "user", "content": "How will it be?"}]


def test_a_good_answer_has_no_fault():
    assert first_fault(GOOD, FORECAST) is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"shift_ms": 16}, "answer.shift_ms: expected at most 15, got 16"),
        ({"shift_ms": -16}, "at least -15"),
        ({"shift_ms": 1.5}, "expected integer, got float"),
        ({"shift_ms": True}, "expected integer, got bool"),
        ({"shift_ms": "4"}, "expected integer, got str"),
        ({"sd_scale": 1.1}, "1.1 is none of"),
        ({"sd_scale": float("nan")}, "expected number"),
        ({"evidence": []}, "a length of at least 1"),
        ({"evidence": ["a", "b", "c"]}, "a length of at most 2"),
        ({"evidence": ["ten letters"]}, r"answer.evidence\[0\]: expected a length of at most 9"),
        ({"evidence": "a"}, "expected array"),
        ({"mood": 1}, "1 property not asked for"),
    ],
)
def test_each_fault_is_found_and_says_where(change, fault):
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError(first_fault({**GOOD, **change}, FORECAST))


@pytest.mark.parametrize("name", FORECAST["required"])
def test_a_missing_property_is_found(name):
    assert f"'{name}' is missing" in first_fault({k: v for k, v in GOOD.items() if k != name}, FORECAST)


def test_alternatives_constants_and_patterns():
    schema = {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}$"}, {"const": 7}]}
    assert [first_fault(value, schema) is None for value in (None, "21:30", 7, "late", 8, True)] == [
        True
    ] * 3 + [False] * 3


def test_an_unknown_keyword_is_refused_and_not_ignored():
    with pytest.raises(ModelUnavailable, match="uses multipleOf"):
        first_fault(4, {"type": "integer", "multipleOf": 2})


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
)
def test_a_fault_never_shows_the_text_of_an_answer(value):
    secret = "three whiskies with Anna"
    fault = first_fault({**GOOD, "shift_ms": [secret, value], "sd_scale": secret}, FORECAST)
    assert fault and secret not in fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty answer"),
        ("Sure! Here you go", "is not JSON"),
        ('{"evidence": NaN}', "is not JSON"),
        (json.dumps({**GOOD, "shift_ms": 99}), "not on the schema"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_bad_reply_is_an_error_that_keeps_the_text(text, message):
    with pytest.raises(BadReply, match=message) as caught:
        FakeChatModel([text]).complete(ASK, schema=FORECAST)
    assert caught.value.text == text.strip()
    assert not text or text not in str(caught.value)


def test_the_fake_answers_in_turn_and_keeps_what_it_was_asked():
    model = FakeChatModel([GOOD, json.dumps(GOOD), TimeoutError("slow")], model_id="script")
    first = model.complete(ASK, schema=FORECAST, seed=3)
    assert first.parsed == GOOD and first.model_id == "script"
    assert model.complete(ASK, schema=FORECAST).parsed == GOOD
    with pytest.raises(TimeoutError):
        model.complete(ASK, schema=FORECAST)
    with pytest.raises(ModelUnavailable, match="at its end after 3 calls"):
        model.complete(ASK, schema=FORECAST)
    assert model.calls[0].seed == 3 and model.calls[0].messages == tuple(ASK) and len(model.calls) == 4
    assert isinstance(model, llm.ChatModel)


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("none", "HRV_LLM_BACKEND=none"),
        ("embedded", "hrv models fetch llm"),
        ("openai", "needs HRV_LLM_BASE_URL"),
        ("anthropic", "needs HRV_LLM_MODEL and HRV_LLM_API_KEY"),
        ("oracle", "no backend 'oracle'"),
    ],
)
def test_a_backend_that_lacks_something_says_what(backend, message):
    with pytest.raises(ModelUnavailable, match=message):
        open_chat_model(backend)


def test_all_names_of_the_package_exist():
    assert all(hasattr(llm, name) for name in llm.__all__)


def test_samples_of_an_adapter_without_its_own_are_calls_with_seeds_of_their_own():
    model = FakeChatModel([GOOD, "no JSON", GOOD])
    replies = draw_samples(model, ASK, schema=FORECAST, samples=3, seed=5)
    assert [type(reply).__name__ for reply in replies] == ["ChatReply", "BadReply", "ChatReply"]
    assert [call.seed for call in model.calls] == [5, 6, 7]
