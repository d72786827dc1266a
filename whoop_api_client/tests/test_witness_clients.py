"""Three WHOOP clients that we did not write log in at the simulator and read the same 300 nights as ours.

`whoop-client` 0.1.0 (sync and async) and `whoop-mcp-server` 0.0.12 run in this process where they are installed (extra
``witnesses``). `whoop` 1.0.1 wants Python 3.12 and Authlib: it runs in a Python of its own, from PATH if one has it;
the slow test makes a small environment for it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from hrv_shared.daytime import parse_instant
from simulator_login import PATHS, log_in
from whoop_api_client.client import WhoopClient
from whoop_api_client.simulator import Fault, RunningSimulator, make_member, read_settings, running

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
NIGHTS = 300
DRIVER = Path(__file__).with_name("witness_whoop_1_0_1.py")
SWITCHES = {
    "as live": (),
    "rough": ("nulls=off", "pending_score_s=80000", "account_offset_on_history=off"),
}

needs_whoop_client = pytest.mark.skipif(
    importlib.util.find_spec("whoop_client") is None, reason="whoop-client is not installed (extra witnesses)"
)
needs_whoop_mcp = pytest.mark.skipif(
    importlib.util.find_spec("whoop_mcp") is None,
    reason="whoop-mcp-server is not installed (extra witnesses)",
)


@pytest.fixture(scope="module")
def member():
    return make_member(11, now=NOW, n_nights=NIGHTS)


@pytest.fixture(scope="module", params=SWITCHES)
def place(request, member) -> Iterator[RunningSimulator]:
    settings = read_settings(
        ["rate_per_minute=0", "rate_per_day=0", "clock_runs=off", *SWITCHES[request.param]]
    )
    with running(member, settings.config) as made:
        yield made


@pytest.fixture
def ours(place) -> dict[str, list[dict[str, Any]]]:
    """What our own client reads, and that it is as much as 300 nights hold."""
    pair = log_in(place)

    class Held:
        def access_token(self) -> str:
            return pair["access_token"]

        def renewed(self, rejected: str) -> str:
            raise AssertionError("a fresh token was rejected")

    with WhoopClient(Held(), place.api_base) as client:
        found = {kind: client.records(kind) for kind in PATHS}
    assert len(found["recovery"]) > 0.9 * NIGHTS
    place.clock.set(NOW)
    return found


@needs_whoop_client
def test_whoop_client_reads_what_we_read(place, ours):
    import whoop_client

    spent = []
    provider = whoop_client.OAuthTokenProvider(
        place.client_id, place.client_secret, log_in(place)["refresh_token"], token_url=place.token_url,
        on_token_refresh=lambda *pair: spent.append(pair[1]),
    )  # fmt: skip
    with whoop_client.WhoopClient(provider, base_url=place.api_base) as client:
        agree(list(client.iter_cycles()), ours["cycle"])
        place.clock.advance(2 * 3600)  # its token dies: 401, refresh, on it goes
        agree(list(client.iter_recoveries()), ours["recovery"])
        place.clock.set(NOW)
        agree(list(client.iter_sleeps()), ours["sleep"])
        agree(list(client.iter_workouts()), ours["workout"])
        newest = ours["recovery"][0]
        agree([client.get_cycle_recovery(newest["cycle_id"])], [newest])
        agree([client.get_sleep_by_id(newest["sleep_id"])], [ours["sleep"][0]])
        assert client.get_profile().user_id == ours["cycle"][0]["user_id"]
        assert client.get_body_measurement().max_heart_rate > 100
        client.revoke_access()
    assert len(spent) == len(set(spent)) == 2


@needs_whoop_client
def test_whoop_clients_other_half_does_so_too(place, ours):
    import whoop_client

    async def read() -> None:
        provider = whoop_client.AsyncOAuthTokenProvider(
            place.client_id, place.client_secret, log_in(place)["refresh_token"], token_url=place.token_url
        )
        async with whoop_client.AsyncWhoopClient(provider, base_url=place.api_base) as client:
            agree([record async for record in client.iter_cycles()], ours["cycle"])
            place.clock.advance(2 * 3600)
            agree([record async for record in client.iter_recoveries()], ours["recovery"])
            place.clock.set(NOW)
            agree([record async for record in client.iter_sleeps()], ours["sleep"])
            agree([record async for record in client.iter_workouts()], ours["workout"])

    asyncio.run(read())


@needs_whoop_mcp
def test_whoop_mcp_servers_client_reads_what_we_read(place, ours, member, tmp_path, monkeypatch):
    from whoop_mcp import client, config, oauth, tokens

    monkeypatch.setattr(oauth, "TOKEN_URL", place.token_url)
    monkeypatch.setattr(oauth, "AUTH_URL", place.auth_url)
    settings = config.Settings(place.client_id, place.client_secret, data_dir=tmp_path)

    async def read() -> None:
        home = httpx.get(oauth.build_authorize_url(settings, "a-state-of-its-own")).headers["location"]
        store = tokens.TokenStore(tmp_path / "tokens.json")
        store.save(await oauth.exchange_code(settings, httpx.URL(home).params["code"]))
        first = store.load().access_token
        manager = tokens.TokenManager(store, lambda token: oauth.refresh_token(settings, token))
        whoop = client.WhoopClient(manager, base_url=place.api_base, cache_ttl=0)
        assert await whoop.cycles(max_records=1000) == (ours["cycle"], False)
        place.clock.advance(2 * 3600)
        assert await whoop.recoveries(max_records=1000) == (ours["recovery"], False)
        assert store.load().access_token != first
        place.clock.set(NOW)
        assert await whoop.sleeps(max_records=1000) == (ours["sleep"], False)
        assert await whoop.workouts(max_records=1000) == (ours["workout"], False)
        since = NOW - timedelta(days=20)
        some, _ = await whoop.sleeps(since, NOW, 1000)
        assert some == [record for record in ours["sleep"] if parse_instant(record["end"]) >= since]
        asleep = next(record for record in ours["sleep"] if record.get("score"))
        assert len((await whoop.sleep_stream(asleep["id"]))["stream"]) > 10
        v1_id, v2_id = next(iter(member.world.activity_mapping.items()))
        assert await whoop.activity_mapping(v1_id) == {"v2_activity_id": v2_id}
        assert await whoop.profile() == member.profile
        assert await whoop.body_measurement() == member.body
        await whoop.revoke_access()
        await whoop.aclose()

    asyncio.run(read())


@needs_whoop_client
@needs_whoop_mcp
@pytest.mark.parametrize("place", ["as live"], indirect=True)
def test_bad_days_do_not_change_what_they_read(place, ours):
    """A 429 and a 503 on the way: each client's own retries get over them (a second of waiting each)."""
    import whoop_client
    from whoop_mcp import client

    pair = log_in(place)
    storm = [Fault("rate_limited", seconds=0, retry_after=True), Fault("status_503")]
    retry = whoop_client.RetryPolicy(backoff_factor=0.01)
    with whoop_client.WhoopClient(
        pair["access_token"], base_url=place.api_base, retry_policy=retry
    ) as theirs:
        for fault in storm:
            place.faults.add(fault)
        agree(list(theirs.iter_recoveries()), ours["recovery"])
    assert place.faults.pending() == []

    class Held:
        async def get_access_token(self, **_: Any) -> str:
            return pair["access_token"]

    async def read() -> None:
        whoop = client.WhoopClient(Held(), base_url=place.api_base)
        place.faults.add(Fault("rate_limited", seconds=1))
        place.faults.add(Fault("status_503"))
        assert await whoop.recoveries(max_records=1000) == (ours["recovery"], False)
        await whoop.aclose()

    asyncio.run(read())
    assert place.faults.pending() == []


