"""The service at work: pull in the background, one day, status, gaps, tables to take away."""

from __future__ import annotations

import io
import sqlite3
import threading
from datetime import UTC, datetime

import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.errors import StoreError
from hrv_shared.store import Store
from service_running import WITH_TOKEN, client_of, connect, pull_now, settings_at, settings_in
from whoop_api_client.errors import RateLimited
from whoop_api_client.service.answers import PullWish
from whoop_api_client.service.desk import BOOK_FILE
from whoop_api_client.service.worker import Watch
from whoop_api_client.simulator import SimulatorConfig, make_member, running
from whoop_api_client.sync import only_pull

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)


@pytest.fixture(scope="module")
def place():
    member = make_member(2, now=NOW, n_nights=40, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as simulator:
        yield simulator


def test_from_nothing_to_tables_over_http(tmp_path, place):
    settings = settings_at(place, tmp_path)
    with client_of(settings, clock=place.clock.now) as service:
        assert connect(service).status_code == 200
        before = service.get("/status", headers=WITH_TOKEN).json()
        assert before["connection"]["connected"]
        assert (before["last_pull_at"], before["job"], before["days"]) == (None, None, 0)

        job = pull_now(service)
        assert (job["state"], job["error"], job["result"]["mode"]) == ("done", None, "backfill")
        assert job["progress"]["done"] > 0

        status = service.get("/status", headers=WITH_TOKEN).json()
        assert status["job"] == job
        assert status["last_pull_at"] == place.clock.now().isoformat().replace("+00:00", "Z")
        assert status["scored"] + sum(status["gap_counts"].values()) == status["days"] > 30

        gaps = service.get("/gaps", headers=WITH_TOKEN).json()
        assert gaps["counts"] == status["gap_counts"]
        assert sum(run["days"] for run in gaps["gaps"]) == sum(gaps["counts"].values())
        assert service.get("/gaps", params={"since": "2027-01-01"}, headers=WITH_TOKEN).json()["days"] == 0

        recoveries = service.get("/tables/recoveries.csv", headers=WITH_TOKEN)
        assert (
            pl.read_csv(io.BytesIO(recoveries.content)).height == job["result"]["tables"]["recoveries"] > 30
        )
        parquet = service.get("/tables/days.parquet", headers=WITH_TOKEN)
        assert pl.read_parquet(io.BytesIO(parquet.content)).equals(Store.open(settings).read_table("days"))
        assert "attachment" in parquet.headers["content-disposition"]
        listed = {table["name"]: table for table in service.get("/tables", headers=WITH_TOKEN).json()}
        assert listed["days"]["is_built"]
        assert listed.keys() == schemas.TABLES.keys()


def test_one_day_on_demand(tmp_path, place):
    with client_of(settings_at(place, tmp_path), clock=place.clock.now) as service:
        connect(service)
        job = pull_now(service, day="2026-05-28")
        assert (job["state"], job["result"]["mode"]) == ("done", "day")
        assert job["result"]["day"]["day"] == "2026-05-28"
        assert job["result"]["day"]["sleep"] is not None
        for day in ("2011-12-31", "2026-06-03", "9999-12-31", "0001-01-01"):
            refused = service.post("/pull", headers=WITH_TOKEN, json={"day": day})
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "UnusableRequest")


def test_requests_left_are_told_where_they_are_counted(tmp_path, place):
    with client_of(settings_at(place, tmp_path, whoop_budget="on"), clock=place.clock.now) as service:
        connect(service)
        full = service.get("/status", headers=WITH_TOKEN).json()["budget_left"]
        job = pull_now(service, day="2026-05-28")
        left = service.get("/status", headers=WITH_TOKEN).json()["budget_left"]
    assert full == {"minute": 99, "day": 9_999}  # connecting has asked one question
    asked = full["day"] - left["day"]
    assert asked >= 6  # profile, body, four collections
    assert left["minute"] == full["minute"] - asked
    assert job["state"] == "done"


def test_one_job_at_a_time(tmp_path):
    go, begun = threading.Event(), threading.Event()

    def slow(wish: PullWish, watch: Watch) -> dict:
        watch.tell("cycle", 7, 10, "back to 2026-01-01")
        begun.set()
        assert go.wait(20)
        return {"full": wish.full}

    with client_of(settings_in(tmp_path), run_pull=slow) as service:
        first = service.post("/pull", headers=WITH_TOKEN, json={"full": True})
        assert first.status_code == 202
        assert begun.wait(20)
        job = service.get("/status", headers=WITH_TOKEN).json()["job"]
        assert (job["state"], job["id"]) == ("running", first.json()["id"])
        assert job["progress"] == {"phase": "cycle", "done": 7, "total": 10, "note": "back to 2026-01-01"}
        zipped = {"file": ("export.zip", b"PK\x03\x04")}
        for refused in (
            service.post("/pull", headers=WITH_TOKEN),
            service.post("/import", headers=WITH_TOKEN, files=zipped),
        ):
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "JobRunning")
        go.set()
        assert service.app.state.desk.worker.settle(20)
        job = service.get(f"/jobs/{job['id']}", headers=WITH_TOKEN).json()
        assert (job["state"], job["result"]) == ("done", {"full": True})
        assert pull_now(service)["state"] == "done"


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (RateLimited("Wait 5 minutes."), "RateLimited", "Wait 5"),
        (ZeroDivisionError("hrv was 42"), "Bug", "terminal"),
    ],
)
def test_a_failed_pull_is_told(tmp_path, error, code, word):
    def fail(wish: PullWish, watch: Watch) -> dict:
        raise error

    with client_of(settings_in(tmp_path), run_pull=fail) as service:
        job = pull_now(service)
    assert (job["state"], job["error"]["code"]) == ("failed", code)
    assert word in job["error"]["message"]
    assert "42" not in job["error"]["message"]


