"""The command line that all rooms share."""

from hrv_shared.cli import json_default


def test_json_alone_means_stdout():
    assert json_default(["bench", "forecast", "--json"]) == ["bench", "forecast", "--json", "-"]
    assert json_default(["--json", "--seed", "1"]) == ["--json", "-", "--seed", "1"]
    assert json_default(["--json", "out.json"]) == ["--json", "out.json"]
