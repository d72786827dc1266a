"""Prompts in the registry, calls as traces with outcomes, measurements as runs: on a real MLflow in a store's file."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.mlflow_store import open_mlflow
from hrv_shared.schemas import TABLES
from hrv_shared.store import Store
from llm_agent.bench.mlflow_run import EXPERIMENT, enter_run
from llm_agent.errors import BadPrompt
from llm_agent.mlflow_prompts import PromptFile, _read, prompt_files, register_prompts, registered_name
from llm_agent.traces import experiment_name, write_traces
from llm_agent.tracing_cli import traces_or_why_not

# MLflow, alembic and their imports warn of their own deprecations, which are not ours to mend
pytestmark = pytest.mark.filterwarnings("ignore")

EVENING = datetime(2026, 5, 10, 20, 0, tzinfo=UTC)
ORIGIN = date(2026, 5, 10)
ISSUE = Issue("me", "live", "evening", EVENING, ORIGIN, 0)
OLD = PromptFile("choice", "champion", "9", "aaaaaaaa", '{"version": "9", "system": "Be brief."}')
NEW = PromptFile("choice", "challenger", "10", "bbbbbbbb", '{"version": "10", "system": "Be {{kind}}."}')


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """An empty database with all its tables; copied for each test, because making one takes seconds."""
    store = Store(tmp_path_factory.mktemp("agent-mlflow"))
    open_mlflow(store).MlflowClient().search_experiments()
    with closing(sqlite3.connect(store.home / "mlflow.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store.home / "mlflow.db"


@pytest.fixture
def clock():
    return [EVENING]


@pytest.fixture
def store(tmp_path, template, clock):
    store = Store(tmp_path / "home", lambda: clock[0])
    shutil.copy(template, store.home)
    yield store
    store.ledger.close()
    store.record.close()


def forecasts(store):
    store.ledger.issue("live", [
        ForecastRow("me", "evening", EVENING, ORIGIN, ORIGIN + timedelta(days=h), h, who, "1",
                    tuple(start + i for i in range(23)), "d")
        for who, start in (("agent", 40.0), ("mix", 44.0)) for h in range(1, 8)
    ])  # fmt: skip


def call(store, words="Two glasses of wine."):
    store.record.append(
        "me", "llm_call", f"live:{ISSUE.name}",
        {"issue": ISSUE.describe(), "messages": [{"role": "user", "content": words}], "seed": 0, "prompt": "1-aaaaaaaa",
         "reply": {"text": '{"shift_ms": -6}', "seconds": 21.5, "model_id": "fake"}},
        known_at=EVENING, basis="seen", source="llm-agent",
    )  # fmt: skip


def night(store, clock, hrv, at):
    clock[0] = at
    known = {
        "member_id": "me", "day": ORIGIN + timedelta(days=1), "known_at": at, "hrv_rmssd_ms": hrv,
        "state": "scored", "sleep_onset_at": EVENING + timedelta(hours=3), "wake_at": EVENING + timedelta(hours=11),
    }  # fmt: skip
    columns = {name: [known.get(name)] for name in TABLES["days"].columns}
    store.ledger.record_outcomes(pl.DataFrame(columns, schema=TABLES["days"].columns))


def traces(store):
    mlflow = open_mlflow(store)
    found = mlflow.get_experiment_by_name(experiment_name("me"))
    return mlflow.search_traces(locations=[found.experiment_id], return_type="list")


def told(trace):
    return {a.name: a.value for a in trace.info.assessments}


def test_a_call_is_a_trace_and_the_morning_after_it_has_its_outcome(store, clock):
    call(store)
    forecasts(store)
    assert write_traces(store, "me") == {"written": 1, "scored": 0, "waiting": 1}
    assert write_traces(store, "me") == {"written": 0, "scored": 0, "waiting": 1}
    (trace,) = traces(store)
    assert trace.data.spans[0].inputs["messages"][0]["content"] == "Two glasses of wine."
    assert trace.data.spans[0].outputs["reply"]["text"] == '{"shift_ms": -6}'
    assert trace.info.timestamp_ms == round((EVENING - timedelta(seconds=21.5)).timestamp() * 1000)
    assert trace.info.execution_duration == 21500 and trace.info.tags["prompt"] == "1-aaaaaaaa"

    morning = EVENING + timedelta(hours=12)
    night(store, clock, 55.0, morning)
    assert write_traces(store, "me") == {"written": 0, "scored": 1, "waiting": 0}
    first = told(traces(store)[0])
    assert first["hrv_rmssd_ms"] == 55.0 and first["abs_error_ms"] == 4.0 and first["abs_error_ms_mix"] == 0.0
    assert first["crps_ms"] > first["crps_ms_mix"] > 0 and first["in_80"] is True
    assert write_traces(store, "me")["scored"] == 0

    night(store, clock, 58.0, morning + timedelta(hours=5))  # revised within the settling time
    assert write_traces(store, "me")["scored"] == 1
    second = told(traces(store)[0])
    assert second["hrv_rmssd_ms"] == 58.0 and len(second) == len(first)
    clock[0] = morning + timedelta(days=3)
    assert write_traces(store, "me")["scored"] == 0
    assert traces(store)[0].info.tags["state"] == "settled"


def test_a_trace_written_before_a_kill_is_not_written_again(store):
    call(store)
    write_traces(store, "me")
    mlflow = open_mlflow(store)
    experiment = mlflow.get_experiment_by_name(experiment_name("me"))
    mlflow.MlflowClient().set_experiment_tag(experiment.experiment_id, "hrv.last_seq", "0")
    call(store, "And a whisky.")
    assert write_traces(store, "me")["written"] == 1
    assert len(traces(store)) == 2


def test_a_review_goes_on_when_mlflow_cannot(store, capsys):
    call(store)
    (store.home / "mlflow.db").write_bytes(b"not a database, and nothing like one" * 200)
    assert set(traces_or_why_not(store, "me")) == {"failed"}
    assert "hrv agent traces" in capsys.readouterr().err


def test_nobody_asked_means_no_mlflow(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom hrv_shared.store import Store\nimport llm_agent.cli\n"
        "from llm_agent.traces import write_traces\n"
        f"print(write_traces(Store(Path({str(tmp_path)!r}) / 'home'), 'me'), 'mlflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["{'written':", "0,", "'scored':", "0,", "'waiting':", "0}", "False"]
    assert not (tmp_path / "home" / "mlflow.db").exists()


def test_prompts_are_registered_once_and_the_aliases_follow(store):
    (row,) = register_prompts(store, [OLD])
    assert (row["registered"], row["new"], row["alias"]) == (1, True, "champion")
    rows = register_prompts(store, [OLD, NEW])
    assert [(r["registered"], r["new"], r["alias"]) for r in rows] == [
        (1, False, "champion"),
        (2, True, "challenger"),
    ]
    mlflow, name = open_mlflow(store), registered_name("choice")
    assert mlflow.genai.load_prompt(f"prompts:/{name}@challenger").template == NEW.text
    (row,) = register_prompts(store, [replace(NEW, alias="champion")])  # the challenger took the seat
    assert (row["registered"], row["new"]) == (2, False)
    assert int(mlflow.genai.load_prompt(f"prompts:/{name}@champion", cache_ttl_seconds=0).version) == 2
    with pytest.raises(Exception, match="challenger"):
        mlflow.genai.load_prompt(f"prompts:/{name}@challenger", cache_ttl_seconds=0)
    assert len(mlflow.MlflowClient().search_prompt_versions(name)) == 2


def test_every_prompt_that_ships_has_a_version_and_a_name_of_the_form():
    shipped = prompt_files()
    assert shipped and len({(p.family, p.alias) for p in shipped}) == len(shipped)
    assert all(p.version and len(p.digest) == 8 for p in shipped)
    for name, data in (("free", b"{}"), ("free", b"nonsense"), ("free.other", b'{"version": "1"}')):
        with pytest.raises(BadPrompt, match=name):
            _read(name, data)


def test_a_measurement_is_a_run_with_its_figures_and_code_scorers(store):
    marks = {
        "valid": True, "signs_agree": True, "ungrounded": [], "invented": [], "false_clauses": [], "overstated": [],
        "rationale": "x",
    }  # fmt: skip
    result = {
        "cases": "pairs_x", "kind": "pairs", "split": "dev", "digest": "d", "n": 2, "samples": 3, "seed": 0,
        "words_only": False,
        "model": "fake", "prompts": ["1-aaaaaaaa"], "faults": [],
        "figures": [{"what": "pairs that move the right way, agent", "value": 50.0}, {"what": "none", "value": None}],
        "rows": [
            {"id": f"p{i}", "topic": "t", "agent": {"direction": i == 0, "size": True},
             "answers": {f"p{i}/a": marks, f"p{i}/b": marks | {"ungrounded": ["5 ms"] if i else []}}}
            for i in range(2)
        ],
    }  # fmt: skip
    run = open_mlflow(store).get_run(enter_run(store, result))
    assert run.data.params["digest"] == "d" and run.data.params["prompts"] == "1-aaaaaaaa"
    assert run.data.metrics["pairs that move the right way agent"] == 50.0
    assert {name: run.data.metrics[f"{name}/mean"] for name in ("valid", "direction", "size", "grounded")} == {
        "valid": 1.0, "direction": 0.5, "size": 1.0, "grounded": 0.75,
    }  # fmt: skip
    assert open_mlflow(store).get_experiment(run.info.experiment_id).name == EXPERIMENT
