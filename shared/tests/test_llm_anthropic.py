"""Anthropic's adapter with its real SDK, against a server on the loopback address that answers as the API does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hrv_shared.llm import BadReply, ChatTimeout, ModelUnavailable
from hrv_shared.llm.anthropic import AnthropicChatModel

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}
ASK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "an example"},
    {"role": "assistant", "content": '{"n": 1}'},
    {"role": "user", "content": "three whiskies with Anna"},
]


class Api(BaseHTTPRequestHandler):
    status = 200
    text = '{"n": 3}'
    stop_reason = "end_turn"
    seen: list[tuple[dict, str | None]]
    release: threading.Event | None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        # the header for the key has changed between versions of the SDK
        self.seen.append((body, f"{self.headers.get('x-api-key')} {self.headers.get('Authorization')}"))
        if self.release:
            self.release.wait(10)
        answer = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": [{"type": "text", "text": self.text}],
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": 20, "output_tokens": 6},
        }
        error = {"type": "error", "error": {"type": "x", "message": json.dumps(body)}}
        content = json.dumps(answer if self.status == 200 else error).encode()
        try:
            self.send_response(self.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api():
    pytest.importorskip("anthropic", reason="hrv-shared[anthropic] is not installed")
    handler = type("Handler", (Api,), {"seen": [], "release": None})
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


def opened(api, timeout_s: float = 10) -> AnthropicChatModel:
    return AnthropicChatModel(model="claude-test", api_key="k", base_url=api.url, timeout_s=timeout_s)


def test_a_call_sends_a_schema_that_the_api_takes_and_checks_the_answer(api):
    model = opened(api)
    reply = model.complete(ASK, schema=SCHEMA, max_tokens=50)
    model.close()
    assert (reply.parsed, reply.model_id, reply.prompt_tokens) == ({"n": 3}, "claude-test", 20)
    body, key = api.seen[0]
    assert "k" in key.split() and body["system"] == "Be brief." and body["messages"] == ASK[1:]
    sent = body["output_config"]["format"]["schema"]
    assert "maximum" not in sent["properties"]["n"] and sent["additionalProperties"] is False
    assert "temperature" not in body and "seed" not in body


@pytest.mark.parametrize(
    ("text", "stop_reason", "message"),
    [
        ('{"n": 12}', "end_turn", "not on the schema"),
        ('{"n"', "max_tokens", "cut off"),
        ("", "refusal", "refused"),
    ],
)
def test_a_bad_answer_is_refused(api, text, stop_reason, message):
    api.text, api.stop_reason = text, stop_reason
    model = opened(api)
    with pytest.raises(BadReply, match=message):
        model.complete(ASK, schema=SCHEMA)
    model.close()


@pytest.mark.parametrize("status", [400, 401, 529])
def test_an_error_is_named_once_and_without_the_prompt(api, status):
    api.status = status
    model = opened(api)
    with pytest.raises(ModelUnavailable, match=f"answered {status}") as caught:
        model.complete(ASK, schema=SCHEMA)
    model.close()
    assert "Anna" not in str(caught.value) and len(api.seen) == 1


def test_a_silent_api_is_a_timeout(api):
    api.release = threading.Event()
    model = opened(api, timeout_s=0.3)
    with pytest.raises(ChatTimeout):
        model.complete(ASK, schema=SCHEMA)
    model.close()


def test_without_the_sdk_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anthropic", None)
    with pytest.raises(ModelUnavailable, match=r"hrv-shared\[anthropic\]"):
        AnthropicChatModel(model="m", api_key="k")
