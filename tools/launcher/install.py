"""Make or mend the environments: with uv where it is installed, else with venv and pip.

All messages go to stderr, because the command that follows may promise JSON on stdout. Every package is checked
against the hash in the lock and comes as a wheel: nothing is compiled and no third-party build code runs.
"""

import contextlib
import fcntl
import os
import platform
import shutil
import subprocess
import sys
import time

from launcher import stamp
from launcher.installers import Failed, choose_installer
from launcher.stamp import ROOT, Environment

SETUP = os.path.join(ROOT, ".venv-setup")
"""Lock file, download cache and temporary files while an installation runs."""
NEWEST_PYTHON = (3, 14)
"""The newest for which the lock has wheels throughout (on macOS: 3.13)."""
# Measured on Linux x86-64 with Python 3.11: the sum of all wheels, and du of the environments with their bytecode.
DOWNLOAD_MB = 445
TOGETHER_MB = 1700
ISOLATED_MB = 650
"""The mean of the eight with pip; uv links equal files, which makes it 280."""


def setup(arguments):
    """Carry out `./hrv setup [--pip] [--isolated [ROOM ...]]`; return the exit code."""
    flags = {argument for argument in arguments if argument.startswith("-")}
    rooms = [argument.rstrip("/") for argument in arguments if argument not in flags]
    unknown = sorted((flags - {"--isolated", "--pip"}) | (set(rooms) - set(stamp.ROOMS)))
    if unknown or (rooms and "--isolated" not in flags):
        say(
            f"expected [--pip] [--isolated [ROOM ...]] with rooms among {', '.join(stamp.ROOMS)}; "
            f"found {' '.join(unknown or rooms)}. See ./hrv --help"
        )
        return 2
    if "--isolated" in flags:
        wanted = [stamp.isolated(room) for room in rooms or stamp.ROOMS]
    else:
        wanted = [stamp.together()]
    return refresh(wanted, use_uv="--pip" not in flags, report_fresh=True)


def refresh(wanted=None, *, use_uv=True, report_fresh=False):
    """Bring environments up to date, one launcher at a time; return the exit code.

    Parameters
    ----------
    wanted : list of Environment, optional
        Default: those that exist or are needed, and are stale.
    """
    try:
        with _only_launcher():
            stale = [env for env in wanted or stamp.stale() if not stamp.is_fresh(env)]
            if stale:
                _check_machine(stale)
                _make_all(stale, choose_installer(use_uv, SETUP))
            elif report_fresh:
                say("the environment is up to date.")
        return 0
    except Failed as failure:
        say(str(failure))
        return 1
    except KeyboardInterrupt:
        say("interrupted. Run the command again: it starts over, what was downloaded is kept.")
        return 130


def _make_all(environments, installer):
    where = ", ".join(os.path.relpath(env.folder, ROOT) for env in environments)
    say(
        f"making the Python environment with {installer.name} in {where}; nothing outside this folder is written."
    )
    if download_mb := _download_mb(environments):
        say(
            f"to download: about {download_mb} MB of packages; on disk: up to {_disk_mb(environments) / 1000:.1f} GB."
        )
    started = time.monotonic()
    for env in environments:
        _make(env, installer)
    # Kept after a failure, so that the next try need not download again; needed no more after a success.
    for leftover in ("cache", "tmp"):
        shutil.rmtree(os.path.join(SETUP, leftover), ignore_errors=True)
    say(f"done in {time.monotonic() - started:.0f} s.")


def _make(env: Environment, installer):
    unfinished = os.path.join(SETUP, f"unfinished-{env.name.replace(' ', '-')}")
    if os.path.exists(unfinished):
        say("the last installation was cut off; starting over.")
        shutil.rmtree(env.folder, ignore_errors=True)
    usable = _is_usable(env)
    with open(unfinished, "w", encoding="utf-8"):
        pass
    try:
        _fill(env, installer, new=not usable)
    except Failed:
        # A named failure (no network, say) leaves the packages of an older environment whole; a kill may not.
        if usable:
            os.remove(unfinished)
        raise
    os.remove(unfinished)


def _fill(env, installer, *, new):
    with contextlib.suppress(FileNotFoundError):
        os.remove(env.stamp)
    if new:
        shutil.rmtree(env.folder, ignore_errors=True)
        place, python = os.path.relpath(env.folder, ROOT), platform.python_version()
        say(f"{env.name}: new environment in {place} (Python {python})")
        installer.create(env)
    say(f"{env.name}: packages from {os.path.relpath(env.lock, ROOT)}")
    installer.install_lock(env)
    say(f"{env.name}: our own code, in place: {', '.join(env.rooms)}")
    installer.install_rooms(env)
    stamp.write(env)


def _is_usable(env):
    """Tell whether an environment can be brought up to date; where not, a new one takes its place."""
    # In a moved checkout the scripts name the old place.
    if stamp.made_in(env) not in (None, env.folder):
        return False
    # After an upgrade of the system's Python the packages lie where the new one does not look.
    packages = os.path.join(env.folder, "lib", "python%d.%d", "site-packages")
    probe = "import os, sys; sys.exit(not os.path.isdir(sys.argv[1] % sys.version_info[:2]))"
    try:
        return subprocess.call([env.python, "-I", "-c", probe, packages], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def _check_machine(environments):
    for env in environments:
        for path in stamp.inputs(env):
            if not os.path.exists(path):
                missing = os.path.relpath(path, ROOT)
                raise Failed(
                    f"expected the file {missing}, found none. Is the checkout complete? Try: git status"
                )
    needed_mb = _download_mb(environments) + _disk_mb(environments)
    free_mb = shutil.disk_usage(ROOT).free // 1_000_000
    if free_mb < needed_mb:
        raise Failed(
            f"expected about {needed_mb} MB of free disk in {ROOT}, found {free_mb} MB. Make room first."
        )
    macos = int(platform.mac_ver()[0].partition(".")[0] or 0) if sys.platform == "darwin" else None
    if macos and (macos < 14 or platform.machine() == "x86_64"):
        say("note: some packages are not made for Intel Macs or for macOS before 14; this may fail.")
    newest = (3, 13) if macos else NEWEST_PYTHON
    if sys.version_info[:2] > newest:
        say(
            f"note: some packages may not be made for Python above {newest[0]}.{newest[1]} yet; this may fail."
        )


def _download_mb(environments):
    # Environments share what was downloaded; those that exist need little.
    return 0 if all(os.path.isdir(env.folder) for env in environments) else DOWNLOAD_MB


def _disk_mb(environments):
    new = [env for env in environments if not os.path.isdir(env.folder)]
    return sum(TOGETHER_MB if env.folder == stamp.together().folder else ISOLATED_MB for env in new)


@contextlib.contextmanager
def _only_launcher():
    """Hold the lock of this checkout. The system frees it when the last process of an installation ends."""
    os.makedirs(SETUP, exist_ok=True)
    # Inheritable: a pip that outlives its killed launcher keeps the lock, so that no second one writes beside it.
    descriptor = os.open(os.path.join(SETUP, "lock"), os.O_CREAT | os.O_RDWR, 0o644)
    os.set_inheritable(descriptor, True)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another ./hrv is making the environment; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def say(text):
    """Tell the user."""
    print(f"hrv: {text}", file=sys.stderr, flush=True)
