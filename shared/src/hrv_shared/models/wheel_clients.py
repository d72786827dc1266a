"""Programs that can fetch hash-pinned wheels on this machine: pip in one of its hiding places, else uv.

An environment made by uv has no pip of its own, one made by ``python -m venv`` has. So, in this order:
pip of this interpreter; the pip wheel that Python carries for ``ensurepip``, run without installing it; uv;
pip of the interpreter that the environment was made from; pip on the PATH. All of them read the user's own
index settings, and the pieces are wheels for any platform, so that any pip will do.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["WheelClient", "available_clients"]


@dataclass(frozen=True)
class WheelClient:
    """One way to fetch wheels; ``unpacks`` when it leaves installed packages instead of wheel files."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    unpacks: bool = False

    def fetch_command(self, pin_file: Path, folder: Path) -> list[str]:
        """Command that puts the pinned wheels into ``folder`` and refuses any other bytes."""
        pinned = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(pin_file)]
        if self.unpacks:
            return [*self.command, *pinned, "--target", str(folder), "--no-cache", "--link-mode", "copy"]
        quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        # without its cache pip would not keep a second copy of a gigabyte in the user's home
        return [*self.command, "download", *pinned, "-d", str(folder), "--no-cache-dir", *quiet]


def available_clients() -> list[WheelClient]:
    """Every client found, best first; empty when there is neither pip nor uv."""
    return [client for client in (_own_pip(), _carried_pip(), _uv(), _base_pip(), _path_pip()) if client]


def _own_pip() -> WheelClient | None:
    if importlib.util.find_spec("pip") is None:
        return None
    return WheelClient("pip of this environment", (sys.executable, "-m", "pip"))


def _carried_pip() -> WheelClient | None:
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or spec.origin is None:
        return None
    wheels = sorted((Path(spec.origin).parent / "_bundled").glob("pip-*.whl"))
    if not wheels:
        return None
    return WheelClient(
        "pip carried by Python", (sys.executable, "-m", "pip"), environment={"PYTHONPATH": str(wheels[-1])}
    )


def _uv() -> WheelClient | None:
    path = os.environ.get("UV") or shutil.which("uv")
    return (
        WheelClient("uv", (path, "pip", "install", "--python", sys.executable), unpacks=True)
        if path
        else None
    )


def _base_pip() -> WheelClient | None:
    base = Path(sys.base_prefix) / "bin" / "python3"
    if sys.prefix == sys.base_prefix or not base.exists():
        return None
    return WheelClient("pip of the base Python", (str(base), "-m", "pip"))


def _path_pip() -> WheelClient | None:
    path = shutil.which("pip3") or shutil.which("pip")
    return WheelClient("pip on the PATH", (path,)) if path else None
