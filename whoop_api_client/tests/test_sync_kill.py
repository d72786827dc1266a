"""kill -9 in the middle of a first pull, again and again: nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hrv_shared.settings import load_settings
from hrv_shared.store import Store
from whoop_api_client.connecting import connect
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.pulling import pull
from whoop_api_client.simulator import Fault, SimulatorConfig, make_member, running

KILL_AT_FACTS = (30, 130)
"""So many facts on disk: one in each kind's pages, by the order of reading."""
DEADLINE_S = 60


def test_a_first_pull_that_is_killed_again_and_again(tmp_path):
    now = datetime.now(UTC) - timedelta(minutes=5)
    member = make_member(5, now=now, n_nights=60, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        environment = {
            "HRV_HOME": str(tmp_path / "home"),
            "HRV_CONFIG_DIR": str(tmp_path / "config"),
            "HRV_TOKEN_STORE": "file",
            "HRV_WHOOP_API_BASE": place.api_base,
            "HRV_WHOOP_AUTH_BASE": place.auth_base,
            "HRV_WHOOP_CLIENT_ID": place.client_id,
            "HRV_WHOOP_CLIENT_SECRET": place.client_secret,
        }
        settings = load_settings(environment)
        connect(settings, "follow")
        acknowledged: set[tuple] = set()
        for threshold in KILL_AT_FACTS:
            # slow enough that the kill falls between two pages
            place.faults.add(Fault("slow", count=1000, path_contains="/v2/", seconds=0.05))
            child = start_pull(environment)
            seen = wait_for_facts(settings.home / "record.sqlite", threshold, child)
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL, "the pull ended before it was killed"
            child.stdout.close()
            place.faults.clear()
            kept = facts_in(settings.home / "record.sqlite")
            assert seen <= kept
            assert acknowledged <= kept
            acknowledged = kept
        last = start_pull(environment)
        result = json.loads(last.communicate(timeout=DEADLINE_S)[0])
        assert last.returncode == 0
        assert result["mode"] == "backfill+window"
        assert acknowledged <= facts_in(settings.home / "record.sqlite")

        other_result = pull(settings.model_copy(update={"home": tmp_path / "undisturbed"}))
        assert facts_in(tmp_path / "home" / "record.sqlite") == facts_in(
            tmp_path / "undisturbed" / "record.sqlite"
        )
        assert result["tables"] == other_result["tables"]
        store = Store.open(settings)
        for kind in COLLECTIONS:
            assert len(store.record.latest(kind, "me")) == len(store.read_table(_TABLE[kind]))
        store.record.close()


_TABLE = {"cycle": "cycles", "sleep": "sleeps", "recovery": "recoveries", "workout": "workouts"}


def start_pull(environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "whoop_api_client", "pull", "--json"],
        env={k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def wait_for_facts(path: Path, threshold: int, child: subprocess.Popen) -> set[tuple]:
    """Watch the record from outside until it holds so many facts; what is visible then is acknowledged."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        assert child.poll() is None, "the pull ended before it was killed"
        if path.exists() and count_in(path) >= threshold:
            return facts_in(path)
        time.sleep(0.01)  # a condition is being watched; there is no event to wait for across processes
    raise AssertionError(f"not {threshold} facts within {DEADLINE_S} s")


def count_in(path: Path) -> int:
    connection = sqlite3.connect(path, timeout=30)
    try:
        return connection.execute("SELECT count(*) FROM fact").fetchone()[0]
    except sqlite3.OperationalError:  # the table is not there yet
        return 0
    finally:
        connection.close()


def facts_in(path: Path) -> set[tuple]:
    """What every fact says, without the instants at which this very run saw it."""
    connection = sqlite3.connect(path, timeout=30)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT kind, key, revision, basis, sha256 FROM fact").fetchall()
    finally:
        connection.close()
    assert len(set(rows)) == len(rows)
    return set(rows)
