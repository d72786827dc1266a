"""64 processes at once against a server that revokes everything on reuse; and kills in the middle of a refresh."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hrv_shared.settings import Settings, load_settings
from whoop_api_client.client import WhoopClient
from whoop_api_client.connecting import connect, describe_connection
from whoop_api_client.connection import EARLY_S, open_connection
from whoop_api_client.errors import ConnectionLost
from whoop_api_client.simulator import Fault, RunningSimulator, SimulatorConfig, make_member, running
from whoop_api_client.tokens import open_token_store

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
PROCESSES = 64
ROUNDS_BY_HAND = int(os.environ.get("ROTATION_ROUNDS", "100"))
"""``ROTATION_ROUNDS=1000 HRV_SLOW=1 pytest -m slow …`` for more."""


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    member = make_member(1, now=NOW, n_nights=20, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, revoke_family=True)) as place:
        yield place


@pytest.fixture
def environment(simulator, tmp_path) -> dict[str, str]:
    return {
        "HRV_HOME": str(tmp_path / "home"),
        "HRV_CONFIG_DIR": str(tmp_path / "config"),
        "HRV_TOKEN_STORE": "file",
        "HRV_WHOOP_API_BASE": simulator.api_base,
        "HRV_WHOOP_AUTH_BASE": simulator.auth_base,
        "HRV_WHOOP_CLIENT_ID": simulator.client_id,
        "HRV_WHOOP_CLIENT_SECRET": simulator.client_secret,
    }


@pytest.fixture
def settings(environment) -> Settings:
    made = load_settings(environment)
    connect(made, "follow")
    return made


def expire(settings: Settings) -> None:
    store = open_token_store(settings)
    store.save(replace(store.load(), expires_at=datetime.now(UTC) + timedelta(seconds=EARLY_S - 1)))


def start(script: str, environment: dict[str, str], *arguments: str) -> subprocess.Popen:
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [
            sys.executable,
            *([os.path.join(here, script)] if script.endswith(".py") else ["-c", script]),
            *arguments,
        ],
        env={k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def rotate(settings: Settings, environment: dict[str, str], rounds: int) -> None:
    """Each round: the token is about to expire, all ask at once; all must get the same new one."""
    nursery = start("oauth_nursery.py", environment, str(PROCESSES))
    try:
        assert nursery.stdout.readline() == "ready\n"
        seen: set[str] = set()
        for number in range(rounds):
            expire(settings)
            nursery.stdin.write("go\n")
            nursery.stdin.flush()
            answers = json.loads(nursery.stdout.readline())
            assert len(answers) == PROCESSES
            # a second rotation would give another token to those who came later, or revoke the family
            assert len(set(answers)) == 1, (number, set(answers))
            assert len(answers[0]) == 64, (number, answers[0])
            assert answers[0] not in seen
            seen.add(answers[0])
        with WhoopClient(open_connection(settings), settings.whoop_api_base) as client:
            assert client.profile()["user_id"]
    finally:
        nursery.stdin.close()
        nursery.wait(timeout=30)
        nursery.stdout.close()


def test_64_processes_rotate_once_per_expiry(settings, environment):
    rotate(settings, environment, rounds=3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_64_processes_rotate_once_per_expiry_a_hundred_times(settings, environment):
    rotate(settings, environment, ROUNDS_BY_HAND)


_REFRESH = (
    "from hrv_shared.settings import load_settings\n"
    "from whoop_api_client.connection import open_connection\n"
    "tokens = open_connection(load_settings())\n"
    "print('asking', flush=True)\n"
    "tokens.access_token()\n"
    "print('done', flush=True)\n"
)


def kill_refreshes(
    simulator: RunningSimulator, settings: Settings, environment: dict[str, str], kills: int
) -> dict:
    """Kill a process in the middle of its refresh; then a new process asks. At most: log in again."""
    rng, ends = random.Random(20261128), {"unharmed": 0, "log in again": 0}
    for _ in range(kills):
        expire(settings)
        simulator.faults.add(Fault("slow", path_contains="/token", seconds=0.05))
        child = start(_REFRESH, environment)
        assert child.stdout.readline() == "asking\n"
        try:
            child.wait(timeout=rng.uniform(0.0, 0.2))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
        simulator.faults.clear()
        try:
            with WhoopClient(open_connection(settings), settings.whoop_api_base) as client:
                assert client.profile()["user_id"]
            ends["unharmed"] += 1
        except ConnectionLost as lost:
            assert "hrv connect" in str(lost)
            ends["log in again"] += 1
            # never a loop: whoever asks now is told from the store, and WHOOP is left alone
            simulator.faults.add(Fault("status_500", count=1000, path_contains="/token"))
            asked_before = simulator.faults.pending()[0]["count"]
            for _ in range(3):
                with pytest.raises(ConnectionLost, match="hrv connect"):
                    open_connection(settings, sleep=lambda s: None).access_token()
            assert simulator.faults.pending()[0]["count"] == asked_before
            simulator.faults.clear()
            assert describe_connection(settings)["lost_at"]
            connect(settings, "follow")
    return ends


def test_a_kill_in_the_middle_of_a_refresh_costs_at_most_one_login(simulator, settings, environment):
    ends = kill_refreshes(simulator, settings, environment, kills=4)
    assert sum(ends.values()) == 4


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills_in_the_middle_of_a_refresh(simulator, settings, environment):
    ends = kill_refreshes(simulator, settings, environment, kills=200)
    print(ends)
    assert sum(ends.values()) == 200
    assert min(ends.values()) > 0, "the kills missed the refresh"
