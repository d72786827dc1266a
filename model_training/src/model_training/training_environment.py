"""What a training ran in: Python, package versions, the digest of the lock file, the commit where there is one."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

__all__ = ["training_environment"]

HERE = Path(__file__).resolve().parent
LOCK = "requirements.lock"


def training_environment() -> dict[str, Any]:
    """Python, system, packages (name -> version), lock_sha256 and git_commit (null where there is none)."""
    packages = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"]}
    return {
        "python": platform.python_version(), "implementation": platform.python_implementation(),
        "system": platform.system(), "machine": platform.machine(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
        "lock_sha256": _lock_digest(), **_commit(),
    }  # fmt: skip


def _lock_digest() -> str | None:
    """Of the nearest lock file above this package; an installed wheel has none."""
    for folder in HERE.parents[:4]:
        path = folder / LOCK
        if path.is_file():
            return hashlib.sha256(path.read_bytes()).hexdigest()
    return None


def _commit() -> dict[str, Any]:
    """The commit that holds this very file: an environment that lies in somebody else's checkout is not one."""
    if _git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return {"git_commit": None, "git_changed": None}
    return {
        "git_commit": _git("rev-parse", "HEAD"),
        "git_changed": bool(_git("status", "--porcelain", "--untracked-files=no", "--", ".")),
    }


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(HERE), *arguments], capture_output=True, text=True, timeout=5, check=False
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
