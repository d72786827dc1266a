"""Write the locks and the conda environments anew from the rooms' pyproject.toml files.

    python tools/lock.py                  all of it; pins that still fit are kept (needs uv and the network)
    python tools/lock.py --upgrade        the same, with the newest versions that fit
    python tools/lock.py --environments   only the environment.yml files (offline)

Every room's lock takes its pins from the root lock, so that all environments hold the same versions. The locks have
hashes and no header, and name no index: they serve uv and pip, wherever their packages come from.
"""

import argparse
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILE = (
    "pip",
    "compile",
    "--quiet",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-header",
)
# Extras stay in the names: pip before 23.3 refuses, in hash mode, a dependency on gql[requests] beside a pinned gql.
COMPILE += ("--no-annotate", "--no-strip-extras", "--no-emit-package", "hrv-shared")
BUILD = "hatchling>=1.27\neditables>=0.5\n"
"""What an editable install without build isolation needs; it stands in every room's lock."""
EXTRAS = {
    "shared": ("test", "llm"),
    "model_training": ("test", "opponents", "cluster"),
    "whoop_api_client": ("test", "witnesses"),
}
"""Those that a room's lock takes in, where its tests need more than the extra `test`."""
HOUSE_EXTRAS = ("llm", "opponents", "cluster", "witnesses")
"""Those that the one environment of the whole house takes in."""
OUR_CODE = "pip install --no-deps --no-build-isolation"
ENVIRONMENT = """\
# Made by tools/lock.py from pyproject.toml. To make the room's environment with conda:
#   conda env create -f environment.yml
#   conda activate {name}
#   {own_code}
# The last command downloads nothing: it puts our own code in place. It stands alone because pip takes no
# editable install from a file whose packages are checked against hashes.
name: {name}
channels:
  - conda-forge
dependencies:
  # Below 3.14: one package has no macOS wheel for it yet (watchdog 6.0.0).
  - python>=3.11,<3.14
  - pip
  - pip:
      - -r requirements.lock
"""


def main(arguments: list[str]) -> int:
    """Write all generated packaging files; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the locks and the conda environments anew.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    parser.add_argument("--environments", action="store_true", help="only the environment.yml files, offline")
    options = parser.parse_args(arguments)
    if not options.environments:
        uv = shutil.which("uv")
        if uv is None:
            print("lock.py: expected uv on PATH, found none. Install it (pip install uv).", file=sys.stderr)
            return 1
        write_locks(uv, upgrade=options.upgrade)
    for room in rooms():
        (room / "environment.yml").write_text(environment(room), encoding="utf-8")
    return 0


def write_locks(uv: str, *, upgrade: bool) -> None:
    """Resolve the root lock, then each room's under its constraints."""
    root_lock = ROOT / "requirements.lock"
    projects = [f"{room.name}/pyproject.toml" for room in rooms()]
    upgrading = ["--upgrade"] if upgrade else []
    chosen = [part for extra in HOUSE_EXTRAS for part in ("--extra", extra)]
    _run(uv, *COMPILE, *upgrading, *chosen, "-o", root_lock.name, "requirements-dev.in", *projects)
    for room in rooms():
        print(f"lock.py: {room.name}", file=sys.stderr)
        lock, project = f"{room.name}/requirements.lock", f"{room.name}/pyproject.toml"
        chosen = [part for extra in extras(room.name) for part in ("--extra", extra)]
        _run(uv, *COMPILE, *chosen, "-c", root_lock.name, "-o", lock, project, "-", stdin=BUILD)


def environment(room: Path) -> str:
    """Return the text of a room's environment.yml."""
    name = tomllib.loads((room / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    parts = "-e ." if room.name == "shared" else "-e ../shared -e ."
    return ENVIRONMENT.format(name=name, own_code=f"{OUR_CODE} {parts}")


def extras(room: str) -> tuple[str, ...]:
    """Return the extras of its project that a room's lock takes in."""
    return EXTRAS.get(room, ("test",))


def rooms() -> list[Path]:
    """Return the folders of the rooms, in alphabetical order."""
    return sorted(path.parent for path in ROOT.glob("*/pyproject.toml"))


def _run(*command: str, stdin: str = "") -> None:
    subprocess.run(command, cwd=ROOT, input=stdin, text=True, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
