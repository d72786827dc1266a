"""Any command twice: the second run writes nothing new; what is derived can be thrown away and comes back the same."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing

import pytest

from house_export import write_export
from house_rooms import log_in, make_house, simulated, synthetic_member, write_notes
from hrv_shared.store import Store

NOTES = ("Two beers with dinner, in bed at eleven.", "No alcohol, easy run at seven, coffee at nine.")
TABLES = ("cycles", "sleeps", "recoveries", "workouts", "days", "journal_facts", "scores")

COMMANDS = [
    ("whoop_api_client", "pull"),
    ("journal_analysis", "backfill", "{notes}"),
    ("journal_analysis", "ingest"),
    ("whoop_api_client", "import", "{export}", "--member", "somebody"),
    ("model_training", "replay", "--nights", "2"),
    ("model_training", "forecast"),
    ("data_intelligence", "daily"),
    ("llm_agent", "forecast"),
    ("model_training", "combine"),
    ("hrv_shared", "score"),
    ("data_intelligence", "daily"),
    ("data_intelligence", "weekly"),
]


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """A house in which every command ran twice, and what it held after the first and after the second time.

    The member's data end ten days ago, so the issue that is due is the same replay at any moment of the test.
    """
    folder = tmp_path_factory.mktemp("twice")
    member = synthetic_member(12, 60, days_ago=10)
    held, answers = [], []
    with simulated(member) as place:
        house = make_house(folder, place)
        log_in(house)
        files = {
            "{notes}": str(write_notes(member, folder / "notes.jsonl")),
            "{export}": str(write_export(folder / "export", seed=3, nights=40, last_day=member.now.date())),
        }
        for _ in range(2):
            inbox = Store(house.home).folder("inbox")
            for number, text in enumerate(NOTES):
                (inbox / f"{number}.txt").write_text(text, encoding="utf-8")
            for command in COMMANDS:
                answers.append((command[:2], house.ask(*(files.get(word, word) for word in command))))
            held.append((record_of(house), derived_of(house)))
        yield house, held, answers


def record_of(house) -> dict[str, list]:
    """Every row of facts, forecasts and outcomes."""
    with closing(sqlite3.connect(house.home / "record.sqlite")) as connection:
        tables = ("fact", "forecast", "outcome")
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def derived_of(house) -> dict[str, str]:
    """sha256 of every table and report."""
    files = [*house.home.glob("tables/*.parquet"), *(p for p in house.home.glob("reports/**/*") if p.is_file())]
    return {str(path.relative_to(house.home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_first_time_wrote_something(twice):
    record, derived = twice[1][0]
    kinds = {row[2] for row in record["fact"]}
    assert kinds >= {"cycle", "sleep", "recovery", "workout", "export_cycle", "export_sleep"}
    assert kinds >= {"journal_entry", "journal_fact", "refusal"}
    assert len(record["forecast"]) > 100 and len(record["outcome"]) > 40
    assert {f"tables/{name}.parquet" for name in TABLES} <= derived.keys()
    assert any(name.startswith("reports/daily") for name in derived)
    assert any(name.startswith("reports/weekly") for name in derived)


@pytest.mark.parametrize("what", ["fact", "forecast", "outcome"])
def test_the_second_time_adds_no_row(twice, what):
    (first, _), (second, _) = twice[1]
    assert second[what] == first[what]


def test_the_second_time_leaves_every_table_and_report_as_it_was(twice):
    (_, first), (_, second) = twice[1]
    assert {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)} == set()


def test_the_commands_say_that_nothing_was_new(twice):
    second = dict(twice[2][len(COMMANDS) :])
    assert not any(second["whoop_api_client", "pull"]["written"].values())
    assert second["journal_analysis", "backfill"]["entries"] == 0
    ingested = second["journal_analysis", "ingest"]
    assert (ingested["new"], ingested["already"]) == (0, len(NOTES))
    assert second["hrv_shared", "score"]["new_outcomes"] == 0
    for verb in ("replay", "forecast", "combine"):
        assert second["model_training", verb]["written"] == 0
        assert second["model_training", verb]["already"] > 0


def test_a_thrown_away_table_comes_back_byte_for_byte(twice):
    house = twice[0]
    before = derived_of(house)
    shutil.rmtree(house.home / "tables")
    house.ask("orchestrator", "rebuild")
    assert derived_of(house) == before


def test_the_ledger_is_sound(twice):
    assert twice[0].ask("hrv_shared", "ledger", "verify")["sound"]
