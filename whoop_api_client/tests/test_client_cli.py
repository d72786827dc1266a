"""The commands as a person or a program calls them: one JSON object on stdout, sentences for errors, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

import whoop_api_client
from hrv_shared import schemas
from hrv_shared.errors import HrvError
from hrv_shared.settings import load_settings
from whoop_api_client.app_secrets import ask_for_app, read_secrets_file
from whoop_api_client.cli import app
from whoop_api_client.errors import NotConnected
from whoop_api_client.gap_actions import what_is_done
from whoop_api_client.holdings import days_without_hrv, runs_text
from whoop_api_client.pull_progress import PullProgress
from whoop_api_client.simulator import SimulatorConfig, make_member, running

HEAVY = ("httpx", "fastapi", "uvicorn", "polars", "keyring", "cryptography", "numpy")


class Room:
    """Runs the room's commands in processes of their own."""

    def __init__(self, folder, **settings: str):
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | {
            "HRV_HOME": str(folder / "home"),
            "HRV_CONFIG_DIR": str(folder / "config"),
            "HRV_TOKEN_STORE": "file",
            **settings,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "whoop_api_client", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )

    def ask(self, *arguments: str) -> dict:
        """The one JSON object that a command prints, asked for in this process (quicker)."""
        done = CliRunner().invoke(app, [*arguments, "--json"], env=self.environment, catch_exceptions=False)
        assert done.exit_code == 0
        assert done.stdout.count("\n") == 1
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def place() -> Iterator:
    now = datetime.now(UTC) - timedelta(minutes=5)
    with running(
        make_member(4, now=now, n_nights=40), SimulatorConfig(rate_per_minute=0, clock_runs=False)
    ) as made:
        yield made


def test_from_connect_to_gaps_in_separate_processes(place, tmp_path):
    secrets = tmp_path / "secrets.env"
    secrets.write_text(
        f'export WHOOP_CLIENT_ID="{place.client_id}"\nWHOOP_CLIENT_SECRET={place.client_secret}\n'
    )
    room = Room(tmp_path, HRV_WHOOP_API_BASE=place.api_base, HRV_WHOOP_AUTH_BASE=place.auth_base)
    connected = room.run("connect", "--auto", "--secrets-file", str(secrets), "--json")
    assert json.loads(connected.stdout)["connected"], connected.stderr
    pulled = room.run("pull", "--json")
    result = json.loads(pulled.stdout)
    assert result["mode"] == "backfill"
    assert result["tables"]["days"] > 40
    status = room.ask("status")
    assert status["connection"]["connected"]
    assert status["holdings"]["recovery"] == result["received"]["recovery"]
    gaps = room.ask("gaps")
    assert gaps["scored"] + sum(gaps["counts"].values()) == gaps["days"] >= 38
    assert gaps["counts"]["calibrating"] >= 1
    for text in (connected.stdout, connected.stderr, pulled.stdout, pulled.stderr, json.dumps(status)):
        assert place.client_secret not in text
        assert "@" not in text
    for said in ("WHOOP has withdrawn the access", "There was no connection"):
        assert said in CliRunner().invoke(app, ["disconnect"], env=room.environment).stdout


def test_an_error_is_a_sentence_or_one_object(tmp_path):
    room = Room(tmp_path)
    told = room.run("pull", "--json")
    assert told.returncode == 2
    assert json.loads(told.stdout)["error"]["code"] == "NotConnected"
    said = room.run("pull")
    assert said.returncode == 2
    assert "hrv connect" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("import", "/nowhere.zip"), "/nowhere.zip"),
        (("connect", "--auto"), "CLIENT_ID"),
        (("pull",), "hrv connect"),
    ],
)
def test_every_failure_is_one_of_ours(tmp_path, arguments, word):
    done = CliRunner().invoke(app, list(arguments), env=Room(tmp_path).environment)
    assert isinstance(done.exception, HrvError)
    assert word in str(done.exception)


@pytest.mark.parametrize(
    "arguments", [("pull", "--day", "yesterday"), ("gaps", "--since", "5"), ("simulate", "--now", "x")]
)
def test_a_malformed_day_is_said(tmp_path, arguments):
    done = CliRunner().invoke(app, list(arguments), env=Room(tmp_path).environment)
    assert done.exit_code == 2
    assert "expected" in done.output


def test_help_loads_nothing_heavy(tmp_path):
    script = (
        "import sys\n"
        "from whoop_api_client.cli import app\n"
        "try:\n    app(['pull', '--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_public_verbs_are_there():
    for name in whoop_api_client.__all__:
        assert callable(getattr(whoop_api_client, name)), name
    with pytest.raises(AttributeError):
        _ = whoop_api_client.nothing


def days_table(*states: tuple[str, int, str]) -> pl.DataFrame:
    """Rows of `days`: (day, hour at which it was known, state)."""
    columns = schemas.TABLES["days"].columns
    rows = [
        dict.fromkeys(columns)
        | {"member_id": "me", "day": date.fromisoformat(day), "state": state}
        | {"known_at": datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hour)}
        for day, hour, state in states
    ]
    return pl.DataFrame(rows, schema=columns)