@needs_whoop_client
@pytest.mark.parametrize("form", ["null", "absent"])
def test_whoop_client_finds_the_last_page(member, form):
    """Not with "empty", which WHOOP's prose names: there its iterators begin again at the first page, for ever."""
    import whoop_client

    settings = read_settings(["clock_runs=off", f"last_token={form}"])
    with running(member, settings.config) as place:
        token = log_in(place)["access_token"]
        with whoop_client.WhoopClient(token, base_url=place.api_base) as client:
            assert len(list(client.iter_cycles())) == len(member.cycles)


@needs_whoop_mcp
@pytest.mark.parametrize("form", ["null", "absent", "empty"])
def test_whoop_mcp_servers_client_finds_the_last_page(member, form):
    from whoop_mcp import client

    settings = read_settings(["clock_runs=off", f"last_token={form}"])
    with running(member, settings.config) as place:
        token = log_in(place)["access_token"]

        class Held:
            async def get_access_token(self, **_: Any) -> str:
                return token

        async def read() -> None:
            whoop = client.WhoopClient(Held(), base_url=place.api_base)
            assert await whoop.cycles(max_records=1000) == (member.cycles, False)
            await whoop.aclose()

        asyncio.run(read())


def test_whoop_1_0_1_reads_what_we_read(place, ours, member):
    python = _python_with_whoop()
    if python is None:
        pytest.skip("no Python here has whoop 1.0.1 (it wants 3.12); with HRV_SLOW=1 a test makes it one")
    _drive_whoop(python, place, ours, member)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whoop_1_0_1_in_an_environment_of_its_own(place, ours, member, tmp_path_factory):
    newer = next(iter(_pythons_from_3_12()), None)
    folder = tmp_path_factory.getbasetemp() / "whoop-1.0.1"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([newer or sys.executable, "-m", "venv", folder], check=True, timeout=120)
        # its source runs under 3.11 too (checked by this very test); only its metadata asks for 3.12
        older = [] if newer else ["--ignore-requires-python"]
        done = subprocess.run(
            [python, "-m", "pip", "install", "-q", *older, "whoop==1.0.1"], capture_output=True, timeout=400
        )
        if done.returncode:
            pytest.skip("whoop 1.0.1 could not be installed (no package index within reach?)")
    _drive_whoop(str(python), place, ours, member)


