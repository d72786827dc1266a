"""Which prompt a model gets, and the preview of what would be sent."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hrv_shared.llm import ModelUnavailable
from hrv_shared.settings import load_settings
from llm_agent import cli
from llm_agent.cli import app, open_model, style_of
from llm_agent.reader import MODEL


class Chosen:
    """The settings that decide."""

    def __init__(self, backend="embedded", style="auto", path=None, model="qwen2.5-coder-1.5b"):
        self.llm_backend, self.agent_style, self.llm_model_path, self.llm_model = backend, style, path, model


@pytest.mark.parametrize(("chosen", "style"), [
    (Chosen(), "choice"), (Chosen("openai"), "free"), (Chosen("anthropic"), "free"), (Chosen(style="free"), "free"),
    (Chosen("openai", "choice"), "choice"),
])  # fmt: skip
def test_a_small_model_chooses_and_a_large_one_writes(chosen, style):
    assert style_of(chosen) == style


def test_the_default_reads_unless_another_model_is_named(tmp_path):
    assert load_settings({}).llm_model == MODEL and style_of(Chosen(model=MODEL)) == "read"
    assert style_of(Chosen("openai", model=MODEL)) == "free"
    assert style_of(Chosen(path=tmp_path / "own.gguf", model=MODEL)) == "choice"


def test_the_reader_answers_no_prompts_and_says_so(tmp_path):
    settings = load_settings({}).model_copy(update={"agent_style": "choice"})
    with pytest.raises(ModelUnavailable, match="HRV_LLM_MODEL=qwen|hrv models fetch reader"):
        open_model(settings)
    absent = load_settings({}).model_copy(update={"cache_dir": tmp_path})
    with pytest.raises(ModelUnavailable, match=r"hrv models fetch reader` \(405 MB"):
        open_model(absent)


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
