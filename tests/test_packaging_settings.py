"""The entry points call each other as promised, and the tools judge every room alike."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from launcher import stamp

ROOT = Path(__file__).resolve().parents[1]
ROOM_NAMES = sorted(path.parent.name for path in ROOT.glob("*/pyproject.toml"))
OF_MAKE = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")
SHARED_SETTINGS = ("minversion", "addopts", "xfail_strict", "markers", "filterwarnings")


def test_launcher_knows_every_room():
    assert sorted(stamp.ROOMS) == ROOM_NAMES
    assert stamp.ROOMS[0] == "shared", "the others rest on it"


@pytest.mark.parametrize("room", ROOM_NAMES)
def test_room_alone_is_tested_with_the_settings_of_the_house(room):
    """A room cloned by itself has only its own pyproject to read them from."""
    house = _pytest_settings(ROOT)
    assert {key: house[key] for key in SHARED_SETTINGS} | {"testpaths": ["tests"]} == _pytest_settings(
        ROOT / room
    )


def test_warnings_are_errors():
    assert _pytest_settings(ROOT)["filterwarnings"][0] == "error"


@pytest.mark.parametrize("target", ["setup", "demo", "test", "lint", "bench"])
def test_make_is_thin(target):
    command = ["make", "-n", target, "ARGS=--json"]
    shown = subprocess.run(command, cwd=ROOT, env=_without_make(), capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["./hrv", target, "--json"]


def test_ci_fails_when_the_tests_fail(tmp_path):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_bytes((ROOT / ".ci" / "run").read_bytes())
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for code in (0, 1, 5):
        (tmp_path / "hrv").write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
        (tmp_path / "hrv").chmod(0o755)
        command = ["bash", tmp_path / ".ci" / "run"]
        answer = subprocess.run(
            command, cwd=tmp_path.parent, env=_without_make(), capture_output=True, text=True
        )
        assert (answer.returncode == 0) == (code == 0)
        assert answer.stdout.splitlines()[-1] == "test"


def test_launcher_and_ci_can_be_executed():
    for name in ("hrv", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize("room", sorted(set(ROOM_NAMES) - {"shared"}))
def test_public_verbs_are_named_and_there(room):
    """Asked in a new process, because the names must come with the package alone. (`shared` has parts, no verbs.)"""
    code = f"import json, {room} as p; print(json.dumps([p.__all__, [n for n in p.__all__ if not hasattr(p, n)]]))"
    answer = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    verbs, missing = json.loads(answer.stdout)
    assert verbs and missing == []


def _without_make():
    """The environment less what an outer `make test` adds to it."""
    return {name: value for name, value in os.environ.items() if name not in OF_MAKE}


def _pytest_settings(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
