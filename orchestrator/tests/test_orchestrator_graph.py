"""The asset graph as it should be, and the hrv command around it."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path

import pytest

from orchestrator.cli import FORWARDED, OWN, help_text
from orchestrator.rooms import ROOMS, quiet_environment, room_command

SNAPSHOT = Path(__file__).with_name("graph.txt")


@pytest.fixture(scope="module")
def definitions():
    from orchestrator.definitions import defs

    return defs


def test_the_graph_is_the_one_that_is_committed():
    """Assets, partitions, checks, jobs, what starts them: a change of any shows in the diff of one text."""
    from orchestrator.graph_text import graph_text

    mend = "if it is meant: python -m orchestrator graph > orchestrator/tests/graph.txt"
    assert graph_text() + "\n" == SNAPSHOT.read_text(encoding="utf-8"), mend


def test_everything_that_starts_a_run_is_on_by_itself(definitions):
    """On a fresh machine nobody has to switch anything on."""
    starters = [*definitions.sensors, *definitions.schedules]
    assert len(starters) == 7
    assert {starter.default_status.value for starter in starters} == {"RUNNING"}
    assert {starter.job_name for starter in starters} == {
        "collect",
        "morning",
        "evening",
        "weekly_training",
        "tell",
    }


def test_today_is_a_partition_everywhere_on_earth():
    from orchestrator.partitions import WAKE_DAYS

    furthest_east = datetime.now(timezone(timedelta(hours=14))).date()
    assert WAKE_DAYS.has_partition_key(furthest_east.isoformat())


def test_every_verb_leads_to_a_room_that_exists():
    assert {room for room, _, _ in FORWARDED.values()} <= set(ROOMS)
    assert not set(FORWARDED) & set(OWN)
    assert all(verb in help_text() for verb in (*FORWARDED, *OWN))


def test_an_unknown_verb_is_said_and_fails():
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "forcast"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "'forcast' is no hrv command" in done.stderr and "forecast" in done.stderr
    as_json = subprocess.run(
        [sys.executable, "-m", "orchestrator", "forcast", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert '"error"' in as_json.stdout


def test_telemetry_is_off_for_everything_that_is_run():
    environment = quiet_environment({})
    assert (
        environment["DAGSTER_DISABLE_TELEMETRY"] == "yes"
        and environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    )


def test_a_room_with_its_own_environment_is_run_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.rooms.CHECKOUT", tmp_path)
    assert room_command("training", "train")[0] == sys.executable
    own = tmp_path / "model_training" / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert room_command("training", "train") == [str(own), "-m", "model_training", "train"]


@pytest.mark.skipif(
    any(find_spec(package) is None for package in ROOMS.values()),
    reason="runs the other rooms, which are not installed here",
)
def test_an_empty_store_is_pulled_and_then_said_to_be_empty(tmp_path, capfd):
    """The real collecting steps on an empty store: nothing to forecast from, said in words, and it is an error."""
    from hrv_shared.errors import TooFewNights
    from orchestrator.daily import run_graph

    with pytest.raises(TooFewNights, match="No scored night of me is known yet"):
        run_graph(
            tmp_path / "home",
            environment={"HRV_CONFIG_DIR": str(tmp_path / "config"), "HRV_TOKEN_STORE": "file"},
        )
    assert "▸ nights" in capfd.readouterr().err
