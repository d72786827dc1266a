"""The record and the ledger in PostgreSQL: rows, numbers, refusals and hashes as in a file, to the last byte."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.cli import run
from hrv_shared.commands import app
from hrv_shared.daytime import format_instant
from hrv_shared.erasing import WORDS_TO_ERASE, erase_all
from hrv_shared.errors import ClockBehind, ConfigurationError, NightHasBegun, StoreError
from hrv_shared.exporting import export_all
from hrv_shared.ledger import ForecastRow
from hrv_shared.postgres import PostgresPlace, move_record, place_of, write_place
from hrv_shared.record import FactDraft
from hrv_shared.settings import load_settings
from hrv_shared.store import Store
from postgres_server import missing, server

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
NOW = datetime(2026, 5, 10, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def dsn():
    with server() as place:
        yield place


@pytest.fixture
def stores(tmp_path, dsn, request):
    """A store with a file and one with a schema, on one clock."""
    clock, made = [NOW], []
    for name in ("file", "server"):
        home = tmp_path / name
        home.mkdir()
        if name == "server":
            write_place(home, PostgresPlace(dsn, f"t_{abs(hash(request.node.name)) % 10**9}"))
        made.append(Store(home, clock=lambda: clock[0]))
    return (*made, clock)


def row(horizon=1, origin=date(2026, 5, 10), as_of=NOW, member="me", forecaster="final"):
    quantiles = tuple(41.0 + 1 / 3 + k * 1.1 for k in range(23))
    target = origin + timedelta(days=horizon)
    return ForecastRow(
        member, "evening", as_of, origin, target, horizon, forecaster, "1", quantiles, "d", {"é": 0.1}
    )


def nights(*values):
    columns = schemas.TABLES["days"].columns
    rows = [
        dict.fromkeys(columns) | {
            "member_id": "me", "day": date(2026, 5, 11 + k), "known_at": NOW + timedelta(days=k + 1), "basis": "seen",
            "source": "whoop-api", "state": "scored", "flags": [], "hrv_rmssd_ms": value,
            "wake_at": NOW + timedelta(hours=11 + 24 * k), "sleep_onset_at": NOW + timedelta(hours=3 + 24 * k),
        }
        for k, value in enumerate(values)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=columns)


def live_through(store, clock):
    """The same things done to a store: facts, revisions, cursors, forecasts, outcomes; what it says of them."""
    clock[0] = NOW
    said = []
    for n, text in enumerate(["ä", "Z", "a", "_", "10", "9", 'a"b\\c', "%s ? %"]):
        draft = FactDraft("me", "note", text, {"n": n, "t": text}, NOW - timedelta(hours=n), "seen", "text")
        said.append(store.record.append_many([draft, draft], {"pull": f"{n} ?%"}))
    said.append(
        store.record.append(
            "other", "note", "k", {"x": 0.1 + 0.2}, known_at=NOW, basis="seen", source="s"
        ).seq
    )
    said.append(
        store.record.append("other", "note", "k", {"x": 0.1 + 0.2}, known_at=NOW, basis="seen", source="s")
    )
    said += [
        list(store.record.facts("note", as_of=NOW - timedelta(hours=3))),
        store.record.latest("note", "me"),
    ]
    said += [store.record.members(), store.record.last_seq("me"), store.record.get_cursor("pull")]
    said.append(store.ledger.issue("live", [row(h) for h in range(1, 8)]))
    said.append(store.ledger.issue("live", [row(h) for h in range(1, 8)]))
    said.append(store.ledger.issue("replay", [row(as_of=NOW - timedelta(days=9))]))
    clock[0] = NOW + timedelta(days=4)
    said.append(store.ledger.record_outcomes(nights(61.7, 1 / 3)))
    said.append(store.ledger.record_outcomes(nights(61.7, 1 / 3)))
    with pytest.raises(NightHasBegun) as refused:
        store.ledger.issue(
            "live", [row(7, date(2026, 5, 14), clock[0], "c"), row(as_of=clock[0], member="b")]
        )
    said.append(str(refused.value))
    clock[0] = NOW - timedelta(days=1)
    with pytest.raises(ClockBehind) as behind:
        store.ledger.issue("live", [row(as_of=clock[0], origin=date(2026, 5, 9))])
    said += [str(behind.value), store.ledger.verify(), (store.home / "ledger.head").read_text()]
    frames = [store.ledger.forecasts(), store.ledger.outcomes("me", as_of=NOW + timedelta(days=1, hours=1))]
    return [
        *said,
        *(frame.to_dicts() for frame in frames),
        store.ledger.issued_slots("me", "final", date(2026, 1, 1)),
    ]


def test_both_say_the_same_of_the_same_life(stores):
    file, there, clock = stores
    assert live_through(file, clock) == live_through(there, clock)
    assert (
        not (there.home / "record.sqlite").exists()
        and (there.home / "record.toml").stat().st_mode & 0o777 == 0o600
    )


def test_what_is_written_is_neither_changed_nor_dropped(stores):
    _, there, clock = stores
    live_through(there, clock)
    connection = there.ledger._connection
    for table in ("fact", "forecast", "outcome"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET member_id = 'x'", f"TRUNCATE {table}"):
            with pytest.raises(StoreError, match="only grows"):
                connection.execute(statement)
    connection.execute("ALTER TABLE forecast DISABLE TRIGGER forecast_only_grows")
    connection.execute("UPDATE forecast SET quantiles_ms = replace(quantiles_ms, '41.3', '41.4') WHERE n = 3")
    assert {(f.chain, f.n) for f in there.ledger.verify()} == {("live", 3)}, (
        "who may drop a trigger is found by the chain"
    )


def test_a_write_that_fails_leaves_nothing_and_the_next_one_works(stores):
    _, there, _ = stores
    good = FactDraft("me", "note", "a", {}, NOW, "seen", "text")
    with pytest.raises(ValueError, match="Out of range"):
        there.record.append_many(
            [good, FactDraft("me", "note", "b", {"x": float("nan")}, NOW, "seen", "text")]
        )
    assert list(there.record.facts()) == [] and there.record.append_many([good]) == 1


WRITER = """
import sys
from datetime import UTC, datetime, timedelta, date
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from hrv_shared.record import FactDraft
from hrv_shared.store import Store
from test_shared_postgres import NOW, row
store = Store(Path(sys.argv[1]), clock=lambda: NOW)
for n in range(25):
    store.record.append_many([FactDraft("me", "note", f"k{n}", {"n": n}, NOW, "seen", "text"),
                              FactDraft(sys.argv[2], "note", f"k{n}", {"n": n}, NOW, "seen", "text")])
    store.ledger.issue("live", [row(member=f"{sys.argv[2]}-{n}"), row(member=f"shared-{n}")])
