"""Each room can become a repository of its own: split off with its history, put together again as submodules, green."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/pyproject.toml"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
GIT = ["git", "-c", "protocol.file.allow=always", "-c", "user.name=hrv", "-c", "user.email=hrv@localhost"]


@pytest.fixture(scope="module")
def put_together(tmp_path_factory):
    """A fresh recursive clone of a house whose rooms are submodules, each the bare repository of a subtree split."""
    folder = tmp_path_factory.mktemp("subtrees")
    source, house = folder / "source", folder / "house"
    git(folder, "clone", "--quiet", "--no-local", ROOT, source)
    git(folder, "init", "--quiet", "--initial-branch=main", house)
    for room in ROOMS:
        bare = folder / f"{room}.git"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", bare)
        git(source, "subtree", "split", f"--prefix={room}", "--branch", f"split/{room}")
        git(source, "push", "--quiet", bare, f"split/{room}:main")
        git(house, "submodule", "--quiet", "add", bare, room)
    archive = subprocess.run([*GIT, "archive", "HEAD"], cwd=source, check=True, capture_output=True).stdout
    besides = [f"--exclude={room}" for room in ROOMS]
    subprocess.run(["tar", "-x", "-C", house, *besides], input=archive, check=True)
    git(house, "add", "--all")
    git(house, "commit", "--quiet", "--message", "The rooms as submodules")
    fresh = folder / "fresh"
    git(folder, "clone", "--quiet", "--recurse-submodules", house, fresh)
    return source, fresh


def git(cwd, *arguments):
    done = subprocess.run([*GIT, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {arguments}: {done.stderr[-2000:]}"
    return done.stdout.strip()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_split_off_is_the_same_with_its_history_and_green(put_together, room):
    source, fresh = put_together
    tree = git(fresh / room, "rev-parse", "HEAD^{tree}")
    assert tree == git(source, "rev-parse", f"HEAD:{room}"), "the same files"
    commits = int(git(fresh / room, "rev-list", "--count", "HEAD"))
    assert 1 < commits <= int(git(source, "rev-list", "--count", "HEAD")), "with its own history"
    assert git(fresh / room, "status", "--porcelain") == ""

    package = "hrv_shared" if room == "shared" else room
    paths = [fresh / room / "src", fresh / "shared" / "src"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "HRV_", "GIT_"))}
    environment = {**clean, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    where = run([sys.executable, "-c", f"import {package}, hrv_shared as s; print({package}.__file__, s.__file__)"],
                fresh / room, environment)  # fmt: skip
    assert where.stdout.count(str(fresh)) == 2, f"tested is what was cloned, not {where.stdout}{where.stderr}"
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], fresh / room, environment)
    assert done.returncode == 0, done.stdout[-5000:]
    print(f"{room}: {commits} commits; {done.stdout.strip().splitlines()[-1]}")


def run(command, cwd, environment):
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=3000
    )
