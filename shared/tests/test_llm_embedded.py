"""The embedded model, really run: a small one where it is in the cache, the default one behind ``real_llm``."""

from __future__ import annotations

import json
import os
import threading
from contextlib import closing
from pathlib import Path

import httpx
import platformdirs
import pytest

from hrv_shared.llm import BadReply, ChatTimeout, ModelUnavailable, open_chat_model
from hrv_shared.models import ModelAbsent, resolve

CACHE_DIR = Path(os.environ.get("HRV_CACHE_DIR") or platformdirs.user_cache_path("hrv"))
CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "language" / "forecast_cases.json"
SCHEMA = {
    "type": "object",
    "properties": {
        "word": {"type": "string", "maxLength": 40},
        "n": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "required": ["word", "n"],
    "additionalProperties": False,
}
ASK = [{"role": "user", "content": "Name an animal and a number, as JSON."}]


def model_file(name: str) -> Path:
    try:
        return resolve(name, cache_dir=CACHE_DIR).path
    except ModelAbsent as absent:
        pytest.skip(str(absent))


def open_small(**options):
    pytest.importorskip("xllamacpp", reason="hrv-shared[llm] is not installed")
    path = model_file("smollm2-135m")
    return open_chat_model(
        "embedded", model_path=path, model="smollm2-135m", threads=1, n_ctx=1024, **options
    )


@pytest.fixture(scope="module")
def small():
    model = open_small(cache_prompt=False, timeout_s=60)
    yield model
    model.close()


def test_the_answer_is_on_the_schema_and_equal_twice(small):
    first, second = (small.complete(ASK, schema=SCHEMA, max_tokens=80) for _ in range(2))
    assert set(first.parsed) == {"word", "n"} and first.text == second.text
    assert first.prompt_tokens > 10 and first.completion_tokens > 5 and first.seconds > 0
    assert first.model_id == "smollm2-135m"


def test_a_cut_off_answer_is_refused(small):
    with pytest.raises(BadReply, match="cut off after 4 tokens"):
        small.complete(ASK, schema=SCHEMA, max_tokens=4)


def test_samples_differ_from_each_other_and_not_from_themselves(small):
    options = {"schema": SCHEMA, "samples": 4, "max_tokens": 60, "temperature": 1.0, "seed": 3}
    first, again = small.sample(ASK, **options), small.sample(ASK, **options)
    assert [reply.text for reply in first] == [reply.text for reply in again]
    assert len({reply.text for reply in first}) > 1


def test_a_sample_that_is_cut_off_is_a_value(small):
    replies = small.sample(ASK, schema=SCHEMA, samples=2, max_tokens=4)
    assert [type(reply) for reply in replies] == [BadReply, BadReply]
    with pytest.raises(ModelUnavailable, match="1 to 8 samples"):
        small.sample(ASK, schema=SCHEMA, samples=9)


def test_a_prompt_beyond_the_context_is_refused(small):
    with pytest.raises(ModelUnavailable, match="exceeds the available context size"):
        small.complete([{"role": "user", "content": "word " * 3000}], schema=SCHEMA)


def test_an_impossible_schema_is_refused(small):
    with pytest.raises(ModelUnavailable, match="refused the request"):
        small.complete(ASK, schema={"type": "banana"})


def test_its_port_answers_nobody_without_the_key(small):
    address = small._server.listening_address
    assert httpx.URL(address).host == "127.0.0.1"
    request = {"messages": ASK, "max_tokens": 1}
    with httpx.Client(base_url=address, trust_env=False) as client:
        assert client.post("/v1/chat/completions", json=request).status_code == 401
        assert client.get("/slots").status_code in (401, 501)
        assert client.get("/").status_code in (401, 404)


def test_what_was_read_of_a_prompt_is_taken_from_disk_the_next_time(tmp_path):
    """A damaged file only costs the time of reading again."""
    static = [{"role": "system", "content": "Answer with JSON. " + "The sea is wide and the sky is high. " * 20}]
    for damaged in (False, True):
        with closing(open_small(derived_dir=tmp_path)) as first:
            assert not first.read_ahead(static)
        (file,) = tmp_path.iterdir()
        assert file.stat().st_size > 100_000
        with closing(open_small(derived_dir=tmp_path)) as second:
            assert second.read_ahead(static)
            assert second.complete([*static, *ASK], schema=SCHEMA, seed=1).parsed["word"] is not None
        if not damaged:
            file.write_bytes(file.read_bytes()[:5000])
    with closing(open_small()) as without:
        assert not without.read_ahead(static)


def test_a_timeout_cancels_the_call_and_the_model_stays_usable():
    model = open_small(cache_prompt=False, timeout_s=0.05)
    with pytest.raises(ChatTimeout, match=r"within 0\.05 s"):
        model.complete([{"role": "user", "content": "word " * 700}], schema=SCHEMA)
    model._timeout_s = 60
    assert model.complete(ASK, schema=SCHEMA, max_tokens=80).parsed["word"]
    model.close()
    model.close()
    with pytest.raises(ModelUnavailable, match="was closed"):
        model.complete(ASK, schema=SCHEMA)
    assert not [thread for thread in threading.enumerate() if thread.name == "hrv-llm-call"]


def test_the_openai_adapter_speaks_to_a_real_llama_server():
    """The same runtime, asked over its HTTP port with its key: what llama-server is for a user."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="hrv-shared[llm] is not installed")
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(model_file("smollm2-135m")), "smollm2-135m"
    params.n_ctx, params.n_parallel, params.warmup, params.verbosity = 1024, 1, False, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys = ["secret"]
    server = xllamacpp.Server(params)
    model = open_chat_model(
        "openai", base_url=server.listening_address, model="smollm2-135m", api_key="secret", timeout_s=60
    )
    reply = model.complete(ASK, schema=SCHEMA, max_tokens=80)
    model.close()
    assert (
        reply.model_id == "smollm2-135m" and set(reply.parsed) == {"word", "n"} and reply.prompt_tokens > 10
    )


def test_a_file_that_is_no_model_is_said(tmp_path):
    pytest.importorskip("xllamacpp", reason="hrv-shared[llm] is not installed")
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + b"\0" * 100)
    opened = closing(open_chat_model("embedded", model_path=bad))
    with opened as model, pytest.raises(ModelUnavailable, match="could not be loaded"):
        model.complete(ASK, schema=SCHEMA)
    with pytest.raises(ModelUnavailable, match="does not exist"):
        open_chat_model("embedded", model_path=tmp_path / "absent.gguf")


@pytest.mark.real_llm
@pytest.mark.timeout(600)  # 40 s on two quiet cores, many times that where they are shared
def test_the_default_model_lowers_the_forecast_after_a_party():
    pytest.importorskip("xllamacpp", reason="hrv-shared[llm] is not installed")
    if not CASES.is_file():
        pytest.skip(f"the forecast cases are not beside this checkout ({CASES.name})")
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    messages = [{"role": "system", "content": cases["system"]}]
    for example in cases["few_shot"]:
        messages.append({"role": "user", "content": example["user"]})
        messages.append({"role": "assistant", "content": json.dumps(example["assistant"])})
    messages.append({"role": "user", "content": cases["cases"][0]["report"]})
    model = open_chat_model("embedded", model_path=model_file("llm"), cache_prompt=False, timeout_s=540)
    try:
        reply = model.complete(messages, schema=cases["schema"])
    finally:
        model.close()
    assert reply.parsed["shift_ms"] <= -1
    assert 1000 < reply.prompt_tokens < 2500
