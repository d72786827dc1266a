"""What runs, written down in the store: ``up.json`` for `--status` and the page, ``up.lock`` against a second."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.errors import UpFailed
from orchestrator.up.process_tree import end_group_of, memory_mb, started_at
from orchestrator.up.supervising import GRACE_S, Child

__all__ = ["end_leftovers", "forget", "held_alone", "status_of", "write_down"]

STATE, LOCK = "up.json", "up.lock"


@contextmanager
def held_alone(home: Path) -> Iterator[None]:
    """Hold the store's group for this process.

    Raises
    ------
    UpFailed
        Another process holds it.
    """
    lock = os.open(home / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UpFailed(
            "hrv up runs already for this store. See it with: hrv up --status; end it with: hrv up --stop"
        ) from None
    else:
        yield
    finally:
        os.close(lock)


def write_down(home: Path, children: Sequence[Child], *, port: int) -> None:
    """Write what runs now."""
    described = {
        child.spec.name: {
            "state": child.state,
            "pid": child.process.pid if child.process else None,
            "began": started_at(child.process.pid) if child.process else None,
            "restarts": child.restarts,
            "last_exit": child.last_exit,
        }
        for child in children
    }
    mounts = {child.spec.name: str(child.spec.socket) for child in children if child.spec.socket}
    told = {
        "pid": os.getpid(), "began": started_at(os.getpid()), "written_at": datetime.now(UTC).isoformat(),
        "port": port, "children": described, "mounts": mounts,
    }  # fmt: skip
    half = home / f"{STATE}.{os.getpid()}"
    half.write_text(json.dumps(told, indent=1), encoding="utf-8")
    half.chmod(0o600)
    os.replace(half, home / STATE)


def forget(home: Path) -> None:
    """Nothing runs any more."""
    (home / STATE).unlink(missing_ok=True)


def end_leftovers(home: Path) -> list[str]:
    """End what a group that was killed left behind; the caller holds the store's group. Returns their names."""
    ended = []
    for name, child in _read(home).get("children", {}).items():
        pid = child.get("pid")
        if pid and child.get("began") is not None and started_at(pid) == child["began"]:
            end_group_of(pid, GRACE_S)
            ended.append(name)
    forget(home)
    return ended


def status_of(home: Path) -> dict[str, Any]:
    """What runs: whether the group does, and each process with its state, restarts and resident memory in MB."""
    told = _read(home)
    if not told or started_at(told["pid"]) != told["began"]:
        return {"running": False, "children": {}, "memory_mb": 0.0}
    children = {
        name: {
            **{key: child[key] for key in ("state", "pid", "restarts", "last_exit")},
            "memory_mb": memory_mb(child["pid"]) if child["pid"] else None,
        }
        for name, child in told["children"].items()
    }
    return {
        "running": True, "pid": told["pid"], "address": f"http://localhost:{told['port']}/",
        "pages": [f"/{name}" for name in told["mounts"]], "children": children, "memory_mb": memory_mb(told["pid"]),
    }  # fmt: skip


def _read(home: Path) -> dict[str, Any]:
    try:
        told = json.loads((home / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return (
        told if isinstance(told, dict) and {"pid", "began", "port", "children", "mounts"} <= set(told) else {}
    )