def agree(theirs: list[Any], ours: list[dict[str, Any]]) -> None:
    """Typed records against ours: as many, in the same order, equal in every field that their models know.

    `whoop-client` calls the zones ``zone_duration``, which no answer carries: that one is None.
    """
    assert len(theirs) == len(ours)
    for their, our in zip(theirs, ours, strict=True):
        _agree(their.model_dump(), our)


def _agree(their: dict[str, Any], our: dict[str, Any]) -> None:
    for name, value in their.items():
        expected = our.get(name)
        if isinstance(value, dict):
            _agree(value, expected)
        elif isinstance(value, datetime):
            assert value == parse_instant(expected), name
        else:
            assert value == expected, name


@cache
def _python_with_whoop() -> str | None:
    ask = "import importlib.metadata as m; assert m.version('whoop') == '1.0.1'"
    return next((python for python in (sys.executable, *_pythons_from_3_12()) if _runs(python, ask)), None)


def _pythons_from_3_12() -> list[str]:
    """On PATH, or among pyenv's versions (whose shims on PATH may lead nowhere)."""
    named = [shutil.which(f"python3.{minor}") for minor in (12, 13, 14)]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = [str(path) for minor in (12, 13, 14) for path in sorted(versions.glob(f"3.{minor}.*/bin/python"))]
    ask = "import sys, venv; assert sys.version_info >= (3, 12)"
    return [python for python in [*named, *kept] if python and _runs(python, ask)]


def _runs(python: str, code: str) -> bool:
    return subprocess.run([python, "-c", code], capture_output=True, timeout=60).returncode == 0


def _drive_whoop(python: str, place: RunningSimulator, ours: dict[str, list], member) -> None:
    told = {
        name: getattr(place, name)
        for name in ("api_base", "auth_url", "token_url", "client_id", "client_secret")
    }
    span = {"since": "2025-01-01", "until": "2026-11-23T20:50:00Z"}
    done = subprocess.run(
        [python, DRIVER], input=json.dumps(told | span), capture_output=True, text=True, timeout=120,
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    assert answer["rotated"]
    assert answer["records"].pop("profile") == member.profile
    assert answer["records"].pop("body") == member.body
    assert answer["records"] == ours
