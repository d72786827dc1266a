"""The two ways to fill an environment, with the same four verbs: uv, and venv with pip."""

import os
import re
import shutil
import subprocess
import sys

from launcher.stamp import ROOT


class Failed(Exception):
    """An installation that cannot go on; the message says what to do."""


def choose_installer(use_uv, setup_folder):
    """Return uv where it is on PATH (and wanted), else pip."""
    uv = shutil.which("uv") if use_uv else None
    return Uv(uv, setup_folder) if uv else Pip(setup_folder)


class Uv:
    """Fast: parallel downloads, hard links out of its cache."""

    name = "uv"

    def __init__(self, uv, setup_folder):
        self.uv = uv
        self.environ = _environ(setup_folder, "UV_CACHE_DIR")

    def create(self, env):
        self._run(
            "venv", "--quiet", "--no-project", "--no-python-downloads", "--python", sys.executable, env.folder
        )

    def install_lock(self, env):
        self._run(
            "pip", "sync", "--python", env.python, "--require-hashes", "--only-binary", ":all:", "--compile-bytecode",
            env.lock,
        )  # fmt: skip

    def install_rooms(self, env):
        self._run(
            "pip", "install", "--quiet", "--python", env.python, "--no-deps", "--no-build-isolation", "--reinstall",
            *_editable(env),
        )  # fmt: skip

    def _run(self, *arguments):
        # On stderr uv shows its own progress: bars on a terminal, lines elsewhere.
        quiet = {"stdin": subprocess.DEVNULL, "stdout": sys.stderr}
        code = subprocess.call([self.uv, *arguments], cwd=ROOT, env=self.environ, close_fds=False, **quiet)
        if code:
            raise Failed(
                f"uv {arguments[0]} ended with code {code}; its message stands above. Check the network and run it "
                "again; ./hrv setup --pip does it without uv."
            )


class Pip:
    """What every Python brings along, or nearly."""

    name = "pip"

    def __init__(self, setup_folder):
        self.environ = _environ(setup_folder, "PIP_CACHE_DIR")
        self.environ.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0", PIP_NO_INPUT="1")

    def create(self, env):
        with_pip = _has_module("ensurepip")
        if not with_pip and not _has_module("pip"):
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise Failed(
                f"expected uv, or a Python that can make environments, found neither: {sys.executable} has no "
                f"ensurepip and no pip. Install one and run it again: Debian or Ubuntu: sudo apt install "
                f"python{version}-venv; elsewhere: install uv, or Python from its own site."
            )
        self._run([sys.executable, "-m", "venv", *([] if with_pip else ["--without-pip"]), env.folder])

    def install_lock(self, env):
        with open(env.lock, encoding="utf-8") as file:
            names = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(?!.*(?:win32|emscripten)' )", file.read(), re.MULTILINE)
        self._run(
            [
                *self._pip(env),
                "install",
                "--no-deps",
                "--require-hashes",
                "--only-binary=:all:",
                "-r",
                env.lock,
            ],
            _Counter(len(set(names))),
        )

    def install_rooms(self, env):
        self._run(
            [*self._pip(env), "install", "--quiet", "--no-deps", "--no-build-isolation", *_editable(env)]
        )

    def _pip(self, env):
        if os.path.exists(os.path.join(env.folder, "bin", "pip")):
            return [env.python, "-m", "pip"]
        # Plain Debian: its pip can work on another environment (--python, since pip 22.3).
        return [sys.executable, "-m", "pip", "--python", env.python]

    def _run(self, command, show=lambda line: None):
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", close_fds=False,
        )  # fmt: skip
        with process:
            lines = []
            for line in process.stdout:
                lines.append(line)
                show(line)
        if process.returncode:
            sys.stderr.write("".join(lines[-30:]))
            raise Failed(
                f"{' '.join(command[1:4])} ended with code {process.returncode}; its last lines stand above. "
                "Check the network and run it again; what was downloaded is kept."
            )


class _Counter:
    """Turn pip's many lines into one that counts (on a terminal), or into every twentieth (elsewhere)."""

    def __init__(self, total):
        self.total = total
        self.seen = 0

    def __call__(self, line):
        first, _, rest = line.strip().partition(" ")
        if first in ("Collecting", "Requirement"):
            self.seen += 1
            package = rest.removeprefix("already satisfied: ").partition("==")[0].partition(" ")[0]
            self._show(f"{min(self.seen, self.total)}/{self.total} {package}", quiet=self.seen % 20)
        elif (
            first == "Downloading" and (size := re.search(r"\(([\d.]+) MB\)", rest)) and float(size[1]) >= 20
        ):
            self._show(f"{min(self.seen, self.total)}/{self.total} downloading {size[1]} MB", quiet=False)
        elif line.startswith("Installing collected"):
            self._show("unpacking and compiling (about a minute)\n", quiet=False)

    def _show(self, text, *, quiet):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[Khrv:   {text}")
            sys.stderr.flush()
        elif not quiet:
            print(f"hrv:   {text.strip()}", file=sys.stderr, flush=True)


def _has_module(name):
    return subprocess.call([sys.executable, "-c", f"import {name}"], stderr=subprocess.DEVNULL) == 0


def _editable(env):
    return [part for room in env.rooms for part in ("-e", os.path.join(ROOT, room))]


def _environ(setup_folder, cache_variable):
    """The caller's environment, with caches and temporary files inside the checkout unless the user chose a cache."""
    environ = dict(os.environ)
    environ.setdefault(cache_variable, os.path.join(setup_folder, "cache"))
    # Not /tmp: where that is kept in memory, a gigabyte of unpacked packages does not fit.
    environ["TMPDIR"] = os.path.join(setup_folder, "tmp")
    os.makedirs(environ["TMPDIR"], exist_ok=True)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX"):
        environ.pop(name, None)
    return environ
