"""The agent's commands."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOption, MemberOption, app_for, emit, say
from hrv_shared.constants import AGENT, MEDIAN_INDEX
from hrv_shared.issue import current_issue
from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store
from llm_agent import belief_cli, tracing_cli
from llm_agent.answer import Style
from llm_agent.bench.cli import app as bench_app
from llm_agent.errors import BadEdit
from llm_agent.reader import MODEL
from llm_agent.reading import shipped_readers

LARGEST_CHOICE_BYTES = 3_000_000_000
TIMEOUT_S = 420.0
"""About half a minute on two quiet cores; ten times that on busy ones."""

app = app_for("llm_agent", "The language model's own forecast, checked, with its reasons.")
app.add_typer(bench_app, name="bench")
app.add_typer(belief_cli.belief_app, name="belief")
app.command()(belief_cli.review)
app.command()(tracing_cli.traces)
app.command()(tracing_cli.prompts)


@app.command()
def forecast(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Ask the language model to correct the models' forecast; a failure is shown as one."""
    from llm_agent.forecast import agent_forecast

    settings = load_settings()
    store = Store.open(settings)
    issue = current_issue(store, member or settings.member_id)
    result = agent_forecast(
        store, issue, lambda: open_model(settings), samples=settings.agent_samples, seed=settings.seed,
        style=style_of(settings), model_digest=model_digest(settings),
    )  # fmt: skip
    emit({k: v for k, v in result.items() if k != "text"}, result["text"], as_json)


