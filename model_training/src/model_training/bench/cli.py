"""Commands of the benchmark, and of the pool that ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOutOption, app_for, emit, emit_rows, progress, say

app = app_for("model_training bench", "Measure the forecasters: on people, on a synthetic cohort, at scale.")

AgainstOption = Annotated[
    str,
    typer.Option(
        "--against", help="all, fast (without AutoETS, AutoARIMA, AutoTheta) or naive (the simple rules)."
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder of results and pictures; default: forecast-bench/<data>.")
]
WorkOption = Annotated[
    Path | None,
    typer.Option("--work", help="Where finished parts are kept, so that a second run carries on."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Of the bootstrap.")]
WorkersOption = Annotated[int, typer.Option("--workers", min=1, help="Processes.")]


@app.command("forecast")
def forecast(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Parquet table of people (docs/benchmark.md names its columns)."),
    ] = None,
    synthetic: Annotated[
        int | None,
        typer.Option(
            "--synthetic", min=6, help="In place of --data: so many synthetic people whose true law is known."
        ),
    ] = None,
    nights: Annotated[int, typer.Option("--nights", min=60, help="Of each synthetic person.")] = 400,
    against: AgainstOption = "all",
    out: OutOption = None,
    work: WorkOption = None,
    seed: SeedOption = 0,
    workers: WorkersOption = 2,
    json_out: JsonOutOption = None,
) -> None:
    """Every forecaster and opponent on the same nights: skills with intervals, calibration, cold start, ladder."""
    from hrv_shared.settings import load_settings
    from model_training.bench.command import run_bench, run_synthetic, write_results
    from model_training.bench.evaluate import Plan
    from model_training.bench.text import render

    if (data is None) == (synthetic is None):
        raise typer.BadParameter("expected either --data FILE or --synthetic N")
    if against not in ("all", "fast", "naive"):
        raise typer.BadParameter(f"--against: expected all, fast or naive, got {against!r}")
    plan = Plan(work or load_settings().cache_dir / "bench", against, seed, workers)
    with progress("Benchmark", total=1) as advance:
        if data is not None:
            result = run_bench(data, plan, advance=advance)
        else:
            result = run_synthetic(synthetic or 0, nights, plan, advance=advance)
    text = render(result)
    folder = out or Path("forecast-bench") / (data.stem if data else f"synthetic-{synthetic}")
    written = write_results(result, folder, text)
    say(f"Written: {', '.join(map(str, written))}")
    emit_rows(result, text, json_out)


@app.command("scale")
def scale(
    members: Annotated[
        str, typer.Option("--members", help="Sizes of the cohorts, separated by commas.")
    ] = "1,100",
    engine: Annotated[str, typer.Option("--engine", help="serial, joblib, dask or ray.")] = "joblib",
    workers: WorkersOption = 2,
    nights: Annotated[int, typer.Option("--nights", min=30, help="Of each member's history.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Of the cohort.")] = 0,
    work: WorkOption = None,
    json_out: JsonOutOption = None,
) -> None:
    """One day's forecasts of a whole cohort: series per CPU-second, memory, and the same numbers on every engine."""
    from model_training.scale import render, run_scale

    try:
        sizes = [int(size) for size in members.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--members: expected numbers like 1,100,10000, got {members!r}") from None
    with progress("Members", total=sum(sizes)) as advance:
        result = run_scale(
            sizes, engine=engine, workers=workers, nights=nights, seed=seed, folder=work, advance=advance
        )
    if json_out not in (None, "-"):
        Path(str(json_out)).write_text(json.dumps(result, indent=1, default=str) + "\n", encoding="utf-8")
    emit(result, render(result), json_out == "-")


@app.command("cohort")
def cohort(
    dsn: Annotated[str, typer.Option(help="PostgreSQL to use; schemas cohort_… are made in it and dropped.")],
    members: Annotated[int, typer.Option(min=1, help="Synthetic members.")] = 1000,
    engine: Annotated[str, typer.Option("--engine", help="serial, joblib, dask or ray.")] = "dask",
    workers: WorkersOption = 2,
    nights: Annotated[int, typer.Option("--nights", min=60, help="Of each member's history.")] = 90,
    seed: Annotated[int, typer.Option("--seed", help="Of the cohort.")] = 0,
    json_out: JsonOutOption = None,
) -> None:
    """One day of many members from PostgreSQL's record into its ledger, by workers; equal to one process on files?"""
    from model_training.scale.cohort import render, run_cohort

    with progress("Members", total=2 * members) as advance:
        result = run_cohort(
            dsn, members, engine=engine, workers=workers, nights=nights, seed=seed, advance=advance
        )
    if json_out not in (None, "-"):
        Path(str(json_out)).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    emit(result, render(result), json_out == "-")


def fit_pool_command(data: Path | None, out: Path) -> dict[str, Any]:
    """Fit the pool that ships and write it with its card."""
    from model_training.pool_fitting import SHIPPED_SYNTHETIC, fit_shipped, pooled_forecasters

    with progress("Fitting the pool", total=2 * len(pooled_forecasters())) as advance:
        pool = fit_shipped(data, advance=advance)
    out.parent.mkdir(parents=True, exist_ok=True)
    pool.save(out)
    return {"path": str(out), "bytes": out.stat().st_size, "digest": pool.digest()[:16], "synthetic": SHIPPED_SYNTHETIC,
            "real": pool.about["real"]}  # fmt: skip
