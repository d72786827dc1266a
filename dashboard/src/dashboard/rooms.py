"""How the page reaches the other rooms: quick public verbs in this process, slow ones as commands of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from dashboard.errors import BadRequest, RoomMissing
from hrv_shared.settings import Settings

__all__ = ["ask_room", "environment_of", "room_command", "verb"]

WAIT_S = 60
HOUSE = Path(__file__).resolve().parents[3]


def verb(room: str, name: str) -> Any:
    """A public verb of a room.

    Raises
    ------
    RoomMissing
        The room is not installed beside this one, or has no such verb.
    """
    try:
        return getattr(import_module(room), name)
    except ModuleNotFoundError as error:
        if error.name != room:
            raise
    except AttributeError:
        pass
    raise RoomMissing(f"The page needs {name} of the room {room}. Install it beside: pip install ../{room}")


def room_command(room: str, *arguments: str) -> list[str]:
    """The command line of a room's command, in that room's own interpreter when it has one."""
    folder = "shared" if room == "hrv_shared" else room
    own = HOUSE / folder / ".venv" / "bin" / "python"
    return [str(own) if own.exists() else sys.executable, "-m", room, *arguments]


def ask_room(environment: dict[str, str], room: str, *arguments: str) -> dict[str, Any]:
    """What a room's quick command answers (its ``--json``).

    Raises
    ------
    BadRequest
        What the command says of its failure, or that it took too long.
    """
    command = room_command(room, *arguments, "--json")
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WAIT_S,
            check=False,
        )
        told = json.loads(done.stdout or b"{}")
    except subprocess.TimeoutExpired:
        raise BadRequest(f"{room} {arguments[0]} gave no answer within {WAIT_S} s. Try again.") from None
    except ValueError:
        told, done.returncode = {}, done.returncode or 1
    if done.returncode != 0:
        raise BadRequest(
            told.get("error", {}).get("message") or f"{room} {arguments[0]} failed. Run it in a terminal."
        )
    return told


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which a room's command has exactly these settings, and nobody's telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HRV_")}
    values = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            values[f"HRV_{name.upper()}"] = str(value)
    quiet = {
        "DAGSTER_DISABLE_TELEMETRY": "yes", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    return kept | values | quiet
