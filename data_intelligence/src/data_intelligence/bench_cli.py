"""``hrv bench alerts``, ``experiments``, ``effects``: measured on made-up members, alerts looked at on real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hrv_shared.cli import JsonOutOption, app_for, emit, emit_rows, progress, say

__all__ = ["bench_app"]

bench_app = app_for("bench", "Measure alerts and experiments on made-up members.")

FIRST_TUNING_SEED = 1000


@bench_app.command(name="alerts")
def bench_alerts(
    members: Annotated[int, typer.Option(min=2, max=900, help="Made-up members.")] = 100,
    nights: Annotated[int, typer.Option(min=300, max=2000, help="Nights of each.")] = 420,
    seed: Annotated[int, typer.Option(min=0, max=900, help="Seed of the first member.")] = 0,
    data: Annotated[
        Path | None, typer.Option("--data", help="Look at real people too: a table like daily_hrv.parquet.")
    ] = None,
    tune: Annotated[
        Path | None,
        typer.Option("--tune", help="Fit the models anew on members 1000 and up; written to this file."),
    ] = None,
    json_out: JsonOutOption = None,
) -> None:
    """Precision, recall, delay and false alerts of planted illness, travel, overload, level shift, device change."""
    from data_intelligence.bench_alerts.measuring import measure_alerts
    from data_intelligence.bench_alerts.real_people import look_at_people
    from data_intelligence.bench_alerts.result_text import alerts_text

    if tune is not None:
        _tune(tune, members, nights)
        return
    if seed + members > FIRST_TUNING_SEED:
        raise typer.BadParameter(
            f"expected seeds below {FIRST_TUNING_SEED} (from there on members were tuned on)"
        )
    with progress("Watching members", members) as advance:
        found = measure_alerts(range(seed, seed + members), nights, advance)
    found["people"] = [] if data is None else look_at_people(data)
    emit_rows(found, alerts_text(found), json_out)


@bench_app.command(name="experiments")
def bench_experiments(
    draws: Annotated[int, typer.Option(min=100, max=20_000, help="Made-up experiments for each row.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of the dice.")] = 0,
    json_out: JsonOutOption = None,
) -> None:
    """False findings, power and coverage of the whole coin-flip procedure, as it runs for a wearer."""
    from data_intelligence.experiments.simulated import experiments_text, measure_experiments

    with progress("Running experiments") as advance:
        found = measure_experiments(draws, seed, advance)
    emit_rows(found, experiments_text(found), json_out)


def _tune(path: Path, members: int, nights: int) -> None:
    from data_intelligence.alert_models import models_json
    from data_intelligence.bench_alerts.tuning import tune_models

    seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + members)
    with progress("Tuning", 6 * members) as advance:
        models = tune_models(seeds, nights, advance)
    path.write_text(models_json(models, f"planted-{members}x{nights}"), encoding="utf-8")
    say(f"Written: {path}")
    emit({"written": str(path), "raise_at": {k: m.raise_at for k, m in models.items()}}, "", as_json=False)


@bench_app.command(name="effects")
def bench_effects(
    members: Annotated[
        int, typer.Option(min=2, max=5000, help="Made-up members at 90 nights; other worlds get a part.")
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, max=9, help="First digit of the members' seeds.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for RESULTS.md and results.json.")] = None,
    json_out: JsonOutOption = None,
) -> None:
    """Error, coverage, false claims and power of personal effects, beside the raw difference and plain regression."""
    import json

    from data_intelligence.bench_effects.measuring import PLAN, measure_effects
    from data_intelligence.bench_effects.result_text import effects_text

    with progress(
        "Estimating effects", sum(max(round(share * members), 2) for _, _, share in PLAN)
    ) as advance:
        found = measure_effects(members, seed, workers, advance)
    text = effects_text(found)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "RESULTS.md").write_text(text, encoding="utf-8")
        (out / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        say(f"Written: {out / 'RESULTS.md'}, {out / 'results.json'}")
    emit_rows(found, text, json_out)
