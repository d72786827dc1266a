"""The ``hrv`` command: one verb for each thing a user does, handed to the room that does it."""

from __future__ import annotations

import os
import sys

from hrv_shared.cli import fail
from hrv_shared.errors import HrvError
from orchestrator.rooms import ROOMS, quiet_environment, room_command

__all__ = ["main"]

FORWARDED = {
    "connect": ("whoop", "connect", "log in to WHOOP"),
    "disconnect": ("whoop", "disconnect", "log out and revoke the access"),
    "pull": ("whoop", "pull", "fetch what is new (--day YYYY-MM-DD: one full day)"),
    "import": ("whoop", "import", "read a WHOOP data export (folder or ZIP)"),
    "simulate": ("whoop", "simulate", "serve a WHOOP account that does not exist (--data: a real person's)"),
    "status": ("whoop", "status", "the connection to WHOOP and what the record holds"),
    "gaps": ("whoop", "gaps", "nights that are missing, pending, unscorable or not worn"),
    "why": ("whoop", "why", "where a value came from: hrv why 2026-11-21 hrv"),
    "journal": ("journal", None, "speak, type, confirm, undo: hrv journal add|ingest|show|…"),
    "train": ("training", "train", "train, track and register the models"),
    "forecast": ("training", "forecast", "the models' forecasts alone"),
    "explain": ("training", "explain", "where tomorrow's number comes from, in ms that add up"),
    "what-if": ("training", "what-if", "the same forecast with one fact changed: hrv what-if --alcohol 2"),
    "promote": ("training", "promote", "let the challenger take over, if the ledger shows it better"),
    "replay": ("training", "replay", "what would have been said on earlier days"),
    "report": ("intelligence", None, "summaries: hrv report daily|weekly (one page: HTML, PDF)"),
    "alerts": ("intelligence", "alerts", "what is raised (illness, travel, new strap …), how it came out"),
    "effects": (
        "intelligence",
        "effects",
        "what each behaviour goes with, in ms and %, and how sure that is",
    ),
    "experiment": ("intelligence", "experiment", "a coin-flip test of a harmless habit: start|status|result"),
    "reliability": (
        "intelligence",
        "reliability",
        "where predictions succeed and where they fail, on one page",
    ),
    "evidence": ("intelligence", "evidence", "what a number of a report rests on: hrv evidence E12"),
    "agent": ("agent", None, "the language model: hrv agent forecast|show|reading|review|belief"),
    "guess": ("shared", "guess", "your own guess of tomorrow, scored like any other: hrv guess 55..70"),
    "card": ("intelligence", "card", "the card again"),
    "score": ("shared", "score", "enter what came true and score it"),
    "scorecard": ("shared", "scorecard", "how good every forecaster has been"),
    "ledger": ("shared", "ledger", "hrv ledger verify|show"),
    "record": ("shared", "record", "where the record is; take it to PostgreSQL: hrv record status|use|move"),
    "models": ("shared", "models", "model weights: hrv models fetch asr|reader|forecast|llm, status"),
    "settings": ("shared", "settings", "every setting in force"),
    "erase": ("shared", "erase", "remove everything of you from this machine (asks for the words)"),
    "serve": ("whoop", "serve", "the WHOOP room's service"),
    "dashboard": ("dashboard", "serve", "the page"),
}
"""Verb -> room, the room's own verb (None: the rest of the line names it), what it does."""

OWN = {
    "demo": "the whole way with a simulated member, no account needed",
    "up": "the page and the scheduler as one group; --dagster, --mlflow, --status, --stop, --install-service",
    "daily": "the forecast of now: pull, journal, train, forecast, summary, card",
    "due": "which forecast is due, and why; or why none is",
    "backfill": "replay book and reports of past days: hrv backfill 2026-05-01..2026-05-31",
    "graph": "assets, checks, jobs, sensors and schedules, as text",
    "notify": "be told once a day, by choice: hrv notify test|status|send",
    "export": "forecasts as CSV, hubverse files or a calendar: hrv export forecasts --format ics --out FILE; "
    "everything in one ZIP: hrv export all [ZIP]",
    "rebuild": "make every table anew from the record",
    "doctor": "check the store, the ledger, the models, the login",
    "dagster": "Dagster's page for the runs of this store",
    "mlflow": "MLflow's page for the models of this store",
    "bench": "measure a room: hrv bench forecast --data TABLE, hrv bench scale, hrv bench journal --data DIR, "
    "hrv bench whoop, hrv bench schedule, hrv bench step, hrv bench alerts, hrv bench experiments, "
    "hrv bench effects, hrv bench agent --cases FILE",
}


def main(arguments: list[str] | None = None) -> None:
    """Run ``hrv ARGUMENTS``."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        try:
            print(help_text(), flush=True)
        except BrokenPipeError:  # "hrv --help | head" has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    verb, rest = arguments[0], arguments[1:]
    os.environ.update(quiet_environment())
    if verb == "bench" and rest[:1] == ["journal"]:
        verb, rest = "journal", ["bench", *rest[1:]]
    if verb == "bench" and rest[:1] in (["whoop"], ["agent"]):
        command = room_command(rest[0], "bench", *rest[1:])
        os.execve(command[0], command, quiet_environment())
    if verb == "bench" and rest[:1] in (["alerts"], ["experiments"], ["effects"]):
        command = room_command("intelligence", "bench", *rest)
        os.execve(command[0], command, quiet_environment())
    if verb == "bench" and rest[:1] in (["forecast"], ["scale"], ["cohort"]):
        command = room_command("training", "bench", *rest)
        os.execve(command[0], command, quiet_environment())
    if verb == "bench" and rest[:1] in (["schedule"], ["step"]):
        from orchestrator.commands import run_own

        run_own(f"bench-{rest[0]}", rest[1:])
    if verb == "export" and rest[:1] == ["all"]:
        command = room_command("shared", "export", *rest[1:])
        os.execve(command[0], command, quiet_environment())
    if verb in FORWARDED:
        room, own_verb, _ = FORWARDED[verb]
        command = room_command(room, *([own_verb] if own_verb else []), *rest)
        os.execve(command[0], command, quiet_environment())
    if verb not in OWN:
        fail(HrvError(f"{verb!r} is no hrv command. Known ones: {', '.join(sorted((*FORWARDED, *OWN)))}."),
             as_json="--json" in rest)  # fmt: skip
    if verb == "up":
        from orchestrator.up.commands import run_up

        run_up(rest)
    from orchestrator.commands import run_own

    run_own(verb, rest)


def help_text() -> str:
    """What ``hrv --help`` prints."""
    lines = [
        "hrv: tomorrow's heart rate variability, as an honest distribution",
        "",
        "Usage: hrv COMMAND [OPTIONS]",
        "",
    ]
    for title, entries in (
        ("Every day", OWN),
        ("One thing at a time", {v: e[2] for v, e in FORWARDED.items()}),
    ):
        lines += [f"{title}:", *(f"  {verb:12}{what}" for verb, what in entries.items()), ""]
    lines += ["  setup, test, lint   by the launcher itself: the environment, the tests", ""]
    lines += [f"Every command takes --help and --json. Rooms: {', '.join(ROOMS.values())}."]
    return "\n".join(lines)
