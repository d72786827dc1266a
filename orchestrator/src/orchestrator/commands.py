"""The orchestrator's own verbs: demo, daily, rebuild, doctor, dagster, mlflow; `planning_commands` has the others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from hrv_shared.cli import JsonOption, app_for, emit, run
from hrv_shared.errors import HrvError
from hrv_shared.settings import load_settings
from orchestrator.errors import StepFailed
from orchestrator.feeds.commands import export_app
from orchestrator.notify.commands import notify_app
from orchestrator.planning_commands import register as register_planning
from orchestrator.rooms import quiet_environment, room_command

__all__ = ["run_own"]

app = app_for("hrv", "The orchestrator's own verbs.")
register_planning(app)
app.add_typer(notify_app, name="notify")
app.add_typer(export_app, name="export")

PortOption = Annotated[int, typer.Option(min=1, max=65_535, help="Loopback port.")]


def run_own(verb: str, rest: list[str]) -> None:
    """Run one of this room's verbs with its options."""
    sys.argv = ["hrv", verb, *rest]
    run(app)


@app.command()
def daily(
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Only what hrv due lists; for a timer that calls often.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Pull, listen, and make the forecast of now: train, replay, models, summary, agent, final, card."""
    from orchestrator.daily import run_graph

    done = run_graph(load_settings().home, only_due=if_due)
    if if_due and not done.issues:
        emit({**done.describe(), "card": None}, "Nothing is due. hrv due says what will be.", as_json)
        return
    emit({**done.describe(), "card": _card_json()}, done.card, as_json)


@app.command()
def demo(
    nights: Annotated[
        int, typer.Option(min=200, max=1500, help="Nights of history of the simulated member.")
    ] = 240,
    seed: Annotated[int, typer.Option(help="Which simulated member.")] = 7,
    keep: Annotated[
        Path | None, typer.Option(help="Where the demo's store lies; made anew each time.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """The whole way with a simulated member: log in, pull, listen, train, forecast, score. No account needed."""
    from orchestrator.demo import run_demo

    result, text = run_demo(nights=nights, seed=seed, home=keep)
    emit(result, text, as_json)


@app.command()
def rebuild(as_json: JsonOption = False) -> None:
    """Make every table anew from the record; the same record gives the same bytes."""
    done = [_run(room, "rebuild") for room in ("whoop", "journal")] + [_run("shared", "score")]
    emit({"rebuilt": [d["args"] for d in done]}, "Rebuilt.", as_json)


@app.command()
def bench(
    room: Annotated[str, typer.Argument(help="forecast, scale, journal, whoop, schedule or step.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Measure a room: forecasts, speed, reading of notes. Each has options of its own: hrv bench whoop --help."""
    came = f"there is no bench {room!r}" if room else "none was named"
    raise HrvError(
        f"Expected what to measure, but {came}. There are: hrv bench forecast --data TABLE, hrv bench scale, "
        "hrv bench journal --data DIR, hrv bench whoop, hrv bench schedule, hrv bench step, hrv bench alerts, "
        "hrv bench experiments, hrv bench effects, hrv bench agent --cases FILE."
    )


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """What is in order, what is not (NOT) or forbids forecasts (!!!), how to mend each. Exit code 1 with any !!!."""
    from orchestrator.doctor import check_all, doctor_text

    checks = check_all(load_settings())
    emit({"ok": all(c["ok"] for c in checks), "checks": checks}, doctor_text(checks), as_json)
    raise typer.Exit(int(any(c["level"] == "block" for c in checks)))


@app.command()
def dagster(port: PortOption = 3070, as_json: JsonOption = False) -> None:
    """Dagster's page for the runs of this store (loopback only)."""
    from orchestrator.instance import dagster_home

    home = load_settings().home
    environment = {**quiet_environment(), "DAGSTER_HOME": str(dagster_home(home)), "HRV_HOME": str(home)}
    command = [
        sys.executable, "-m", "dagster_webserver", "-m", "orchestrator.definitions", "-h", "127.0.0.1", "-p", str(port),
    ]  # fmt: skip
    _become(command, environment, port, as_json)


@app.command()
def mlflow(port: PortOption = 5070, as_json: JsonOption = False) -> None:
    """MLflow's page for the models of this store (loopback only)."""
    home = load_settings().home
    command = [
        room_command("training")[0], "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port",
        str(port),
        "--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}", "--artifacts-destination", str(home / "mlartifacts"),
    ]  # fmt: skip
    _become(command, quiet_environment(), port, as_json)


def _become(command: list[str], environment: dict[str, str], port: int, as_json: bool) -> NoReturn:
    """Say where the page will be, then be the process that serves it."""
    address = f"http://127.0.0.1:{port}"
    emit({"address": address}, f"{address}  (stop with Ctrl-C)", as_json)
    os.execve(command[0], command, environment)


def _run(room: str, *arguments: str) -> dict:
    command = room_command(room, *arguments)
    finished = subprocess.run(
        command, env=quiet_environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    if finished.returncode != 0:
        raise StepFailed(f"hrv: {room} {' '.join(arguments)} failed; its own words stand above.")
    return {"args": [room, *arguments], "out": finished.stdout}


def _card_json() -> dict:
    import json

    return json.loads(_run("intelligence", "card", "--json")["out"])
