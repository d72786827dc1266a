"""Which processes `hrv up` runs, and how each is started."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.rooms import room_command

__all__ = ["EXTRA_PAGES", "ChildSpec", "children_of"]

EXTRA_PAGES = ("dagster", "mlflow")
"""Served on a Unix socket that only this user can open; the page's gate lets them through under their names."""


@dataclass(frozen=True)
class ChildSpec:
    """One process of the group.

    Attributes
    ----------
    shows : bool
        What it prints goes to the terminal and into no file: the page prints an address that carries a key.
    socket : Path, optional
        Where it serves.
    """

    name: str
    command: Sequence[str]
    shows: bool = False
    socket: Path | None = None


def children_of(home: Path, sockets: Path, *, port: int, extra: Sequence[str] = ()) -> list[ChildSpec]:
    """The page, the scheduler, and the pages of ``extra``.

    Parameters
    ----------
    sockets : Path
        A folder of mode 0700 with a short name: the path of a Unix socket has at most 107 bytes.
    """
    own = [sys.executable, "-m"]
    specs = [
        ChildSpec("page", room_command("dashboard", "serve", "--port", str(port)), shows=True),
        ChildSpec("scheduler", [*own, "orchestrator.up.scheduler"]),
    ]
    if "dagster" in extra:
        socket = sockets / "dagster.sock"
        specs.append(ChildSpec("dagster", [*own, "orchestrator.up.dagster_page", str(socket)], socket=socket))
    if "mlflow" in extra:
        socket = sockets / "mlflow.sock"
        command = [
            room_command("training")[0], "-m", "mlflow", "server", "--workers", "1", "--static-prefix", "/mlflow",
            "--uvicorn-opts", f"--uds {socket} --log-level warning",
            "--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}",
            "--artifacts-destination", str(home / "mlartifacts"),
        ]  # fmt: skip
        specs.append(ChildSpec("mlflow", command, socket=socket))
    return [ChildSpec(s.name, _tied(s.command), s.shows, s.socket) for s in specs]


def _tied(command: Sequence[str]) -> list[str]:
    """The command so that it ends when its parent is killed, where the system can do that (util-linux)."""
    setpriv = shutil.which("setpriv")
    return (
        [setpriv, "--pdeathsig", "TERM", *command] if setpriv and sys.platform == "linux" else list(command)
    )
