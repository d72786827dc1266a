"""A PostgreSQL of Debian's, for one test run: on a Unix socket only, in a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["missing", "server"]

PROGRAMS = ("initdb", "pg_ctl", "postgres")


def missing() -> str:
    """Why no server can be started here, or nothing."""
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        return f"{', '.join(absent)} not installed here (Debian: apt install postgresql)"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL does not run as root, and there is no setpriv to become somebody else"
    return ""


@contextmanager
def server() -> Iterator[str]:
    """Yield its dsn."""
    folder = Path(
        tempfile.mkdtemp(prefix="hrv-pg-", dir="/tmp")
    )  # short: a socket's path has at most 107 bytes
    data, as_whom = folder / "data", []
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_whom = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    quick = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    options = f"-k {folder} -c listen_addresses= -c max_connections=60 {quick}"
    _run([*as_whom, _program("initdb"), "-D", data, "-U", "hrv", "-A", "trust", "-E", "UTF8", "--no-sync",
          "--locale=C.UTF-8"])  # fmt: skip
    _run([*as_whom, _program("pg_ctl"), "-D", data, "-l", folder / "log", "-o", options, "-w", "start"])
    try:
        yield f"host={folder} user=hrv dbname=postgres"
    finally:
        _run([*as_whom, _program("pg_ctl"), "-D", data, "-m", "immediate", "stop"])
        shutil.rmtree(folder)


def _program(name: str) -> str | None:
    found = shutil.which(name)
    if found:
        return found
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(versions[-1]) if versions else None


def _run(command: list) -> None:
    done = subprocess.run(list(map(str, command)), cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
