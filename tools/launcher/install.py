"""Make or mend the environments: with uv where it is installed, else with venv and pip.

All messages go to stderr, because the command that follows may promise JSON on stdout. Every package is checked
against the hash in the lock and comes as a wheel: nothing is compiled and no third-party build code runs.
"""

import contextlib
import fcntl
import os
import platform
import shutil
import sys
import time

from launcher import stamp
from launcher.installers import Failed, choose_installer
from launcher.stamp import ROOT, Environment

SETUP = os.path.join(ROOT, ".venv-setup")
"""Lock file, download cache and temporary files while an installation runs."""
NEWEST_TESTED = (3, 14)
# Measured on Linux x86-64, Python 3.11 (sum of the wheels; du of the environment with its bytecode).
DOWNLOAD_MB = {"all rooms": 0}
DISK_MB = {"all rooms": 0}


def setup(arguments):
    """Carry out `./hrv setup [--isolated] [--pip]`; return the exit code."""
    unknown = set(arguments) - {"--isolated", "--pip"}
    if unknown:
        say(f"expected --isolated and/or --pip, found {' '.join(sorted(unknown))}. See ./hrv --help")
        return 2
    if "--isolated" in arguments:
        wanted = [stamp.isolated(room) for room in stamp.ROOMS]
    else:
        wanted = [stamp.together()]
    return refresh(wanted, use_uv="--pip" not in arguments, report_fresh=True)


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
    download = sum(DOWNLOAD_MB.get(env.name, 0) for env in environments)
    disk = sum(DISK_MB.get(env.name, 0) for env in environments)
    say(
        f"making {len(environments)} Python environment(s) with {installer.name}, once; nothing outside this folder "
        f"is written. To download: about {download} MB; on disk: about {disk / 1000:.1f} GB."
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
        say("the last installation did not finish; starting over.")
        shutil.rmtree(env.folder, ignore_errors=True)
    with open(unfinished, "w", encoding="utf-8"):
        pass
    with contextlib.suppress(FileNotFoundError):
        os.remove(env.stamp)
    if not _is_usable(env):
        shutil.rmtree(env.folder, ignore_errors=True)
        say(f"{env.name}: new environment in {os.path.relpath(env.folder, ROOT)} (Python {platform.python_version()})")
        installer.create(env)
    say(f"{env.name}: packages from {os.path.relpath(env.lock, ROOT)}")
    installer.install_lock(env)
    say(f"{env.name}: our own code, in place: {', '.join(env.rooms)}")
    installer.install_rooms(env)
    fingerprint = stamp.fingerprint(env)
    with open(env.stamp + ".new", "w", encoding="utf-8") as file:
        file.write(fingerprint + "\n")
    os.replace(env.stamp + ".new", env.stamp)
    os.remove(unfinished)


def _is_usable(env):
    """An environment is kept and brought up to date when its Python starts, fits, and finds its own packages."""
    import subprocess

    probe = "import sys, sysconfig, os; p = sysconfig.get_path('purelib'); print(sys.version_info >= (3, 11) and os.path.isdir(p), sys.prefix)"
    try:
        answer = subprocess.run([env.python, "-I", "-c", probe], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    # A moved checkout leaves scripts that name the old place: only a new environment mends them.
    return answer.strip() == f"True {os.path.realpath(env.folder)}"


def _check_machine(environments):
    for env in environments:
        for path in (env.lock, *(os.path.join(ROOT, room, "pyproject.toml") for room in env.rooms)):
            if not os.path.exists(path):
                raise Failed(f"expected the file {os.path.relpath(path, ROOT)}, found none. Is the checkout complete? Try: git status")
    needed_mb = sum(DISK_MB.get(env.name, 0) + DOWNLOAD_MB.get(env.name, 0) for env in environments)
    free_mb = shutil.disk_usage(ROOT).free // 1_000_000
    if free_mb < needed_mb:
        raise Failed(f"expected about {needed_mb} MB of free disk in {ROOT}, found {free_mb} MB. Make room and run it again.")
    if sys.platform == "darwin" and (platform.machine() == "x86_64" or int(platform.mac_ver()[0].split(".")[0]) < 14):
        say("note: some packages have no prebuilt macOS version before macOS 14 or for Intel Macs; this may fail.")
    newest = (3, 13) if sys.platform == "darwin" else NEWEST_TESTED
    if sys.version_info[:2] > newest:
        say(f"note: this Python is newer than {newest[0]}.{newest[1]}, the newest that all packages are known to have.")


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
    print(f"hrv: {text}", file=sys.stderr, flush=True)