"""


def test_four_processes_at_once_lose_and_double_nothing(stores):
    _, there, _ = stores
    command = [sys.executable, "-c", WRITER, str(there.home)]
    writers = [subprocess.Popen([*command, f"w{k}", str(Path(__file__).parent)], stderr=-1) for k in range(4)]
    for writer in writers:
        assert writer.wait(timeout=100) == 0, writer.stderr.read().decode()[-2000:]
        writer.stderr.close()
    facts = list(there.record.facts())
    assert len(facts) == 25 + 100 and [f.seq for f in facts] == sorted(f.seq for f in facts)
    assert len(there.ledger.forecasts()) == 100 + 25 and there.ledger.verify() == []


def test_a_files_record_moves_with_its_numbers_and_hashes(stores, dsn, tmp_path):
    file, _, clock = stores
    live_through(file, clock)
    place = PostgresPlace(dsn, "moved")
    counts = move_record(file.database, place)
    assert counts["forecast"] == 8 and counts["fact"] == 9
    before = (
        list(file.record.facts()),
        file.ledger.forecasts().to_dicts(),
        file.ledger.outcomes().to_dicts(),
    )
    moved = tmp_path / "moved"
    moved.mkdir()
    write_place(moved, place)
    (moved / "ledger.head").write_bytes((file.home / "ledger.head").read_bytes())
    clock[0] = NOW + timedelta(days=5)
    there = Store(moved, clock=lambda: clock[0])
    assert (
        list(there.record.facts()),
        there.ledger.forecasts().to_dicts(),
        there.ledger.outcomes().to_dicts(),
    ) == before
    assert there.ledger.verify() == []
    for store in (file, there):
        store.record.append("me", "note", "new", {}, known_at=NOW, basis="seen", source="text")
    assert there.record.last_seq("me") == file.record.last_seq("me"), "the numbers go on"
    with pytest.raises(StoreError, match="already"):
        move_record(file.database, place)


def test_it_can_be_erased_and_says_who_exports_it(stores, tmp_path, dsn):
    _, there, clock = stores
    live_through(there, clock)
    settings = load_settings({"HRV_CONFIG_DIR": str(tmp_path / "config")}, home=there.home)
    with pytest.raises(StoreError, match="pg_dump"):
        export_all(there, tmp_path / "x.zip")
    schema = place_of(there.home).schema
    erase_all(settings, WORDS_TO_ERASE)
    assert not there.home.exists()
    other = Store(tmp_path / "file").database  # any connection will do
    assert isinstance(other, Path)
    from hrv_shared.postgres import PostgresConnection

    look = PostgresConnection(PostgresPlace(dsn, "looking"))
    found = look.execute("SELECT count(*) FROM pg_namespace WHERE nspname = ?", (schema,)).fetchone()
    look.close()
    assert found == (0,)


def test_what_is_wrong_with_the_place_is_said_without_the_dsn(tmp_path, dsn):
    wrong = f"host={tmp_path} user=hrv password=s3cret dbname=postgres"
    write_place(tmp_path, PostgresPlace(wrong, "x"))
    with pytest.raises(StoreError, match="can't be reached") as refused:
        Store(tmp_path).record.members()
    assert "s3cret" not in str(refused.value) and "s3cret" not in repr(place_of(tmp_path))
    for schema in ("", 'a"; DROP SCHEMA x', "A"):
        with pytest.raises(ConfigurationError, match="small letters"):
            PostgresPlace(dsn, schema)
    (tmp_path / "record.toml").write_text("dsn = ")
    with pytest.raises(ConfigurationError, match="record.toml"):
        Store(tmp_path).record.members()
    (tmp_path / "old").mkdir()
    Store(tmp_path / "old").record.members()
    with pytest.raises(StoreError, match="hrv record move"):
        write_place(tmp_path / "old", PostgresPlace(dsn, "x"))
    assert format_instant(NOW).endswith("Z")


def test_the_command_moves_a_store_and_everything_goes_on(stores, dsn, capsys, monkeypatch):
    file, _, clock = stores
    live_through(file, clock)
    forecasts = file.ledger.forecasts().to_dicts()
    file.record.close()
    file.ledger.close()
    monkeypatch.setenv("HRV_HOME", str(file.home))
    monkeypatch.setattr(
        "sys.argv", ["hrv", "record", "move", "--dsn", dsn, "--schema", "by_command", "--json"]
    )
    with pytest.raises(SystemExit) as ended:
        run(app)
    told = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0 and (told["forecast"], told["fact"], told["schema"]) == (8, 9, "by_command")
    assert (file.home / "record.sqlite.moved").exists() and not (file.home / "record.sqlite").exists()
    assert Store(file.home).ledger.forecasts().to_dicts() == forecasts
