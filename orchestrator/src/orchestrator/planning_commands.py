"""Commands about what should run: due, backfill, graph, and the two benches of this room."""

from __future__ import annotations

from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, emit, progress
from hrv_shared.settings import load_settings
from hrv_shared.store import Store

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add these commands to the room's app."""
    app.command("due")(due_now)
    app.command("backfill")(backfill)
    app.command("graph")(graph)
    app.command("bench-schedule")(bench_schedule)
    app.command("bench-step")(bench_step)


def due_now(as_json: JsonOption = False) -> None:
    """Which forecast is due now, and why; computed from the store and the clock, nothing is pulled."""
    from orchestrator.due import due
    from orchestrator.store_view import view_of

    settings = load_settings()
    store = Store.open(settings)
    view, now = view_of(store, settings), store.clock()
    items = due(view, now)
    lines = [f"{item.name}: {item.why}; until {item.closes_at:%Y-%m-%d %H:%M}Z" for item in items]
    if view.last_issued_at is not None and now < view.last_issued_at:
        lines = [
            f"Nothing can be issued: the clock stands before {view.last_issued_at.isoformat()}. hrv doctor"
        ]
    emit(
        {"now": now, "due": [item.describe() for item in items]},
        "\n".join(lines) or "Nothing is due.",
        as_json,
    )


def backfill(
    days: Annotated[str, typer.Argument(metavar="FROM..TO", help="Wake days: 2026-05-01..2026-05-31.")],
    reports: Annotated[bool, typer.Option(help="Daily and weekly reports of these days too.")] = True,
    as_json: JsonOption = False,
) -> None:
    """What would have been said on past days, into the replay book; with the reports of each. The live book stays."""
    from orchestrator.backfilling import backfill_range, parse_range

    first, last = parse_range(days)
    result = backfill_range(load_settings(), first, last, reports=reports)
    text = f"{first} … {last}: {result['written']} replayed forecasts written, {result['reports']} reports."
    emit(result, "\n".join([text, *result["without"]]), as_json)


def graph(as_json: JsonOption = False) -> None:
    """Assets with what they rest on, checks, jobs, sensors and schedules."""
    from orchestrator.graph_text import graph_text

    text = graph_text()
    emit({"graph": text.splitlines()}, text, as_json)


def bench_schedule(
    days: Annotated[int, typer.Option(min=2, max=3660, help="Simulated days.")] = 1096,
    members: Annotated[int, typer.Option(min=1, max=50, help="Members with one store.")] = 2,
    seed: Annotated[int, typer.Option(help="Which lives and which faults.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Years of sleep, clock jumps, daylight saving, kills, double ticks: is each slot issued once and none missed?"""
    from orchestrator.bench.schedule import bench_schedule as run

    with progress("Living", total=1) as advance:
        result = run(days=days, members=members, seed=seed, advance=advance)
    emit(result, "\n".join(f"{name.replace('_', ' '):36}{value}" for name, value in result.items()), as_json)


def bench_step(
    steps: Annotated[int, typer.Option(min=2, max=500, help="How many steps to average over.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """What a step costs over the work itself, in CPU seconds."""
    from orchestrator.bench.step_cost import bench_step as run

    result = run(steps)
    emit(result, "\n".join(f"{name.replace('_', ' '):36}{value}" for name, value in result.items()), as_json)
