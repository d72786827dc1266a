"""The adapter for OpenAI-compatible servers, against a real HTTP server on the loopback address."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hrv_shared.llm import BadReply, ChatTimeout, ModelUnavailable, open_chat_model
from hrv_shared.llm.openai_compatible import is_loopback

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}
JOURNAL = "three whiskies with Anna"
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": JOURNAL}]


def completion(content: object, finish_reason: str = "stop") -> dict:
    choice = {
        "index": 0,
        "finish_reason": finish_reason,
        "message": {"role": "assistant", "content": content},
    }
    return {"choices": [choice], "usage": {"prompt_tokens": 11, "completion_tokens": 5}}


class Endpoint(BaseHTTPRequestHandler):
    """Answers with what the test put into ``status`` and ``answer``; waits for ``release`` when told to."""

    status = 200
    answer: object = None
    location: str | None = None
    models: tuple[str, ...] = ("qwen",)
    seen: list[tuple[str, dict, str | None]]
    release: threading.Event | None

    def do_GET(self) -> None:
        self.send({"data": [{"id": name} for name in self.models]}, 200)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, body, self.headers.get("Authorization")))
        if self.release:
            self.release.wait(10)
        self.send(self.answer, self.status)

    def send(self, answer: object, status: int) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        try:
            self.send_response(status)
            if self.location:
                self.send_header("Location", self.location)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client gave up, as one test wants

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint(monkeypatch):
    handler = type("Handler", (Endpoint,), {"seen": [], "release": None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    handler.url = f"http://127.0.0.1:{server.server_port}"
    yield handler
    if handler.release:
        handler.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def model(endpoint):
    opened = open_chat_model("openai", base_url=endpoint.url, api_key="k", timeout_s=10)
    yield opened
    opened.close()


def test_a_call_sends_the_schema_and_returns_a_checked_reply(endpoint, model):
    endpoint.answer = completion('{"n": 3}')
    reply = model.complete(ASK, schema=SCHEMA, max_tokens=50, seed=7)
    assert (reply.parsed, reply.model_id, reply.prompt_tokens, reply.completion_tokens) == (
        {"n": 3},
        "qwen",
        11,
        5,
    )
    path, body, authorization = endpoint.seen[0]
    assert path == "/v1/chat/completions" and authorization == "Bearer k"
    assert body["messages"] == ASK and body["model"] == "qwen"
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (50, 0.0, 7)
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_a_proxy_of_the_environment_never_sees_a_local_call(endpoint, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    endpoint.answer = completion('{"n": 3}')
    opened = open_chat_model("openai", base_url=endpoint.url, timeout_s=10)
    assert opened.complete(ASK, schema=SCHEMA).parsed == {"n": 3}
    opened.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (completion('{"n": 12}'), "not on the schema"),
        (completion('{"n": 1', "length"), "cut off"),
        (completion(None), "empty answer"),
        (completion([{"type": "text"}]), "has not the form"),
        ({"choices": []}, "has not the form"),
        ([], "has not the form"),
        (b"<html>", "is not JSON"),
        (b'{"x": "' + b"y" * 4_100_000 + b'"}', "larger than"),
    ],
)
def test_a_bad_answer_is_refused(endpoint, model, answer, message):
    endpoint.answer = answer
    with pytest.raises(BadReply, match=message):
        model.complete(ASK, schema=SCHEMA)


@pytest.mark.parametrize(
    ("status", "hint"), [(400, "response_format"), (401, "HRV_LLM_API_KEY"), (404, "/v1"), (500, "log")]
)
def test_an_error_status_has_a_hint_and_never_repeats_the_prompt(endpoint, model, status, hint):
    endpoint.status, endpoint.answer = status, {"error": {"message": f"bad input: {JOURNAL}"}}
    with pytest.raises(ModelUnavailable, match=hint) as caught:
        model.complete(ASK, schema=SCHEMA)
    assert JOURNAL not in str(caught.value)


def test_a_redirect_is_not_followed(endpoint, model):
    endpoint.status, endpoint.answer, endpoint.location = 307, {}, "http://192.0.2.1/v1/chat/completions"
    with pytest.raises(ModelUnavailable, match="answered 307"):
        model.complete(ASK, schema=SCHEMA)


def test_a_silent_server_is_a_timeout(endpoint):
    endpoint.release = threading.Event()
    opened = open_chat_model("openai", base_url=endpoint.url, model="qwen", timeout_s=0.2)
    with pytest.raises(ChatTimeout, match=r"within 0\.2 s"):
        opened.complete(ASK, schema=SCHEMA)
    opened.close()


def test_nobody_listening_is_said(endpoint):
    opened = open_chat_model("openai", base_url="http://127.0.0.1:9", model="m", timeout_s=2)
    with pytest.raises(ModelUnavailable, match="can't be reached"):
        opened.complete(ASK, schema=SCHEMA)
    opened.close()


def test_several_models_need_a_choice(endpoint, model):
    endpoint.models = ("a", "b")
    with pytest.raises(ModelUnavailable, match=r"2 models \(a, b\).*HRV_LLM_MODEL"):
        model.complete(ASK, schema=SCHEMA)


@pytest.mark.parametrize("url", ["http://localhost:1/v1", "http://127.8.0.1", "https://[::1]:8080/v1"])
def test_addresses_of_this_machine(url):
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/v1",
        "http://localhost.example.com",
        "http://192.168.1.4:11434",
        "http://0.0.0.0:1",
        "http://127.1",
    ],
)
def test_other_addresses_need_permission(url):
    with pytest.raises(ModelUnavailable, match="HRV_LLM_ALLOW_REMOTE"):
        open_chat_model("openai", base_url=url)
    open_chat_model("openai", base_url=url, allow_remote=True).close()


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://127.0.0.1@example.com", "http://[::1"]
)
def test_malformed_addresses_are_refused_even_with_permission(url):
    with pytest.raises(ModelUnavailable, match="expected an address like"):
        open_chat_model("openai", base_url=url, allow_remote=True)
