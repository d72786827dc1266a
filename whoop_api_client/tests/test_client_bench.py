"""The benchmark measures what it says: every figure of one process each, on a small account."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from whoop_api_client import bench
from whoop_api_client.cli import app


def test_a_small_account_is_measured():
    done = CliRunner().invoke(
        app, ["bench", "--nights", "40", "--rounds", "1", "--json"], catch_exceptions=False
    )
    assert done.exit_code == 0
    found = json.loads(done.stdout.splitlines()[-1])
    rows = {row["what"]: row for row in found["rows"]}
    assert set(rows) == set(bench.GOALS) == {row["what"] for row in found["median"]}
    assert rows["backfill"]["records"] > 120
    assert 0 < rows["daily pull"]["records"] < 60
    assert rows["import"]["records"] > 100
    for row in rows.values():
        assert 0 < row["cpu_s"] < row["command_cpu_s"] < 60
        assert row["wall_s"] < row["command_wall_s"]
        assert 20 < row["peak_mb"] < 300
    assert "daily pull" in bench.table_text(found)


def test_a_goal_that_is_missed_is_said():
    row = {
        "wall_s": 5.1,
        "cpu_s": 1.0,
        "command_wall_s": 6.0,
        "command_cpu_s": 2.0,
        "peak_mb": 100.0,
        "records": 5,
    }
    for wall_s, is_met in ((5.1, False), (4.9, True)):
        rows = [row | {"what": what, "wall_s": wall_s, "cpu_s": 0.1} for what in bench.GOALS]
        median = [bench._median(what, rows) for what in bench.GOALS]
        assert median[0]["is_met"] == is_met
        found = {"nights": 1, "seed": 1, "rounds": 1, "cores": 2, "load_1_min": [0, 0], "median": median}
        assert ("NOT MET" in bench.table_text(found).splitlines()[2]) == (not is_met)


def test_a_process_that_fails_is_said(tmp_path):
    with pytest.raises(bench.BenchFailed, match="pull failed"):
        bench._child(
            {"HRV_HOME": str(tmp_path / "h"), "HRV_CONFIG_DIR": str(tmp_path / "c"), "PATH": ""}, "pull"
        )
