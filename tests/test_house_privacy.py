"""Nothing leaves the machine but calls to WHOOP (here a simulator on loopback); secrets stay in their place.

The rooms run as processes of their own under a guard that refuses every connection, look-up, datagram and listening
socket beyond loopback and writes the attempt down. Secrets are canaries, looked for in every file and word afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from house_export import write_export
from house_rooms import make_house, simulated, synthetic_member, write_notes
from hrv_shared.store import Store

ROOT = Path(__file__).resolve().parents[1]
GUARD = Path(__file__).with_name("house_guard")
CLIENT_SECRET = "canary-client-secret-5b1f0c77a9"
LLM_KEY = "canary-llm-key-90ad3e41"
ROOMS = (
    "hrv_shared", "whoop_api_client", "journal_analysis", "model_training", "data_intelligence", "llm_agent",
    "orchestrator",
)  # fmt: skip


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A house in which every main command was run under the guard, what they printed, and the secrets in play."""
    folder = tmp_path_factory.mktemp("privacy")
    member = synthetic_member(11, 60)
    with simulated(member, client_secret=CLIENT_SECRET) as place:
        house = guarded(make_house(folder, place, HRV_LLM_API_KEY=LLM_KEY, HRV_REPLAY_NIGHTS="1"))
        words, secrets = [], {CLIENT_SECRET, LLM_KEY}

        def do(room: str, *arguments: str) -> dict:
            done = house.run(room, *arguments, "--json")
            words.extend((done.stdout, done.stderr))
            assert done.returncode == 0, f"{room} {arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            return json.loads(done.stdout)

        do("whoop_api_client", "connect", "--auto")
        secrets |= tokens_in(house)
        do("whoop_api_client", "pull")
        do("journal_analysis", "backfill", str(write_notes(member, folder / "notes.jsonl")))
        (Store(house.home).folder("inbox") / "note.txt").write_text("Two glasses of wine at nine.", encoding="utf-8")
        export = write_export(folder / "export", seed=3, nights=30, last_day=datetime.now(UTC).date())
        do("whoop_api_client", "import", str(export), "--member", "somebody")
        do("model_training", "train")
        daily = do("orchestrator", "daily")
        do("data_intelligence", "weekly")
        do("hrv_shared", "scorecard")
        do("hrv_shared", "settings")
        do("whoop_api_client", "status")
        do("orchestrator", "doctor")
        secrets |= tokens_in(house)
    return house, words, secrets, member, daily


