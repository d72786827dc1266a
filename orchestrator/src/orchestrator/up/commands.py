"""``hrv up``."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hrv_shared.cli import JsonOption, app_for, emit, run, say
from hrv_shared.settings import Settings, load_settings

__all__ = ["run_up"]

PortOption = Annotated[int, typer.Option(min=1, max=65_535, help="Loopback port of the page.")]
_STOP_WITHIN_S = 60.0


app = app_for("hrv up", "The page and the scheduler.")


def run_up(arguments: list[str]) -> NoReturn:
    """Run ``hrv up ARGUMENTS``; apart from the room's other commands, whose tables this process would hold for days."""
    sys.argv = ["hrv up", *arguments]
    run(app)


@app.command()
def up(
    port: PortOption = 8720,
    dagster: Annotated[bool, typer.Option("--dagster", help="Dagster's page too, under /dagster.")] = False,
    mlflow: Annotated[bool, typer.Option("--mlflow", help="MLflow's page too, under /mlflow.")] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Say what runs, and how much memory it holds.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End what runs.")] = False,
    install_service: Annotated[
        bool,
        typer.Option(
            "--install-service", help="Write a user service (systemd, launchd) that runs this at login."
        ),
    ] = False,
    uninstall_service: Annotated[
        bool, typer.Option("--uninstall-service", help="Remove that service's file.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The page and the scheduler, until Ctrl-C; on request Dagster's and MLflow's pages behind the same door."""
    from orchestrator.up import service_file, state

    extra = [name for name, wanted in (("dagster", dagster), ("mlflow", mlflow)) if wanted]
    settings = load_settings()
    if status:
        told = state.status_of(settings.home)
        emit(told, status_text(told), as_json)
    elif stop:
        stopped = _stop(settings.home)
        emit({"stopped": stopped}, "Ended." if stopped else "hrv up does not run for this store.", as_json)
    elif install_service:
        arguments = ["--port", str(port), *(f"--{name}" for name in extra)]
        done = service_file.install(settings, arguments)
        emit(
            done.describe(),
            f"Written: {done.path}\nStart it, now and at each login: {done.next_step}",
            as_json,
        )
    elif uninstall_service:
        done = service_file.uninstall()
        what = f"Removed: {done.path}" if done.changed else f"There is no service at {done.path}."
        emit(done.describe(), f"{what}\nIf it runs, end it: {done.next_step}", as_json)
    else:
        _run(settings, port, extra)


def status_text(told: dict[str, Any]) -> str:
    """What runs, in words."""
    if not told["running"]:
        return "hrv up does not run for this store. Start it: hrv up"
    lines = [f"{told['address']}  {' '.join(told['pages'])}".rstrip()]
    for name, child in told["children"].items():
        memory = f"{child['memory_mb']:.0f} MB" if child["memory_mb"] else "–"
        lines.append(f"  {name:10} {child['state']:8} {memory:>7}  {child['restarts']} restarts")
    return "\n".join([*lines, f"  in all {told['memory_mb']:.0f} MB"])


def for_the_reader(line: str, *, is_terminal: bool) -> str:
    """What the page printed, without its key where it goes into a journal (a service) or a file."""
    return line if is_terminal else re.sub(r"/enter/\S+", "/ (with its key: hrv dashboard --link)", line)


def _run(settings: Settings, port: int, extra: list[str]) -> None:
    from orchestrator.rooms import quiet_environment
    from orchestrator.up import state
    from orchestrator.up.children import children_of
    from orchestrator.up.supervising import Supervisor

    home = settings.home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with state.held_alone(home):
        for name in state.end_leftovers(home):
            say(f"{name} was left by a group that was killed; ended.")

        def tell(line: str) -> None:
            say(for_the_reader(line, is_terminal=sys.stderr.isatty()))

        sockets = Path(tempfile.mkdtemp(prefix="hrv-up-"))
        group = Supervisor(
            children_of(home, sockets, port=port, extra=extra), home / "logs", quiet_environment(), tell,
            changed=lambda children: state.write_down(home, children, port=port),
        )  # fmt: skip
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: group.stop.set())
        running = ", ".join(["the page", "the scheduler", *(f"/{name}" for name in extra)])
        say(f"Starting {running} (Ctrl-C ends them; hrv up --status in another terminal) …")
        try:
            group.run()
        finally:
            state.forget(home)
            shutil.rmtree(sockets, ignore_errors=True)
    say("Ended; nothing is left running.")


def _stop(home: Path) -> bool:
    from orchestrator.errors import UpFailed
    from orchestrator.up import state
    from orchestrator.up.process_tree import started_at

    told = state.status_of(home)
    if not told["running"]:
        return False
    pid = told["pid"]
    began, until = started_at(pid), time.monotonic() + _STOP_WITHIN_S
    os.kill(pid, signal.SIGTERM)
    while began is not None and started_at(pid) == began:
        if time.monotonic() > until:
            raise UpFailed(f"Process {pid} does not end. Look into {home / 'logs'}, or end it: kill -9 {pid}")
        time.sleep(0.1)
    return True
