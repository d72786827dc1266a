"""``hrv demo``: the whole way with a member who does not exist, through the same rooms as a real one.

The simulator is a real HTTP server in a process of its own; the login walks the real OAuth2 code flow; the store, the
tokens and the forecasts are the demo's own and never touch yours. The simulated member lives where it is evening now.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from hrv_shared.cli import say
from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store, write_bytes_atomic
from orchestrator.daily import run_graph
from orchestrator.errors import DemoFailed
from orchestrator.rooms import CHECKOUT, quiet_environment, room_command

__all__ = ["run_demo"]

MARKER = ".hrv-demo"
MEMBER = "demo"
TODAY = {
    "alcohol_drinks": 2, "training": "hard", "training_minutes": 60, "caffeine_servings": 2, "stress_1to5": 2,
    "illness": False, "late_meal": False, "travel": False, "magnesium": False,
}  # fmt: skip
"""What the shipped recording says; the simulated member really does it, so that the coming night is true to it."""


def run_demo(*, nights: int, seed: int, home: Path | None) -> tuple[dict[str, Any], str]:
    """Run the demo in a fresh store of its own.

    Returns
    -------
    result : dict
        Steps, seconds and the card as JSON values.
    text : str
        The card and where to look further.
    """
    settings = load_settings()
    home = _fresh_home((home or settings.home / "demo").expanduser().absolute(), settings)
    _have_models(settings)
    with _simulator(nights, seed) as ready:
        environment = _environment(home, settings, ready)
        _fill_inbox(Store(home), ready)
        run = run_graph(home, environment=environment, connection=["connect", "--auto"], reports=False)
    card = _card(environment)
    result = {**run.describe(), "home": str(home), "card": card}
    return result, "\n".join([run.card, "", *_where_to_look(home)])


def _fresh_home(home: Path, settings: Settings) -> Path:
    if home.exists() and any(home.iterdir()) and not (home / MARKER).exists():
        raise DemoFailed(f"{home} holds something that is not a demo. Choose another folder with --keep.")
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(_tokens(settings), ignore_errors=True)
    Store(home)
    write_bytes_atomic(home / MARKER, b"made by hrv demo; made anew by the next one\n")
    return home


def _tokens(settings: Settings) -> Path:
    """The demo's tokens: outside its store, away from real ones, worthless once the simulator has gone."""
    return settings.config_dir / "demo"


def _have_models(settings: Settings) -> None:
    """Fetch what is missing; without the language model the demo goes on and its agent refuses visibly."""
    wanted = ["forecast"] + ([settings.asr_model] if settings.asr_model_path is None else [])
    if settings.llm_backend == "embedded" and settings.llm_model_path is None:
        wanted.append(settings.llm_model)
    for name in wanted if settings.allow_download else []:
        command = room_command("shared", "models", "fetch", name)
        finished = subprocess.run(command, env=quiet_environment(), stdout=subprocess.DEVNULL, check=False)
        if finished.returncode != 0:
            say(f"! The model ({name}) could not be fetched; the steps that need it will say so.")


@contextmanager
def _simulator(nights: int, seed: int) -> Iterator[dict[str, str]]:
    command = room_command("whoop", "simulate", "--port", "0", "--seed", str(seed), "--nights", str(nights),
                           "--today", json.dumps(TODAY), "--json")  # fmt: skip
    process = subprocess.Popen(
        command, env=quiet_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        if not line:
            raise DemoFailed(
                f"The WHOOP simulator did not start (code {process.wait(10)}); its words stand above."
            )
        ready = json.loads(line)
        say(f"WHOOP simulator at {ready['base_url']}: {nights} nights of a member who does not exist")
        yield ready
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _environment(home: Path, settings: Settings, ready: dict[str, str]) -> dict[str, str]:
    return {
        "HRV_HOME": str(home),
        "HRV_MEMBER_ID": MEMBER,
        "HRV_CONFIG_DIR": str(_tokens(settings)),
        "HRV_TOKEN_STORE": "file",
        "HRV_WHOOP_API_BASE": ready["api_base"],
        "HRV_WHOOP_AUTH_BASE": ready["auth_base"],
        "HRV_WHOOP_CLIENT_ID": ready["client_id"],
        "HRV_WHOOP_CLIENT_SECRET": ready["client_secret"],
    }


def _fill_inbox(store: Store, ready: dict[str, str]) -> None:
    """Past evenings as typed notes, tonight as a recording."""
    notes = httpx.get(f"{ready['base_url']}/_sim/journal", timeout=30).raise_for_status().json()["notes"]
    tonight = max(note["day"] for note in notes)  # is spoken, not typed
    lines = [
        json.dumps({"recorded_at": note["recorded_at"], "text": note["text"]})
        for note in notes
        if note["day"] != tonight
    ]
    write_bytes_atomic(store.folder("inbox") / "past-evenings.jsonl", ("\n".join(lines) + "\n").encode())
    note = CHECKOUT / "journal_analysis" / "src" / "journal_analysis" / "data" / "demo_note.flac"
    if not note.exists():
        raise DemoFailed(f"The demo's spoken note {note} is missing. Check out the whole repository.")
    write_bytes_atomic(store.folder("inbox") / note.name, note.read_bytes())


def _card(environment: dict[str, str]) -> dict[str, Any]:
    command = room_command("intelligence", "card", "--json")
    finished = subprocess.run(
        command, env={**quiet_environment(), **environment}, stdout=subprocess.PIPE, text=True, check=False
    )
    return json.loads(finished.stdout)


def _where_to_look(home: Path) -> list[str]:
    at = f"HRV_HOME={home} HRV_MEMBER_ID={MEMBER}"
    return [
        "Everything here comes from a simulated member: it shows that the way works, not how your heart behaves.",
        "Look further:",
        f"  summary, plots   {home / 'reports' / 'daily'}",
        f"  the page         {at} ./hrv dashboard",
        f"  every score      {at} ./hrv scorecard",
        f"  models           {at} ./hrv mlflow     (MLflow, http://127.0.0.1:5070)",
        f"  runs             {at} ./hrv dagster    (Dagster, http://127.0.0.1:3070)",
        "With your own data: ./hrv import EXPORT.zip && ./hrv daily, or ./hrv connect && ./hrv daily",
    ]
