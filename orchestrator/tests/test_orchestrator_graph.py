"""The asset graph as it should be, and the hrv command around it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from orchestrator.cli import FORWARDED, OWN, help_text
from orchestrator.rooms import ROOMS, quiet_environment, room_command

GRAPH = {
    "connection": set(),
    "nights": {"connection"},
    "journal": {"nights"},
    "outcomes": {"nights"},
    "models": {"nights", "journal"},
    "replayed_forecasts": {"models", "outcomes"},
    "scores": {"replayed_forecasts", "outcomes"},
    "model_forecasts": {"replayed_forecasts"},
    "daily_summary": {"model_forecasts", "scores"},
    "agent_forecast": {"daily_summary"},
    "final_forecast": {"agent_forecast"},
    "card": {"final_forecast"},
}


@pytest.fixture(scope="module")
def definitions():
    from orchestrator.definitions import defs

    return defs


def test_the_graph_is_the_one_that_is_documented(definitions):
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string(): {p.to_user_string() for p in graph.get(key).parent_keys}
            for key in graph.get_all_asset_keys()} == GRAPH  # fmt: skip


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
def test_a_failing_room_ends_the_run_with_the_room_s_own_sentence(tmp_path, capfd):
    """The real graph on an empty store: nothing to forecast from, said in words, and the exit is an error."""
    from orchestrator.daily import run_graph
    from orchestrator.errors import StepFailed

    with pytest.raises(StepFailed, match="No scored night of me is known yet"):
        run_graph(
            tmp_path / "home",
            environment={"HRV_CONFIG_DIR": str(tmp_path / "config"), "HRV_TOKEN_STORE": "file"},
        )
    assert "▸ nights" in capfd.readouterr().err
