"""What the house-wide tests share: a store filled by a real pull, and the rooms' commands as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hrv_shared.settings import Settings, load_settings
from journal_analysis import backfill
from whoop_api_client.connecting import connect
from whoop_api_client.pulling import pull
from whoop_api_client.simulator import (
    RunningSimulator,
    SimulatorConfig,
    SyntheticMember,
    make_member,
    running,
)

MEMBER = "me"
HOUR_WITH_NIGHT_BEHIND = 14
"""The simulated members' local hour: the last night is scored, the day is not over."""


@dataclass(frozen=True)
class House:
    """One ``HRV_HOME`` and the environment in which its commands run."""

    folder: Path
    environment: dict[str, str]

    @property
    def home(self) -> Path:
        """The store's folder."""
        return Path(self.environment["HRV_HOME"])

    def settings(self) -> Settings:
        """The settings that the commands see."""
        return load_settings({k: v for k, v in self.environment.items() if k.startswith("HRV_")})

    def start(self, room: str, *arguments: str) -> subprocess.Popen:
        """Start a room's command."""
        return subprocess.Popen(
            [sys.executable, "-m", room, *arguments], env=self.environment, cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, room: str, *arguments: str) -> subprocess.CompletedProcess:
        """Run a room's command to its end."""
        process = self.start(room, *arguments)
        out, err = process.communicate(timeout=110)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ask(self, room: str, *arguments: str) -> dict:
        """Run it with ``--json``; its one JSON object."""
        done = self.run(room, *arguments, "--json")
        assert done.returncode == 0, f"{room} {arguments}: {done.stdout}{done.stderr}"
        assert done.stdout.count("\n") == 1, f"{room} {arguments} printed more than one object"
        return json.loads(done.stdout)


def make_house(folder: Path, simulator: RunningSimulator | None = None, **settings: str) -> House:
    """A house in ``folder`` that nothing of this machine reaches into: no settings, keyring or models of the user."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tmp").mkdir(exist_ok=True)
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("HRV_", "DAGSTER_", "MLFLOW_"))
    } | {
        "HRV_HOME": str(folder / "home"),
        "HRV_CONFIG_DIR": str(folder / "config"),
        "HRV_CACHE_DIR": str(folder / "cache"),
        "HRV_TOKEN_STORE": "file",
        "HRV_ALLOW_DOWNLOAD": "false",
        "HRV_LLM_BACKEND": "none",
        "HRV_REPLAY_NIGHTS": "3",
        "TMPDIR": str(folder / "tmp"),
        "OMP_NUM_THREADS": "1",  # several tests share few cores; spinning threads would cost more than they save
    }
    if simulator is not None:
        environment |= {
            "HRV_WHOOP_API_BASE": simulator.api_base,
            "HRV_WHOOP_AUTH_BASE": simulator.auth_base,
            "HRV_WHOOP_CLIENT_ID": simulator.client_id,
            "HRV_WHOOP_CLIENT_SECRET": simulator.client_secret,
        }
    return House(folder, environment | settings)


def synthetic_member(seed: int, nights: int, *, days_ago: int = 0) -> SyntheticMember:
    """A member who lives where it is early afternoon now, and whose data end now or ``days_ago``."""
    now = datetime.now(UTC) - timedelta(days=days_ago, minutes=5)
    offset_hours = (HOUR_WITH_NIGHT_BEHIND - now.hour + 11) % 24 - 11
    return make_member(seed, now=now, n_nights=nights, utc_offset_min=60 * offset_hours)


@contextmanager
def simulated(member: SyntheticMember, **config: object) -> Iterator[RunningSimulator]:
    """The member's account as a real HTTP server, its clock stopped, without a rate limit."""
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False, **config)) as place:
        yield place


def log_in(house: House) -> None:
    """Walk the OAuth2 code flow."""
    connect(house.settings(), "follow")


def fill_by_pulling(house: House) -> None:
    """Log in and pull the whole history, with the room's own client."""
    log_in(house)
    pull(house.settings())


def write_notes(member: SyntheticMember, path: Path, count: int | None = None) -> Path:
    """The member's evening notes as JSON lines, the newest ``count``."""
    notes = member.journal[-count:] if count else member.journal
    lines = [json.dumps({"recorded_at": n.recorded_at.isoformat(), "text": n.text}) for n in notes]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def fill_journal(house: House, member: SyntheticMember) -> None:
    """Take in every evening note, known when it was told."""
    from hrv_shared.store import Store

    store = Store.open(house.settings())
    backfill(store, MEMBER, write_notes(member, house.folder / "notes.jsonl"))
    store.record.close()
