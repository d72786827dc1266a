"""The deployment: every location of the workspace loads, the rooms' lineage is the house's, a day runs on Dask."""

import importlib
import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from orchestrator.definitions import defs as one_machine
from orchestrator.house.assets import House, house_day
from orchestrator.house.buckets import BUCKETS, bucket_home, bucket_name, held_buckets, made_house

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
if not DEPLOY.exists():
    pytest.skip("the folder deploy is not beside this room", allow_module_level=True)
pytest.importorskip("dagster_dask", reason="dagster-dask is an extra: pip install 'hrv-orchestrator[house]'")
TODAY = datetime.now(UTC).date().isoformat()


def locations():
    told = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())
    return {
        entry["python_module"]["location_name"]: entry["python_module"]["module_name"]
        for entry in told["load_from"]
    }


def test_each_room_is_a_location_and_together_they_are_the_house(monkeypatch, tmp_path):
    monkeypatch.setenv("HRVHOUSE_HOME", str(tmp_path))
    made, checks, edges = set(), set(), set()
    for name, module in locations().items():
        own = importlib.import_module(module).defs
        if name == "house":
            assert [job.name for job in own.jobs] == ["house_day"]
            continue
        graph = own.resolve_asset_graph()
        mine = set(graph.materializable_asset_keys)
        assert mine and not mine & made, f"{name} has assets of its own"
        made |= mine
        checks |= set(graph.asset_check_keys)
        edges |= {(key, parent) for key in mine for parent in graph.get(key).parent_keys}
    whole = one_machine.resolve_asset_graph()
    assert made == set(whole.materializable_asset_keys) and checks == set(whole.asset_check_keys)
    assert edges == {(key, parent) for key in made for parent in whole.get(key).parent_keys}


def test_a_member_stays_in_its_bucket_and_buckets_are_even():
    assert bucket_name("me") == bucket_name("me") and bucket_name("m000001") == "37"
    counts = [0] * BUCKETS
    for number in range(6400):
        counts[int(bucket_name(f"m{number:06d}"))] += 1
    assert min(counts) > 60 and max(counts) < 145


def test_a_buckets_day_is_what_is_due_or_the_replay_of_a_day_that_is_over(tmp_path, monkeypatch):
    (tmp_path / "asks.py").write_text(
        "import json, os, sys; print(json.dumps({'args': sys.argv[1:], 'home': os.environ['HRV_HOME'],"
        " 'all': os.environ['HRV_ALL_MEMBERS']}))"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made_house(tmp_path, None, ["07"])
    house = House(home=str(tmp_path), live=["asks", "live"], past=["asks", "past", "{day}..{day}"])
    now = house.do("07", datetime.now(UTC).date())
    assert (now["args"], now["home"], now["all"]) == (["live"], str(bucket_home(tmp_path, "07")), "true")
    assert house.do("07", datetime(2026, 3, 1, tzinfo=UTC).date())["args"] == [
        "past",
        "2026-03-01..2026-03-01",
    ]
    assert house.do("08", datetime.now(UTC).date()) == {"bucket": "08", "members": 0}
    with pytest.raises(Exception, match="bucket 07: "):
        House(home=str(tmp_path), live=["nothing_here"]).do("07", datetime.now(UTC).date())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_day_of_the_house_runs_on_two_dask_workers_with_dagster_in_postgresql(tmp_path, monkeypatch):
    tool = importlib.util.spec_from_file_location(
        "postgres_server", ROOT / "shared" / "tests" / "postgres_server.py"
    )
    postgres = importlib.util.module_from_spec(tool)
    tool.loader.exec_module(postgres)
    if postgres.missing():
        pytest.skip(postgres.missing())
    with postgres.server() as dsn:
        parts = dict(part.split("=", 1) for part in dsn.split())
        url = f"postgresql+psycopg2://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
        monkeypatch.setenv("DAGSTER_PG_URL", url)
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
        monkeypatch.setenv("HRVHOUSE_HOME", str(tmp_path / "house"))
        (tmp_path / "dagster").mkdir()
        (tmp_path / "dagster" / "dagster.yaml").write_bytes((DEPLOY / "dagster.yaml").read_bytes())
        homes = made_house(tmp_path / "house", dsn, ["03", "07", "11", "19"])
        with dg.DagsterInstance.get() as instance:
            job = dg.build_reconstructable_job(__name__, "due_on_dask", (str(tmp_path / "house"),),
                                               reconstructor_working_directory=str(Path(__file__).parent))  # fmt: skip
            result = dg.execute_job(job, instance, tags={"dagster/partition": TODAY}, raise_on_error=True)
            assert result.success
            steps = {e.step_key for e in result.all_events if e.is_step_success}
            assert {f"bucket_{home.name[-2:]}" for home in homes} <= steps
            assert instance.get_runs_count() == 1
            storage = type(instance.run_storage).__name__
            assert "Postgres" in storage or "Composite" in storage, storage
    assert not list((tmp_path / "dagster").rglob("*.db")), "no run is kept in a file"


def due_on_dask(home):
    from dagster_dask import dask_executor

    cluster = {
        "local": {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "host": "127.0.0.1"}
    }
    house = House(home=home, live=["orchestrator", "due", "--json"])
    return house_day(dask_executor.configured({"cluster": cluster}), house, held_buckets(Path(home)))
