"""The commands as a person or Dagster runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from hrv_shared.store import Store

COMMANDS = (
    "train", "forecast", "replay", "combine", "promote", "rollback", "show", "registry", "explain", "what-if", "bench",
    "fit-pool",
)  # fmt: skip


def run(home, *arguments):
    env = {key: value for key, value in os.environ.items() if not key.startswith("HRV_")} | {"HRV_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "model_training", *arguments],
        env=env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_help_names_every_command_and_loads_nothing_heavy(tmp_path):
    done = run(tmp_path, "--help")
    assert done.returncode == 0 and all(command in done.stdout for command in COMMANDS)
    listing = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "model_training", "--help"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in listing.splitlines()}
    assert loaded.isdisjoint({"sklearn", "mlflow", "scipy", "skops", "matplotlib", "lightgbm", "xgboost", "pandas"})


@pytest.mark.parametrize("command", ["train", "forecast", "replay", "combine", "promote", "rollback"])
def test_without_nights_one_sentence_and_exit_code_2(command, tmp_path):
    done = run(tmp_path, command, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "TooFewNights"
    assert "Traceback" not in done.stderr


def test_an_unknown_slot_is_refused(tmp_path, wearer):
    Store(tmp_path / "home").write_table("days", wearer.days)
    done = run(tmp_path / "home", "replay", "--slot", "noon")
    assert done.returncode == 2 and "expected one of morning, evening" in done.stderr


def test_replay_and_combine_in_order_print_one_json_object(tmp_path, wearer):
    """Old data: the issue is a replay at the end of it, whatever day it is."""
    store = Store(tmp_path / "home")
    store.write_table("days", wearer.days.head(100))
    store.write_table("journal_facts", wearer.journal)
    replayed = run(tmp_path / "home", "replay", "--nights", "2", "--json")
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["nights"] == 2
    early = run(tmp_path / "home", "combine", "--json")
    assert json.loads(early.stdout)["error"]["code"] == "NothingToCombine"
    issued = json.loads(run(tmp_path / "home", "forecast", "--json").stdout)
    assert issued["issue"]["book"] == "replay" and issued["issue"]["note"]
    final = json.loads(run(tmp_path / "home", "combine", "--json").stdout)
    assert final["written"] == 7 and final["weights"]["1"] == {"mix": 1.0}
    shown = json.loads(run(tmp_path / "home", "show", "--json").stdout)
    assert shown == {"registered": []}