def test_a_pull_from_a_terminal_comes_first(tmp_path, place):
    settings = settings_at(place, tmp_path)
    with client_of(settings, clock=place.clock.now) as service:
        connect(service)
        with only_pull(Store.open(settings)):
            job = pull_now(service)
        assert job["error"]["code"] == "PullRunning"
        assert pull_now(service)["state"] == "done"


def test_a_stopped_service_tells_of_the_job_that_it_interrupted(tmp_path):
    settings, begun = settings_in(tmp_path), threading.Event()

    def endless(wish: PullWish, watch: Watch) -> dict:
        begun.set()
        while True:
            watch.rest(60)

    with client_of(settings, run_pull=endless) as service:
        number = service.post("/pull", headers=WITH_TOKEN).json()["id"]
        assert begun.wait(20)
    with client_of(settings, run_pull=lambda wish, watch: {}) as service:
        job = service.get(f"/jobs/{number}", headers=WITH_TOKEN).json()
        assert (job["state"], job["error"]["code"], job["result"]) == ("interrupted", "Interrupted", None)
        assert job["finished_at"] is not None
        assert service.get("/status", headers=WITH_TOKEN).json()["job"]["id"] == number
        done = pull_now(service)
        assert done["id"] == number + 1
    with client_of(settings) as service:
        job = service.get(f"/jobs/{done['id']}", headers=WITH_TOKEN).json()
        assert (job["state"], job["result"]) == ("done", None)


def test_a_disk_that_is_full_for_a_while_ends_no_worker(tmp_path, monkeypatch, capsys):
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with client_of(settings_in(tmp_path), run_pull=lambda wish, watch: {"full": wish.full}) as service:
        with monkeypatch.context() as patched:
            patched.setattr(service.app.state.desk.book, "mark_job", full)
            assert pull_now(service)["state"] == "done"
        assert "could not be written" in capsys.readouterr().err
        assert pull_now(service)["state"] == "done"


def test_a_damaged_book_is_told_and_left_as_it_is(tmp_path):
    settings = settings_in(tmp_path)
    Store.open(settings)
    (settings.home / BOOK_FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="move it aside"), client_of(settings):
        pass
    assert (settings.home / BOOK_FILE).read_bytes() == b"no database at all" * 100


def test_unknown_wishes_are_refused_without_repeating_them(tmp_path):
    with client_of(settings_in(tmp_path), run_pull=lambda wish, watch: {}) as service:
        for body in (
            {"ful": True},
            {"full": "secret-word"},
            {"day": "secret-word"},
            {"secret-word": 1},
            [],
            "x",
        ):
            refused = service.post("/pull", headers=WITH_TOKEN, json=body)
            assert refused.status_code == 422, body
            assert "secret-word" not in refused.json()["error"]["message"].split(":", 1)[1]
        for path, status in (
            ("/tables/secrets.csv", 404), ("/tables/days.exe", 422), ("/tables/../record.sqlite", 404),
            ("/tables/..%2frecord.csv", 404), ("/jobs/0", 404), ("/jobs/x", 422), ("/jobs/99999999999999999999", 404),
            ("/gaps?since=yesterday", 422), ("/status/", 404),
        ):  # fmt: skip
            answer = service.get(path, headers=WITH_TOKEN)
            assert answer.status_code == status, path
            assert set(answer.json()) == {"error"}
        told = service.post("/connect", headers=WITH_TOKEN)
        assert told.status_code == 409
        assert "HRV_WHOOP_CLIENT_ID" in told.json()["error"]["message"]


def test_a_table_that_was_never_built_has_its_columns_and_no_rows(tmp_path):
    with client_of(settings_in(tmp_path)) as service:
        head = service.get("/tables/workouts.csv", headers=WITH_TOKEN).text.strip()
        assert head.split(",") == list(schemas.TABLES["workouts"].columns)
        empty = service.get("/tables/workouts.parquet", headers=WITH_TOKEN).content
        assert pl.read_parquet(io.BytesIO(empty)).is_empty()


def test_a_spreadsheet_does_not_run_what_a_table_holds(tmp_path):
    settings = settings_in(tmp_path)
    columns = schemas.TABLES["workouts"].columns
    text = next(name for name, dtype in columns.items() if name.startswith("sport") and dtype == pl.String)
    row = dict.fromkeys(columns) | dict.fromkeys(schemas.TABLES["workouts"].key, "x") | {text: "=1+1"}
    Store.open(settings).write_table("workouts", pl.DataFrame([row], schema=columns))
    with client_of(settings) as service:
        table = pl.read_csv(io.BytesIO(service.get("/tables/workouts.csv", headers=WITH_TOKEN).content))
    assert table[text].to_list() == ["'=1+1"]
