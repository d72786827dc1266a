"""Ends groups of processes, and tells how much memory a process and its descendants hold."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["end_group_of", "end_groups", "memory_mb", "started_at"]

_LOOK_S = 0.05
_KILLED_WITHIN_S = 5.0


def end_groups(processes: Sequence[subprocess.Popen[bytes]], grace_s: float) -> None:
    """Ask every process group to end, wait, and kill what is left of them after ``grace_s``."""
    for process in processes:
        _signal_group(process.pid, signal.SIGTERM)
    until = time.monotonic() + grace_s
    for process in processes:
        try:
            process.wait(max(until - time.monotonic(), _LOOK_S))
        except subprocess.TimeoutExpired:
            pass
    while time.monotonic() < until and any(_group_lives(p.pid) for p in processes):
        time.sleep(_LOOK_S)
    for process in processes:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
    until = time.monotonic() + _KILLED_WITHIN_S
    while time.monotonic() < until and any(_group_lives(p.pid) for p in processes):
        time.sleep(_LOOK_S)


def end_group_of(pid: int, grace_s: float) -> None:
    """The same for a group whose leader is no child of ours."""
    _signal_group(pid, signal.SIGTERM)
    until = time.monotonic() + grace_s
    while time.monotonic() < until and started_at(pid) is not None:
        time.sleep(_LOOK_S)
    _signal_group(pid, signal.SIGKILL)


def started_at(pid: int) -> str | None:
    """When a process began, in the system's own form; a number that was given anew has another. None: it is gone."""
    try:
        about = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else _ps("lstart", pid)
    state, *rest = about.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]


def memory_mb(pid: int) -> float | None:
    """Resident memory of a process with all its descendants, shared pages counted once for each. None: it is gone."""
    table = _processes()
    if pid not in table:
        return None
    family, total = [pid], 0
    while family:
        current = family.pop()
        total += table[current][1]
        family += [child for child, (parent, _) in table.items() if parent == current]
    return round(total / 1000, 1)


def _processes() -> dict[int, tuple[int, int]]:
    """Every process: its parent and its resident memory in kB."""
    table: dict[int, tuple[int, int]] = {}
    if Path("/proc/self/status").exists():
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and (about := _status(folder)) is not None:
                table[int(folder.name)] = about
        return table
    lines = subprocess.run(
        ["ps", "-Ao", "pid=,ppid=,rss="], capture_output=True, text=True, check=True
    ).stdout
    for line in lines.splitlines():
        pid, parent, kilobytes = (int(part) for part in line.split())
        table[pid] = (parent, kilobytes)
    return table


def _status(folder: Path) -> tuple[int, int] | None:
    try:
        lines = (folder / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(told["PPid"]), int(told.get("VmRSS", "0 kB").split()[0])


def _ps(column: str, pid: int) -> str | None:
    found = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def _signal_group(leader: int, which: int) -> None:
    try:
        os.killpg(leader, which)
    except (ProcessLookupError, PermissionError):
        pass


def _group_lives(leader: int) -> bool:
    """Whether a process of the group runs; one that has ended and waits to be noticed by its parent does not."""
    if Path("/proc/self/stat").exists():
        return any(_runs_in(folder, leader) for folder in Path("/proc").iterdir() if folder.name.isdecimal())
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):  # macOS refuses where all that is left has ended
        return False
    return True


def _runs_in(folder: Path, leader: int) -> bool:
    try:
        about = (folder / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    state, _parent, group, *_ = about.rpartition(")")[2].split()
    return int(group) == leader and state not in "ZX"