def test_gaps_go_by_the_last_vintage_and_name_missing_days():
    frame = days_table(
        ("2026-05-01", 1, "pending"), ("2026-05-01", 2, "scored"), ("2026-05-02", 1, "scored"),
        ("2026-05-05", 1, "no_sleep"), ("2026-05-06", 1, "no_sleep"), ("2026-05-07", 1, "unscorable"),
    )  # fmt: skip
    past = {"today": date(2026, 8, 1), "connected": True}
    found = days_without_hrv(frame, "me", **past)
    assert (found["days"], found["scored"]) == (7, 2)
    assert found["counts"] == {"missing": 2, "no_sleep": 2, "unscorable": 1}
    assert [(run["state"], run["from"].day, run["to"].day) for run in found["gaps"]] == [
        ("missing", 3, 4), ("no_sleep", 5, 6), ("unscorable", 7, 7),
    ]  # fmt: skip
    assert days_without_hrv(frame, "me", date(2026, 5, 5), **past)["days"] == 3
    assert days_without_hrv(frame, "somebody else", **past)["days"] == 0
    assert "2026-05-03 to 2026-05-04 (2 days)  nothing: no record tells of it" in runs_text(found)
    assert found["days_behind"] > 1 and "The newest day is" in runs_text(found)


@pytest.mark.parametrize(
    ("state", "age_days", "connected", "says", "until"),
    [
        ("pending", 300, True, "until WHOOP has scored it", None),
        ("pending", 1, False, "hrv connect", None),
        (
            "unscorable",
            7,
            True,
            "every pull until 2026-06-07, once a week until 2026-06-30",
            date(2026, 6, 30),
        ),
        ("missing", 8, True, "re-read once a week until 2026-06-30", date(2026, 6, 30)),
        ("missing", 31, True, "hrv pull --day 2026-05-31", None),
        ("unscorable", 31, True, "nothing: WHOOP could not score it", None),
        ("no_sleep", 2, False, "nothing: the strap was not worn", None),
        ("calibrating", 99, True, "still learning", None),
        ("invalid", 99, True, "hrv pull --full", None),
        ("vanished", 99, True, "deleted at WHOOP", None),
    ],
)
def test_gaps_say_what_is_being_done(state, age_days, connected, says, until):
    last = date(2026, 5, 31)
    done = what_is_done(state, last, last, last + timedelta(days=age_days), connected=connected)
    assert says in done.text
    assert done.until == until
    assert done.is_asked_again == (not done.text.startswith("nothing"))


def test_every_state_of_the_days_table_has_an_answer():
    states = ("pending", "unscorable", "calibrating", "no_sleep", "invalid", "vanished", "missing")
    long_ago, today = date(2020, 1, 1), date(2026, 1, 1)
    for state in states:
        assert "nothing is known" not in what_is_done(state, long_ago, long_ago, today, connected=True).text


def test_progress_tells_count_rate_reach_and_what_is_left():
    now, clock = datetime(2026, 6, 1, tzinfo=UTC), [100.0]
    watch = PullProgress(now, lambda: clock[0])
    watch.begins(now - timedelta(days=1000))
    clock[0] += 10
    assert watch.page("cycle", 500, now - timedelta(days=500)) == 500
    assert watch.share_done() == pytest.approx(1 / 8)
    assert watch.text() == "500 records, 50/s, cycles back to 2025-01-17, about 70 s left"
    watch.page("cycle", 990, now - timedelta(days=999))
    clock[0] += 90
    assert watch.page("recovery", 250, now - timedelta(days=250)) == 250
    assert watch.share_done() == pytest.approx(
        (2 + 1 / 4) / 4
    )  # cycles and sleeps are done, a quarter of the third
    assert watch.text() == "1,240 records, 12/s, recoveries back to 2025-09-24, about 78 s left"
    # without the account's length, and in a window, nothing is guessed
    watch = PullProgress(now, lambda: clock[0])
    watch.begins(None)
    watch.page("cycle", 5, now)
    assert "left" not in watch.text()


def test_a_secrets_file_without_a_secret_is_said_without_quoting_it(tmp_path):
    path = tmp_path / "s"
    path.write_text("client_id = 'abc'\npassword = canary\n")
    with pytest.raises(NotConnected, match="no client_secret") as told:
        read_secrets_file(path)
    assert "canary" not in str(told.value)
    path.write_text('client_id = "abc"\nclient_secret = "canary"\n')
    found = read_secrets_file(path)
    assert (found.client_id, found.client_secret) == ("abc", "canary")
    assert "canary" not in repr(found)
    with pytest.raises(NotConnected, match="cannot be read"):
        read_secrets_file(tmp_path / "absent")


def test_nobody_is_asked_where_nobody_sits(monkeypatch):
    with open(os.devnull) as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        assert ask_for_app(load_settings({})).client_id is None