@app.command()
def show(
    member: MemberOption = None,
    last: Annotated[int, typer.Option(help="How many forecasts.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """What the agent said and why, and how it understood each of your sentences."""
    from llm_agent.understood import understood, understood_lines

    settings = load_settings()
    store = Store.open(settings)
    frame = store.ledger.forecasts(None, member or settings.member_id, forecaster=AGENT)
    rows = [r for r in frame.iter_rows(named=True) if r["horizon"] == 1][-last:]
    calls = store.record.latest("llm_call", member or settings.member_id, store.clock())
    said = [
        {
            "book": r["book"],
            "origin_day": r["origin_day"],
            "median_ms": r["quantiles_ms"][MEDIAN_INDEX],
            **json.loads(r["reasons"]),
            "understood": understood(calls[_call_key(r)].payload) if _call_key(r) in calls else [],
        }
        for r in rows
    ]
    lines = []
    for s in said:
        lines.append(f"{s['origin_day']} {s['median_ms']:.1f} ms ({s['shift_ms']:+.1f}): {s['rationale']}")
        lines += understood_lines(s["understood"])
        if s["withheld"]:
            lines.append(f"  {s['withheld']} not read: no account of your day, measured anyway, or not English")
    text = "\n".join(lines)
    emit({"forecasts": said}, text or "The agent has not spoken yet.", as_json)


@app.command()
def reading(
    words: Annotated[str | None, typer.Argument(help="A sentence of a note, as it stands there.")] = None,
    means: Annotated[
        str | None,
        typer.Option(help="What it means for the night: daily life, body, heart, night or relief; 'heart, a lot'."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let the agent read these words by itself again.")] = False,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Whose notes are read; without, the newest day's.")
    ] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """How your notes are read now; with words of yours, what they mean instead."""
    from llm_agent import own_readings
    from llm_agent.understood import understood_lines

    settings = load_settings()
    store, whose = Store.open(settings), member or settings.member_id
    if words is None:
        if means is not None or undo:
            raise BadEdit("Expected the words that it is about, as they stand in your note.")
        encoder = open_model(settings) if style_of(settings) == "read" else None
        told = own_readings.read_now(store, whose, shipped_readers(), encoder, day and day.date())
        text = "\n".join(understood_lines(told)) or "There is nothing that is read before a forecast."
        emit({"sentences": told}, text, as_json)
        return
    if undo == (means is not None):
        raise BadEdit("Expected either --means or --undo.")
    if undo:
        fact, text = own_readings.unset_reading(store, whose, words), "The agent reads it by itself again."
    else:
        fact, text = own_readings.set_reading(store, whose, words, str(means)), own_readings.COUNTS
    emit({"own_reading": fact and fact.payload}, text, as_json)


def _call_key(row: dict[str, Any]) -> str:
    return f"{row['book']}:{row['member_id']}-{row['origin_day'].isoformat()}-{row['slot']}"


@app.command()
def preview(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """What would be sent to the language model now, to the letter, and to where; nothing is sent."""
    from llm_agent.answer import MAX_TOKENS, label_of, questions_for
    from llm_agent.forecast import briefing_of

    settings = load_settings()
    store = Store.open(settings)
    style = style_of(settings)
    label = label_of(style)
    issue = current_issue(store, member or settings.member_id)
    asked = questions_for(briefing_of(store, issue, style), style)
    bodies = [
        {"messages": list(q.messages), "schema": q.schema, "max_tokens": MAX_TOKENS[style]} for q in asked
    ]
    where = {"embedded": "the model in this process", "openai": settings.llm_base_url, "none": "nobody"}.get(
        settings.llm_backend, f"{settings.llm_backend}: it leaves this machine"
    )
    size = sum(len(json.dumps(body, ensure_ascii=False).encode()) for body in bodies)
    static = asked[0].messages[:-1] if asked else ()
    text = "\n".join(
        [
            f"{size} bytes in {len(bodies)} requests, prompt {label}, for {where}.",
            *(f"--- {m['role']}\n{m['content']}" for m in static),
            *(f"--- user, {q.id}\n{q.messages[-1]['content']}" for q in asked),
        ]
    )
    emit({"to": where, "prompt": label, "bytes": size, "requests": bodies}, text, as_json)


def style_of(settings: Settings) -> Style:
    """How the model is asked.

    By the setting; else the tuned network reads, other embedded models of up to 3 GB choose, and all others write.
    """
    if settings.agent_style != "auto":
        return settings.agent_style
    if settings.llm_backend != "embedded":
        return "free"
    path = settings.llm_model_path
    if path is None and settings.llm_model == MODEL:
        return "read"
    return "free" if path and path.is_file() and path.stat().st_size > LARGEST_CHOICE_BYTES else "choice"


def model_digest(settings: Settings) -> str:
    """The sha256 of the embedded model's files; empty where the model is somebody's server."""
    from hrv_shared.models import ModelError, resolve

    if settings.llm_backend != "embedded":
        return ""
    try:
        return resolve(
            settings.llm_model, cache_dir=settings.cache_dir, configured_path=settings.llm_model_path,
            allow_download=False,
        ).sha256  # fmt: skip
    except ModelError:
        return ""


def open_model(settings: Settings):
    """Open the model that the settings name: a chat model, or the reader's network."""
    from hrv_shared.llm import ModelUnavailable, open_chat_model
    from hrv_shared.models import ModelError, StderrProgress, resolve

    path = None
    if settings.llm_backend == "embedded":
        try:
            path = resolve(
                settings.llm_model, cache_dir=settings.cache_dir, configured_path=settings.llm_model_path,
                allow_download=False, progress=StderrProgress(),
            ).path  # fmt: skip
            if style_of(settings) == "read":
                return shipped_readers().encoder(path)
        except ModelError as error:
            raise ModelUnavailable(str(error)) from error
        if settings.llm_model_path is None and settings.llm_model == MODEL:
            raise ModelUnavailable(
                f"{MODEL} reads sentences and answers no prompts. Set HRV_AGENT_STYLE=auto, or name a model that does: "
                "HRV_LLM_MODEL=qwen2.5-coder-1.5b."
            )
        say("asking the language model, seconds to half a minute on two cores …")
    key = settings.llm_api_key
    return open_chat_model(
        settings.llm_backend, model_path=path, model=settings.llm_model, base_url=settings.llm_base_url,
        api_key=key.get_secret_value() if key else None, allow_remote=settings.llm_allow_remote,
        threads=settings.threads, timeout_s=TIMEOUT_S, derived_dir=settings.cache_dir / "llm-derived",
    )  # fmt: skip
