"""``hrv bench agent``: measure the agent on frozen cases."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOutOption, app_for, emit, progress, say

app = app_for("llm_agent bench", "Measure the agent on frozen cases.")


@app.callback(invoke_without_command=True)
def bench(
    cases: Annotated[
        Path,
        typer.Option(
            "--cases", help="A file of benchmarks/agent/cases, or one of that form.", metavar="FILE"
        ),
    ],
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples", min=1, max=8, help="Answers drawn for each evening; default: agent_samples."
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option("--style", help="choice or free; default: as the settings have it for the model."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="Another model than the setting: a name, a GGUF file, or random (the floor)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the samples and of the bootstrap.")] = 0,
    only: Annotated[
        int | None, typer.Option("--only", min=1, help="So many cases, drawn by the seed; a quick look.")
    ] = None,
    words_only: Annotated[
        bool,
        typer.Option(
            "--words-only", help="Without the evening's facts and effects: what the words alone tell."
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take the model's answers that an earlier run kept.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="FILE", help="What an earlier --json OUT of this set wrote, to compare case by case."
        ),
    ] = None,
    mlflow: Annotated[
        bool,
        typer.Option("--mlflow", help="Enter the run into the store's MLflow, too (mlflow.genai.evaluate)."),
    ] = False,
    json_out: JsonOutOption = None,
) -> None:
    """Direction, size, grounding, validity, attacks and cost of the agent's answers, beside the answer by rules."""
    from hrv_shared.settings import load_settings
    from llm_agent.bench.cases import load_cases
    from llm_agent.bench.random_model import RANDOM, RandomModel
    from llm_agent.bench.run import measure, memory_file, read_earlier, text_of
    from llm_agent.bench.scoring import against_row
    from llm_agent.cli import open_model, style_of

    if style not in (None, "choice", "free"):
        raise typer.BadParameter(f"--style: expected choice or free, got {style!r}")
    settings = load_settings()
    if model not in (None, RANDOM):
        named = (
            {"llm_model_path": Path(model).absolute()} if model.endswith(".gguf") else {"llm_model": model}
        )
        settings = settings.model_copy(update=named)
    sides = {"pairs": 2, "injection": 2, "events": 1, "red_flags": 0}
    told = load_cases(cases)
    earlier = read_earlier(against, told) if against else None
    count = min(only or len(told.cases), len(told.cases)) * sides[told.kind]
    chance = model == RANDOM
    style = style or ("choice" if chance else style_of(settings))
    with progress(f"Evenings of {told.name}", total=count) as advance:
        result = measure(
            cases, RandomModel if chance else lambda: open_model(settings),
            partial(_ask_agent, style=style), samples=samples or settings.agent_samples,
            seed=seed, only=only, words_only=words_only, resume=resume, advance=advance,
            memory=None if chance else memory_file(settings.cache_dir, told.name),
        )  # fmt: skip
    if earlier:
        result["figures"].append(against_row(result["rows"], earlier, seed=seed))
    if mlflow and told.kind == "red_flags":
        say("Red flags ask no model, so there is no run to enter into MLflow.")
    elif mlflow:
        from hrv_shared.store import Store
        from llm_agent.bench.mlflow_run import enter_run

        result["mlflow_run"] = enter_run(Store.open(settings), result)
    if json_out not in (None, "-"):
        Path(str(json_out)).write_text(json.dumps(result, indent=1, default=str) + "\n", encoding="utf-8")
    emit(result, text_of(result), json_out == "-")


def _ask_agent(*args: Any, **kwargs: Any) -> Any:
    """The agent's public verb, loaded when the first evening is asked about."""
    from llm_agent.forecast import ask_agent

    return ask_agent(*args, **kwargs)
