"""WHOOP rotates tokens: one refresher at a time, the new pair on disk before use, and an end that is told once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hrv_shared.settings import Settings
from simulator_login import settings_for
from whoop_api_client.client import WhoopClient
from whoop_api_client.connecting import connect, describe_connection
from whoop_api_client.connection import EARLY_S, open_connection
from whoop_api_client.errors import ConnectionLost, NotConnected, ServerUnavailable
from whoop_api_client.simulator import Fault, RunningSimulator, SimulatorConfig, make_member, running
from whoop_api_client.tokens import TokenStore, open_token_store

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
PROCESSES = 3


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A server that kills the whole family when a used refresh token is shown again."""
    member = make_member(1, now=NOW, n_nights=20, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, revoke_family=True)) as place:
        yield place


@pytest.fixture
def settings(simulator, tmp_path) -> Settings:
    made = settings_for(simulator, tmp_path)
    connect(made, "follow")
    return made


@pytest.fixture
def store(settings) -> TokenStore:
    return open_token_store(settings)


def expire(store: TokenStore) -> None:
    store.save(replace(store.load(), expires_at=datetime.now(UTC) + timedelta(seconds=EARLY_S - 1)))


def works(settings: Settings) -> bool:
    with WhoopClient(open_connection(settings), settings.whoop_api_base) as client:
        return "user_id" in client.profile()


def test_a_token_near_its_end_is_renewed_before_it_is_used(settings, store):
    before = store.load()
    tokens = open_connection(settings)
    assert tokens.access_token() == before.access_token
    expire(store)
    after = tokens.access_token()
    assert after != before.access_token
    assert store.load().access_token == after
    assert store.load().refresh_token != before.refresh_token
    assert works(settings)


def test_a_token_that_whoop_rejects_is_renewed_and_the_question_repeated(settings, store):
    old = store.load()
    refreshed = open_connection(settings).renewed(rejected=old.access_token)
    # the old pair again, as a process that has not looked since would hold it
    with WhoopClient(open_connection(settings), settings.whoop_api_base) as client:
        assert client.profile()["user_id"]
    assert open_connection(settings).renewed(rejected=old.access_token) == refreshed


def test_many_threads_rotate_once(settings, store, simulator):
    expire(store)
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: open_connection(settings).access_token(), range(8)))
    assert len(tokens) == 1
    assert works(settings)


def test_many_processes_rotate_once_per_expiry(settings, store):
    script = (
        "from hrv_shared.settings import load_settings\n"
        "from whoop_api_client.connection import open_connection\n"
        "import sys\n"
        "tokens = open_connection(load_settings())\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(tokens.access_token())\n"
    )
    environment = os.environ | {
        "HRV_HOME": str(settings.home),
        "HRV_CONFIG_DIR": str(settings.config_dir),
        "HRV_TOKEN_STORE": "file",
        "HRV_WHOOP_API_BASE": settings.whoop_api_base,
        "HRV_WHOOP_AUTH_BASE": settings.whoop_auth_base,
        "HRV_WHOOP_CLIENT_ID": settings.whoop_client_id,
        "HRV_WHOOP_CLIENT_SECRET": settings.whoop_client_secret.get_secret_value(),
    }
    before = store.load().access_token
    expire(store)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:  # all at once, when all stand at the line
        child.stdin.write("go\n")
        child.stdin.flush()
    answers = [child.communicate(timeout=60)[0].strip() for child in children]
    assert [child.returncode for child in children] == [0] * PROCESSES
    assert len(set(answers)) == 1
    assert answers[0] != before
    assert works(settings)


def test_the_new_pair_is_on_disk_before_anyone_uses_it(settings, store, monkeypatch):
    """The moment the refresh answer is in, a full disk must not let the pair be used from memory alone."""
    from whoop_api_client import connection

    used: list[str] = []
    monkeypatch.setattr(connection, "open_token_store", lambda *_: _FullDisk(store, used))
    expire(store)
    with pytest.raises(OSError, match="full"):
        open_connection(settings).access_token()
    assert used == ["save"]


class _FullDisk:
    def __init__(self, store: TokenStore, used: list[str]):
        self._store, self._used = store, used

    def load(self):
        return self._store.load()

    def save(self, pair) -> None:
        self._used.append("save")
        raise OSError("disk is full")


def test_a_dead_refresh_token_is_final_and_asked_for_once(settings, store, simulator, monkeypatch):
    store.save(replace(store.load(), refresh_token="not-of-this-server"))
    expire(store)
    with pytest.raises(ConnectionLost, match="hrv connect"):
        open_connection(settings).access_token()
    asked = []
    monkeypatch.setattr(httpx.Client, "post", lambda *a, **k: asked.append(a))
    for _ in range(3):
        with pytest.raises(ConnectionLost, match="hrv connect"):
            open_connection(settings).access_token()
    assert asked == []
    assert not describe_connection(settings)["connected"]
    monkeypatch.undo()
    connect(settings, "follow")
    assert works(settings)


def test_somebody_without_our_lock_was_faster(settings, store, monkeypatch):
    """`invalid_grant` looks at the store once more before the connection is called lost."""
    from whoop_api_client import connection

    old = store.load()
    expire(store)

    def stolen(app, refresh_token, *_):
        store.save(replace(old, access_token="newer", refresh_token="newer too"))
        raise ConnectionLost("Connect again: hrv connect")

    monkeypatch.setattr(connection, "refresh_pair", stolen)
    assert open_connection(settings).access_token() == "newer"
    assert store.load().lost_at is None


@pytest.mark.parametrize("kind", ["status_500", "status_503", "html", "empty"])
def test_a_gateway_in_trouble_is_not_the_end(settings, store, simulator, kind):
    expire(store)
    simulator.faults.add(Fault(kind, count=2, path_contains="/token"))
    waits: list[float] = []
    assert open_connection(settings, sleep=waits.append).access_token()
    assert len(waits) == 2
    assert works(settings)


def test_a_gateway_that_stays_down_leaves_the_connection_alone(settings, store, simulator):
    expire(store)
    before = store.load()
    simulator.faults.add(Fault("status_503", count=3, path_contains="/token"))
    with pytest.raises(ServerUnavailable):
        open_connection(settings, sleep=lambda s: None).access_token()
    assert store.load() == before
    assert works(settings)


def test_an_answer_that_got_lost_ends_in_one_clear_request_to_connect_again(settings, store, simulator):
    """The unavoidable window: WHOOP rotated, we never heard. Said once, never looped."""
    expire(store)
    simulator.faults.add(Fault("lost", count=1, path_contains="/token"))
    with pytest.raises(ConnectionLost, match="hrv connect"):
        open_connection(settings, sleep=lambda s: None).access_token()
    assert store.load().lost_at is not None


def test_logging_out_while_another_refreshes_stays_logged_out(settings, store):
    expire(store)
    tokens = open_connection(settings)
    store.delete()
    with pytest.raises(NotConnected):
        tokens.access_token()
    assert store.load() is None
