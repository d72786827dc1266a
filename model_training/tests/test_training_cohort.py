"""A cohort's day from PostgreSQL's record into its ledger, by two workers: the same as one process on files."""

import importlib.util
from pathlib import Path

import pytest

from hrv_shared.postgres import PostgresConnection, PostgresPlace, write_place
from hrv_shared.store import Store
from model_training.scale.cohort import BucketDay, do_bucket_day, fill, run_cohort
from model_training.scale.members import lay_out, read_bucket

TOOL = Path(__file__).resolve().parents[2] / "shared" / "tests" / "postgres_server.py"
if not TOOL.exists():
    pytest.skip("the tests of the room shared are not beside this room", allow_module_level=True)
found = importlib.util.spec_from_file_location("postgres_server", TOOL)
postgres = importlib.util.module_from_spec(found)
found.loader.exec_module(postgres)
pytestmark = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing())


@pytest.fixture(scope="module")
def dsn():
    with postgres.server() as place:
        yield place


def test_two_workers_on_postgresql_and_one_process_on_files_give_the_same_ledger(dsn):
    told = run_cohort(dsn, 25, engine="joblib", workers=2, nights=60)
    assert told["equal"] and told["postgres"]["rows"] == told["files"]["rows"] > 25 * 7 * 7
    assert told["postgres"]["members_per_cpu_second"] > 0 and told["postgres"]["processes"] >= 1
    look = PostgresConnection(PostgresPlace(dsn, "looking"))
    left = look.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'cohort_%'").fetchone()
    look.close()
    assert left == (0,), "nothing is left in the database"


def test_a_day_done_twice_changes_nothing_and_its_tables_are_those_of_before(dsn, tmp_path):
    (tmp_path / "tables").mkdir()
    lay_out(tmp_path / "tables", 5, nights=60, seed=3)
    days, journal = read_bucket(tmp_path / "tables", 0)
    home = tmp_path / "home"
    home.mkdir()
    write_place(home, PostgresPlace(dsn, "twice"))
    assert fill(home, days, journal) == len(days) + len(journal)
    first, again = (do_bucket_day(BucketDay(str(home), "evening")) for _ in range(2))
    assert first.members == 5 and first.rows > 0 and again.rows == 0
    assert Store(home).ledger.verify() == []
