"""Which prompt a model gets, and the preview of what would be sent."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hrv_shared.models.manifest import QWEN_CODER_1_5B
from llm_agent import cli
from llm_agent.cli import app, style_of


class Chosen:
    """The settings that decide."""

    def __init__(self, backend="embedded", style="auto", path=None):
        self.llm_backend, self.agent_style, self.llm_model_path = backend, style, path


@pytest.fixture(autouse=True)
def digest(monkeypatch):
    """No model's file is looked for; a test says whose digest it has."""
    digests = ["some other model"]
    monkeypatch.setattr(cli, "model_digest", lambda _: digests[0])
    return digests


@pytest.mark.parametrize(("chosen", "style"), [
    (Chosen(), "choice"), (Chosen("openai"), "free"), (Chosen("anthropic"), "free"), (Chosen(style="free"), "free"),
    (Chosen("openai", "choice"), "choice"),
])  # fmt: skip
def test_a_small_model_chooses_and_a_large_one_writes(chosen, style):
    assert style_of(chosen) == style


def test_the_model_that_a_reader_was_fitted_for_is_read(digest):
    digest[0] = QWEN_CODER_1_5B.files[0].sha256
    assert style_of(Chosen()) == "read" and cli.reader_of(Chosen()).model_sha256 == digest[0]
    assert style_of(Chosen(style="choice")) == "choice" and style_of(Chosen("openai")) == "free"


def test_a_large_file_is_a_large_model(tmp_path, monkeypatch):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"0" * 100)
    assert style_of(Chosen(path=file)) == "choice"
    monkeypatch.setattr(cli, "LARGEST_CHOICE_BYTES", 50)
    assert style_of(Chosen(path=file)) == "free"


def test_the_preview_is_what_would_be_sent_and_says_to_where(tmp_path, monkeypatch):
    from agent_summary import ISSUE, NOW
    from hrv_shared.store import Store
    from test_agent_forecast import FACT, SAID, issue_mix, say, write_summary

    monkeypatch.setenv("HRV_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HRV_LLM_BACKEND", "anthropic")
    store = Store(tmp_path / "home", lambda: NOW)
    write_summary(store, (), (FACT,))
    say(store, "e1", SAID, NOW)
    issue_mix(store)
    monkeypatch.setattr(cli, "current_issue", lambda *_: ISSUE)
    shown = CliRunner().invoke(app, ["preview", "--json"])
    assert shown.exit_code == 0, shown.output
    said = json.loads(shown.output)
    assert "leaves this machine" in said["to"]
    (request,) = said["requests"]
    assert "flu jab" in request["messages"][-1]["content"]
    assert said["bytes"] == len(json.dumps(request, ensure_ascii=False).encode())
