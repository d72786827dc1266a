"""`hrv simulate` as a process: what it prints, how it stops, what it refuses, how fast it is, what docs promise."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from simulator_login import PATHS, every_record, signed_in
from whoop_api_client.cli import app
from whoop_api_client.simulator import (
    BadOption,
    Fault,
    RunningSimulator,
    SimulatorError,
    known_options,
    read_settings,
)
from whoop_api_client.simulator.options import read_fault

PAGE = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
FIVE_YEARS = 1826


@contextmanager
def simulator(*arguments: str) -> Iterator[tuple[subprocess.Popen, dict]]:
    """The command, listening on a free port; it must stop by itself afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "whoop_api_client", "simulate", "--port", "0", "--json", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, json.loads(line)
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_object_serves_and_stops_in_order(how):
    with simulator("--members", "3", "--nights", "20", "--seed", "40", "--now", "2026-11-23T20:50:00Z") as (
        process,
        ready,
    ):
        assert ready["now"].startswith("2026-11-23T20:50:0")
        assert [member["user_id"] for member in ready["members"]] == [10_000_040, 10_000_041, 10_000_042]
        place = _place(ready)
        with signed_in(place, login_hint="10000042") as http:
            assert len(every_record(http, "/v2/recovery")) > 10
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "Simulator stopped.\n")


def test_switches_faults_and_webhooks_reach_the_server():
    with simulator(
        "--nights", "20", "--pace", "0", "--set", "revoke_family=on", "--set", "last_token=absent", "--webhook",
        "http://127.0.0.1:9/hook", "--fault", "status_503,count=2,path_contains=/v2/cycle", "--preset", "calm",
        "--ahead", "3",
    ) as (_, ready):  # fmt: skip
        clock = httpx.get(ready["base_url"] + "/_sim/clock").json()
        assert clock["runs"] is False
        assert httpx.get(ready["base_url"] + "/_sim/faults").json()["pending"][0]["count"] == 2
        nights = httpx.get(ready["base_url"] + "/_sim/truth/nights").json()["nights"]
        assert sum(night["to_come"] for night in nights) == 3
        with signed_in(_place(ready)) as http:
            assert [http.get("/v2/cycle").status_code for _ in range(3)] == [503, 503, 200]
            assert (
                "next_token"
                not in http.get("/v2/cycle", params={"limit": 25, "end": "2020-01-01T00:00:00Z"}).json()
            )


def test_five_years_start_and_serve_fast():
    """Processor time of the simulator itself; the limits are several times what a quiet machine needs (docs)."""
    with simulator(
        "--nights", str(FIVE_YEARS), "--seed", "1", "--set", "rate_per_minute=0", "--set", "rate_per_day=0"
    ) as (
        process,
        ready,
    ):
        start_s = _cpu_s(process.pid)
        with signed_in(_place(ready)) as http:
            begun = _cpu_s(process.pid)
            records = sum(len(every_record(http, path)) for path in PATHS.values())
            spent_s = _cpu_s(process.pid) - begun
            early = http.get("/v2/recovery", params={"limit": 25, "end": "2023-01-01T00:00:00Z"}).json()
            deep_s, first_s = (
                _cost_of_a_page(process.pid, http, {"limit": 25} | more)
                for more in ({"nextToken": early["next_token"]}, {})
            )
        told = httpx.get(ready["base_url"] + "/_sim/requests").json()
    assert records > 3.4 * FIVE_YEARS
    assert told["answered"] > 250
    assert start_s < 3
    assert spent_s < 2
    assert deep_s < 2 * first_s + 0.1  # a page deep in the past costs no more than the first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--set nonsense=1", "--options"), ("--set late_share", "--options"), ("--set late_share=2", "0 to 1"),
        ("--set late_share=often", "float"), ("--set nulls=maybe", "bool"), ("--set dst=mars", "eu, us, south, none"),
        ("--preset wild", "measured, calm, rough"), ("--fault fire", "rate_limited"), ("--fault slow,x=1", "seconds"),
        ("--fault slow,share=7", "0 to 1"), ("--webhook https://example.com/", "of this machine"),
        ("--set redirect_uris=https://example.com/", "of this machine"), ("--set api_prefix=developer", "/developer"),
        ("--set pace=0", "pace"), ("--nights 3", "14 nights"), ("--today soon", "JSON object"),
        ("--now soon", "instant"), ("--data nowhere", "whoop.csv"),
    ],
)  # fmt: skip
def test_a_wrong_switch_is_a_sentence(arguments, said):
    done = CliRunner().invoke(app, ["simulate", "--port", "0", *arguments.split()])
    assert isinstance(done.exception, (SimulatorError, SystemExit))
    assert done.exit_code
    assert said in f"{done.exception} {done.output}"


def test_every_switch_is_listed_with_its_meaning():
    told = CliRunner().invoke(app, ["simulate", "--options", "--json"])
    listed = json.loads(told.stdout)
    assert {row["name"] for row in listed["options"]} == set(known_options())
    assert all(row["doc"] for row in listed["options"])
    words = CliRunner().invoke(app, ["simulate", "--options"]).stdout
    assert all(f"  {name} " in words for name in known_options())


def test_the_page_in_docs_names_every_switch_fault_and_route_and_its_tests_exist():
    if not PAGE.is_file():
        pytest.skip("docs/ is not beside this room (the room was checked out alone)")
    page = PAGE.read_text(encoding="utf-8")
    missing = [name for name in known_options() if f"`{name}`" not in page]
    assert missing == []
    listed = json.loads(CliRunner().invoke(app, ["simulate", "--options", "--json"]).stdout)
    assert [kind for kind in listed["faults"] if f"`{kind}`" not in page] == []
    named = set(re.findall(r"`(test_[a-z0-9_]+)\.py`", page))
    tests = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert named <= tests
    assert len(named) > 8
    for file, name in re.findall(r"`(test_[a-z0-9_]+)\.py::(test_[a-z0-9_]+)`", page):
        assert f"def {name}(" in (Path(__file__).parent / f"{file}.py").read_text(encoding="utf-8"), name


def test_texts_become_values():
    settings = read_settings(
        ["late_share=0.5", "old_hardware=on", "trip_hours=none", "retries_after_s=1,2.5", "pause_days=30"]
    )
    assert settings.happenings.late_share == 0.5
    assert settings.happenings.old_hardware is True
    assert settings.happenings.trip_hours is None
    assert settings.happenings.pause_days == 30
    assert settings.config.webhooks.retries_after_s == (1.0, 2.5)
    assert read_fault("rate_limited,share=0.5,for_s=3600") == Fault("rate_limited", share=0.5, for_s=3600.0)
    assert read_settings(["late_share=0.5"], "calm", late_share=0.25).happenings.late_share == 0.25
    assert read_settings((), "calm").happenings.revised_share == 0
    for wrong in ("pause_days=x", "client=1", "=1", "pace=NaN=1"):
        with pytest.raises(BadOption, match="expected"):
            read_settings([wrong])


def _place(ready: dict) -> RunningSimulator:
    names = ("base_url", "api_base", "auth_base", "auth_url", "token_url", "client_id", "client_secret")
    return RunningSimulator(**{name: ready[name] for name in names})


def _cost_of_a_page(pid: int, http: httpx.Client, asked: dict) -> float:
    begun = _cpu_s(pid)
    for _ in range(100):
        http.get("/v2/recovery", params=asked)
    return _cpu_s(pid) - begun


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    if Path("/proc/self/stat").exists():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    told = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True)
    minutes, seconds = told.stdout.strip().rsplit(":", 2)[-2:]
    return 60 * int(minutes) + float(seconds)
