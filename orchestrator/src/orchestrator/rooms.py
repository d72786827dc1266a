"""Where a room lives and how its command is run: in that room's own interpreter when it has one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["CHECKOUT", "ROOMS", "quiet_environment", "room_command"]

ROOMS = {
    "shared": "hrv_shared",
    "whoop": "whoop_api_client",
    "journal": "journal_analysis",
    "training": "model_training",
    "intelligence": "data_intelligence",
    "agent": "llm_agent",
    "dashboard": "dashboard",
}
"""Short name of a room -> the package that its command is started by."""

_FOLDER = {"hrv_shared": "shared"}
CHECKOUT = Path(__file__).resolve().parents[3]


def room_command(room: str, *arguments: str) -> list[str]:
    """The command line of a room's verb."""
    package = ROOMS[room]
    own = CHECKOUT / _FOLDER.get(package, package) / ".venv" / "bin" / "python"
    return [str(own) if own.exists() else sys.executable, "-m", package, *arguments]


def quiet_environment(base: dict[str, str] | None = None) -> dict[str, str]:
    """The environment with every third party's telemetry off, and no hub but for a download that was asked for."""
    return {
        **(os.environ if base is None else base),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONUNBUFFERED": "1",
    }
