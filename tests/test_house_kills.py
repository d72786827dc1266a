"""``kill -9`` anywhere: nothing acknowledged is lost, nothing is doubled or half, and the next run carries on."""

from __future__ import annotations

import os
import random
import selectors
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

import house_writer
from house_export import write_export
from house_rooms import (
    MEMBER,
    House,
    fill_by_pulling,
    fill_journal,
    log_in,
    make_house,
    simulated,
    synthetic_member,
)
from hrv_shared.constants import HORIZONS
from hrv_shared.forecaster import find_forecasters
from hrv_shared.store import Store
from whoop_api_client.simulator import Fault

KILLS, SLOW_KILLS = 50, 500
SEED = 20261123
LINE_TIMEOUT_S = 60
DUMPED = {
    "fact": "SELECT * FROM fact ORDER BY seq",
    "live": "SELECT * FROM forecast WHERE book = 'live' ORDER BY n",
    "replay": "SELECT * FROM forecast WHERE book = 'replay' ORDER BY n",
    "outcome": "SELECT * FROM outcome ORDER BY n",
}


class Writer:
    """`house_writer` as a process that forks its victims."""

    def __init__(self, exports: Path) -> None:
        command = [sys.executable, "-W", "error", house_writer.__file__, str(exports)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._ready = selectors.DefaultSelector()
        self._ready.register(self.process.stdout, selectors.EVENT_READ)
        self._buffer = b""

    def start(self, home: Path) -> int:
        """Begin a run on a store; its process id."""
        self.process.stdin.write(f"{home}\n".encode())
        kind, pid = self.line().split()  # the fork says its first "done" only after opening a database
        assert kind == "pid"
        return int(pid)

    def line(self, timeout_s: float = LINE_TIMEOUT_S) -> str | None:
        """The next line, or None when none came in time."""
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            if not self._ready.select(max(0.0, deadline - time.monotonic())):
                return None
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, "the writer itself has died"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def rest(self) -> tuple[list[str], int]:
        """Everything until the run has ended: units done, exit code."""
        done = []
        while not (line := self.line() or "silence").startswith("ended"):
            assert line.startswith("done "), line
            done.append(line.removeprefix("done "))
        return done, int(line.split()[2])

    def close(self) -> None:
        self._ready.close()
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    for seed, member in enumerate(house_writer.MEMBERS):
        write_export(folder / member, seed=seed, nights=house_writer.NIGHTS, last_day=house_writer.LAST_DAY)
    return folder


@pytest.mark.parametrize(
    "kills", [KILLS, pytest.param(SLOW_KILLS, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_killed_at_random_points_the_record_is_what_it_would_have_been(exports, tmp_path, kills):
    draw = random.Random(SEED)
    writer = Writer(exports)
    try:
        untouched = tmp_path / "untouched"
        writer.start(untouched)
        order, code = writer.rest()
        assert code == 0 and len(order) == len(set(order)) > 18
        whole, after = dump(untouched), sizes_after_each(writer, exports, tmp_path / "stepwise", order)
        landed, finished, number = 0, 0, 0
        while landed < kills:
            home, done = tmp_path / f"home{number}", 0
            number += 1
            while True:
                heard, code = run_and_kill(writer, home, draw, order, done)
                done = max(done, len(heard))
                check_what_is_there(home, whole, after, order[done - 1] if done else None)
                if code == 0:
                    break
                landed += 1
                if landed == kills:
                    writer.start(home)
                    assert writer.rest()[1] == 0
                    break
            assert dump(home) == whole, "carried on, it became the same"
            assert tables(home) == tables(untouched)
            finished += 1
    finally:
        writer.close()
    assert landed == kills and finished >= 2


def run_and_kill(writer, home, draw, order, done):
    """Let a run go on to some unit beyond those done before, and a little longer; then kill it, unless it has ended."""
    pid = writer.start(home)
    if done == len(order):
        return writer.rest()
    heard, target = [], min(done + draw.randint(0, 4), len(order))
    while len(heard) < target:
        line = writer.line()
        assert line is not None and line.startswith("done "), line
        heard.append(line.removeprefix("done "))
    deadline = time.monotonic() + draw.uniform(0, 0.06)
    while (left := deadline - time.monotonic()) > 0 and (line := writer.line(left)) is not None:
        if line.startswith("ended"):
            return heard, int(line.split()[2])
        heard.append(line.removeprefix("done "))
    os.kill(pid, signal.SIGKILL)
    more, code = writer.rest()
    heard += more
    assert heard == order[: len(heard)]
    assert code in (0, -signal.SIGKILL)
    return heard, code


def check_what_is_there(home, whole, after, acknowledged):
    """The record is a beginning of the whole one, at least up to what was acknowledged; everything can be read."""
    found = dump(home) if (home / "record.sqlite").exists() else {name: [] for name in DUMPED}
    for name, rows in found.items():
        assert rows == whole[name][: len(rows)], f"{name}: something else, or twice"
        if acknowledged is not None:
            assert len(rows) >= after[acknowledged][name], f"{name}: acknowledged {acknowledged!r} is not there"
    tables(home)
    if (home / "record.sqlite").exists():
        ledger = Store(home).ledger
        assert ledger.verify() == []
        ledger.close()


def sizes_after_each(writer, exports, home, order):
    """How many rows the record holds after each unit, from a run in this process."""
    store, sizes = Store(home, clock=lambda: house_writer.NOW), {}
    for name, step in house_writer.units(store, exports):
        step()
        sizes[name] = {kind: len(rows) for kind, rows in dump(home).items()}
    store.record.close()
    store.ledger.close()
    assert list(sizes) == order
    return sizes


def dump(home: Path) -> dict[str, list]:
    """Every row of the record, whole, by chain."""
    with closing(sqlite3.connect(home / "record.sqlite", timeout=30)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if connection.execute("PRAGMA user_version").fetchone() == (0,):
            return {name: [] for name in DUMPED}  # killed before the first transaction
        return {name: connection.execute(query).fetchall() for name, query in DUMPED.items()}


def tables(home: Path) -> dict[str, bytes]:
    """The bytes of every table; each can be read, and whatever is unfinished has a hidden name."""
    found = {}
    for path in sorted(home.rglob("*.parquet")):
        if not path.name.startswith("."):
            pl.read_parquet(path)
            found[path.name] = path.read_bytes()
    return found


def test_killed_pulls_carry_on(tmp_path):
    """The real command in the middle of a first pull, over HTTP."""
    member = synthetic_member(5, 60)
    with simulated(member) as place:
        plain = make_house(tmp_path / "plain", place)
        fill_by_pulling(plain)
        house = make_house(tmp_path / "killed", place)
        log_in(house)
        place.faults.add(Fault("slow", count=10_000, path_contains="/v2/", seconds=0.05))
        draw, acknowledged = random.Random(SEED), set()
        for reach in (20, 110, 240):
            with watched(house, "whoop_api_client", "pull", "--json") as process:
                wait_until(lambda r=reach: len(facts(house)) >= r or process.poll() is not None)
                process.wait_a_little(draw.uniform(0, 0.3))
            kept = facts(house)
            assert acknowledged <= kept.keys()
            acknowledged = kept.keys()
            tables(house.home)
        place.faults.clear()
        house.ask("whoop_api_client", "pull")
        assert facts(house) == facts(plain)
        assert comparable_tables(house) == comparable_tables(plain)


def test_a_killed_ingest_loses_no_note(tmp_path):
    notes = [f"Note {n}: {n % 4} beers, slept in my own bed." for n in range(12)]
    houses = [make_house(tmp_path / name) for name in ("plain", "killed")]
    for house in houses:
        inbox = Store(house.home).folder("inbox")
        for number, text in enumerate(notes):
            path = inbox / f"{number:02}.txt"
            path.write_text(text, encoding="utf-8")
            os.utime(path, (1_770_000_000 + 86_400 * number,) * 2)
    plain, killed = houses
    began = time.monotonic()
    plain.ask("journal_analysis", "ingest")
    span, draw = time.monotonic() - began, random.Random(SEED)
    for _ in range(4):
        with watched(killed, "journal_analysis", "ingest", "--json") as process:
            process.wait_a_little(draw.uniform(0.5, 1.0) * span)
        held = {key for kind, key, *_ in facts(killed) if kind == "journal_entry"} if killed.home.exists() else set()
        waiting = {path.name for path in (killed.home / "inbox").glob("*.txt")}
        assert len(held) + len(waiting) >= len(notes), "a note is in the inbox until it is in the record"
    killed.ask("journal_analysis", "ingest")
    assert facts(killed) == facts(plain)
    assert comparable_tables(killed) == comparable_tables(plain)
    assert listing(killed) == listing(plain)


def test_a_killed_forecast_is_finished_by_the_next(tmp_path):
    member = synthetic_member(6, 70)
    with simulated(member) as place:
        filled = make_house(tmp_path / "filled", place)
        fill_by_pulling(filled)
    fill_journal(filled, member)
    plain, killed = (clone(filled, tmp_path / name) for name in ("plain", "killed"))
    began = time.monotonic()
    plain.ask("model_training", "forecast")
    span, draw, acknowledged = time.monotonic() - began, random.Random(SEED), {}
    for _ in range(2):
        with watched(killed, "model_training", "forecast", "--json") as process:
            process.wait_a_little(draw.uniform(0.4, 1.05) * span)
        said = quantiles(killed)
        assert acknowledged.items() <= said.items(), "what was issued stays"
        acknowledged = said
    killed.ask("model_training", "forecast")
    said = quantiles(killed)
    assert said == quantiles(plain)
    spoke = find_forecasters().keys() - {"fracast"}  # its weights are not in this house, and nothing fetches them
    assert said.keys() == {(name, h) for name in (*spoke, "mix") for h in HORIZONS}
    assert killed.ask("hrv_shared", "ledger", "verify")["sound"]


class watched:
    """A command that is killed at the end of the block, unless it has ended by itself."""

    def __init__(self, house: House, *command: str) -> None:
        self.process = house.start(*command)
        self.poll = self.process.poll

    def __enter__(self):
        return self

    def wait_a_little(self, seconds: float) -> None:
        """Let it run on."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGKILL)
        _, err = self.process.communicate(timeout=LINE_TIMEOUT_S)
        assert self.process.returncode in (0, -signal.SIGKILL), err


def wait_until(happened) -> None:
    """Watch another process's store from outside: there is no event to wait for."""
    deadline = time.monotonic() + LINE_TIMEOUT_S
    while not happened():
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.01)


def facts(house: House) -> dict[tuple, str]:
    """What every fact says; when it was seen only where a rule inferred it."""
    path = house.home / "record.sqlite"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        if connection.execute("PRAGMA user_version").fetchone() == (0,):
            return {}
        rows = connection.execute("SELECT kind, key, revision, basis, known_at, sha256 FROM fact").fetchall()
    found = {(k, key, r, basis): (sha, None if basis == "seen" else known) for k, key, r, basis, known, sha in rows}
    assert len(found) == len(rows)
    return found


def quantiles(house: House) -> dict[tuple, list]:
    """The live book by forecaster and horizon; each is there once."""
    if not (house.home / "record.sqlite").exists():
        return {}
    store = Store(house.home)
    assert store.ledger.verify() == []
    rows = store.ledger.forecasts("live", MEMBER)
    store.ledger.close()
    said = {(r["forecaster"], r["horizon"]): r["quantiles_ms"] for r in rows.iter_rows(named=True)}
    assert len(said) == len(rows)
    return said


def comparable_tables(house: House) -> dict[str, str]:
    """Every table without the instants at which this very run saw its rows."""
    found = {}
    for name in tables(house.home):
        frame = pl.read_parquet(house.home / "tables" / name)
        # tables that have no basis (the journal by day and week) rest on what this run has seen
        is_seen = pl.col("basis") == "seen" if "basis" in frame.columns else pl.lit(True)
        known_at = pl.when(is_seen).then(None).otherwise(pl.col("known_at"))
        found[name] = frame.with_columns(known_at.alias("known_at")).write_json()
    return found


def listing(house: House) -> list[str]:
    """Files of the store that a person would see, but for the database's own."""
    files = [p.relative_to(house.home) for p in house.home.rglob("*") if p.is_file() and not p.name.startswith(".")]
    return sorted(str(p) for p in files if not p.name.startswith("record.sqlite") and p.suffix != ".lock")


def clone(house: House, folder: Path) -> House:
    """The same house elsewhere, with a copy of the store."""
    copy = make_house(folder, None, HRV_MEMBER_ID=MEMBER)
    shutil.copytree(house.home, copy.home)
    return copy