def guarded(house):
    """The same house with the guard in each of its processes, and no telemetry switched off for it by hand."""
    quiet = ("DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "ANONYMIZED_TELEMETRY")
    for name in quiet:
        house.environment.pop(name, None)
    house.environment["PYTHONPATH"] = str(GUARD)
    house.environment["HOUSE_GUARD_LOG"] = str(house.folder / "guard.log")
    return house


def tokens_in(house) -> set[str]:
    """The access and the refresh token as they are now."""
    from whoop_api_client.tokens import open_token_store

    pair = open_token_store(house.settings(), house.settings().member_id).load()
    return {pair.access_token, pair.refresh_token}


def guard_lines(house) -> list[str]:
    return (house.folder / "guard.log").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "attempt",
    [
        "s.connect(('192.0.2.1', 443))", "s.connect_ex(('192.0.2.1', 443))", "s.bind(('0.0.0.0', 0))",
        "socket.getaddrinfo('example.org', 443)", "socket.gethostbyname('example.org')",
        "socket.create_connection(('example.org', 443))",
        "__import__('urllib.request').request.urlopen('http://192.0.2.1/')",
        "__import__('httpx').get('http://192.0.2.1/')",
    ],
)  # fmt: skip
def test_the_guard_bites(tmp_path, attempt):
    house = guarded(make_house(tmp_path))
    command = [sys.executable, "-c", f"import socket; s = socket.socket(); {attempt}"]
    done = subprocess.run(command, env=house.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "nothing may leave this machine" in done.stderr
    assert any(line.startswith("refused") for line in guard_lines(house))


def test_nothing_leaves_the_machine(lived):
    house = lived[0]
    assert [line for line in guard_lines(house) if line.startswith("refused")] == []


def test_every_room_was_under_the_guard(lived):
    log = "\n".join(guard_lines(lived[0]))
    assert [room for room in ROOMS if f"-m {room}" not in log] == []


def test_the_whole_day_was_walked(lived):
    steps = {step["step"] for step in lived[4]["steps"]}
    assert {"nights", "journal", "models", "model_forecasts", "daily_summary"} <= steps
    assert {"agent_forecast", "final_forecast", "card"} <= steps
    assert lived[4]["failed"] == []
    house = lived[0]
    assert (house.home / "mlflow.db").exists() and any((house.home / "dagster").rglob("*"))


def test_no_secret_is_in_the_store_or_in_any_word(lived):
    house, words, secrets, *_ = lived
    assert len(secrets) >= 4 and all(len(secret) > 15 for secret in secrets)
    found = [str(path) for path, text in everything_kept(house) for secret in secrets if secret.encode() in text]
    assert found == []
    assert [secret for secret in secrets if any(secret in word for word in words)] == []


def test_the_search_finds_what_is_there(lived):
    """The wearer's cycles are in the record: a search that could not find them would find no secret either."""
    house = lived[0]
    day = Store(house.home).read_table("days")["day"].max().isoformat()
    assert any(day.encode() in text for path, text in everything_kept(house) if "record.sqlite" in path.name)
    assert any(day.encode() in text for path, text in everything_kept(house) if path.name == "days.parquet")


def test_name_and_address_of_the_wearer_are_in_no_log(lived):
    house, words, _, member, _ = lived
    email = member.profile["email"]
    logs = [text for path, text in everything_kept(house) if "dagster" in path.parts or "mlflow" in str(path)]
    assert not any(email.encode() in text for text in logs)
    assert not any(email in word for word in words)


def everything_kept(house):
    """Every file of the store and of the temporary folder, tables unpacked."""
    for root in (house.home, house.folder / "tmp"):
        for path in root.rglob("*"):
            if path.is_file():
                yield path, path.read_bytes()
                if path.suffix == ".parquet":
                    yield path, pl.read_parquet(path).write_json().encode()


def test_tokens_lie_apart_and_closed(lived):
    house = lived[0]
    kept = [path for path in Path(house.environment["HRV_CONFIG_DIR"]).rglob("*") if path.is_file()]
    assert kept and not any(house.home in path.parents for path in kept)
    assert [path.name for path in kept if _is_open(path) and path.suffix != ".lock"] == []


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def test_the_store_is_closed_to_others(lived):
    house = lived[0]
    assert stat.S_IMODE(house.home.stat().st_mode) == 0o700
    open_to_others = [
        path.name for pattern in ("record.sqlite", "tables/*.parquet", "reports/daily/*", "ledger.head")
        for path in house.home.glob(pattern) if _is_open(path)
    ]  # fmt: skip
    assert open_to_others == []


@pytest.mark.parametrize("setting", ["HRV_HOME", "HRV_CONFIG_DIR"])
def test_a_place_that_git_would_commit_is_refused(tmp_path, setting):
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", checkout], check=True, capture_output=True)
    house = make_house(tmp_path / "house", **{setting: str(checkout / "mine")})
    told = house.run("hrv_shared", "score", "--json")
    assert told.returncode == 2
    error = json.loads(told.stdout)["error"]
    assert error["code"] == "ConfigurationError" and "health data" in error["message"]
    assert not (checkout / "mine").exists()
    (checkout / ".gitignore").write_text("mine/\n")
    assert house.run("hrv_shared", "score", "--json").returncode == 0


def test_this_very_repository_is_refused(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("not a Git checkout: nothing can be committed from here")
    inside = ROOT / "docs" / f"store-{os.getpid()}"
    told = make_house(tmp_path, HRV_HOME=str(inside)).run("whoop_api_client", "status", "--json")
    made = inside.exists()
    shutil.rmtree(inside, ignore_errors=True)
    assert told.returncode == 2 and not made
