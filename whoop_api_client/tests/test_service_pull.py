"""The service at work: connect, pull in the background, status, tables to take away."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime

import httpx
import polars as pl
import pytest
from fastapi.testclient import TestClient

from hrv_shared import schemas
from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store
from whoop_api_client.errors import RateLimited
from whoop_api_client.gate import TOKEN_HEADER
from whoop_api_client.service import create_app
from whoop_api_client.simulator import SimulatorConfig, make_member, running

PORT = 8721
CHANGE = {TOKEN_HEADER: "t"}
NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)


def settings_in(folder, **more) -> Settings:
    return load_settings({}, home=folder / "home", config_dir=folder / "config", token_store="file", **more)


def client_of(settings: Settings, **more) -> TestClient:
    return TestClient(create_app(settings, port=PORT, token="t", **more), base_url=f"http://127.0.0.1:{PORT}")


def test_from_nothing_to_tables_over_http(tmp_path):
    member = make_member(2, now=NOW, n_nights=40, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        settings = settings_in(
            tmp_path,
            whoop_api_base=place.api_base,
            whoop_auth_base=place.auth_base,
            whoop_client_id=place.client_id,
            whoop_client_secret=place.client_secret,
        )
        with client_of(settings, clock=place.clock.now) as service:
            address = service.post("/connect", headers=CHANGE).json()["authorization_url"]
            home = httpx.URL(httpx.get(address).headers["location"])
            way_home = {"Sec-Fetch-Site": "cross-site"}
            assert service.get("/callback", params=dict(home.params), headers=way_home).status_code == 200
            assert (
                service.get("/callback", params=dict(home.params)).status_code == 400
            )  # the state is used up
            assert service.get("/status").json()["connection"]["connected"]

            assert service.post("/pull", headers=CHANGE).status_code == 202
            service.app.state.job.thread.join(60)
            status = service.get("/status").json()
            assert status["pull"]["error"] is None
            assert status["pull"]["result"]["mode"] == "backfill"
            assert status["last_pull_at"] == place.clock.now().isoformat()

            recoveries = pl.read_csv(io.BytesIO(service.get("/tables/recoveries.csv").content))
            assert recoveries.height == status["pull"]["result"]["tables"]["recoveries"] > 30
            parquet = service.get("/tables/days.parquet")
            assert pl.read_parquet(io.BytesIO(parquet.content)).equals(
                Store.open(settings).read_table("days")
            )
            assert "attachment" in parquet.headers["content-disposition"]


def test_one_pull_at_a_time(tmp_path):
    go, begun = threading.Event(), threading.Event()

    def slow(full: bool) -> dict:
        begun.set()
        assert go.wait(20)
        return {"full": full}

    with client_of(settings_in(tmp_path), run_pull=slow) as service:
        assert service.post("/pull", headers=CHANGE, json={"full": True}).status_code == 202
        assert begun.wait(20)
        assert service.get("/status").json()["pull"]["running"]
        refused = service.post("/pull", headers=CHANGE)
        assert refused.status_code == 409
        assert not refused.json()["started"]
        go.set()
        service.app.state.job.thread.join(20)
        status = service.get("/status").json()["pull"]
        assert not status["running"]
        assert status["result"] == {"full": True}
        assert service.post("/pull", headers=CHANGE).status_code == 202
        service.app.state.job.thread.join(20)


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (RateLimited("Wait 5 minutes."), "RateLimited", "Wait 5"),
        (ZeroDivisionError("hrv was 42"), "Bug", "terminal"),
    ],
)
def test_a_failed_pull_is_told_in_the_status(tmp_path, error, code, word):
    def fail(full: bool) -> dict:
        raise error

    with client_of(settings_in(tmp_path), run_pull=fail) as service:
        service.post("/pull", headers=CHANGE)
        service.app.state.job.thread.join(20)
        told = service.get("/status").json()["pull"]["error"]
    assert told["code"] == code
    assert word in told["message"]
    assert "42" not in told["message"]


def test_unknown_wishes_are_refused(tmp_path):
    with client_of(settings_in(tmp_path), run_pull=lambda full: {}) as service:
        assert service.post("/pull", headers=CHANGE, json={"ful": True}).status_code == 422
        assert service.get("/tables/secrets.csv").status_code == 404
        assert service.get("/tables/days.exe").status_code == 422
        assert service.get("/tables/../record.sqlite").status_code == 404
        told = service.post("/connect", headers=CHANGE)
        assert told.status_code == 409
        assert "HRV_WHOOP_CLIENT_ID" in told.json()["error"]["message"]


def test_a_table_that_was_never_built_has_its_columns_and_no_rows(tmp_path):
    with client_of(settings_in(tmp_path)) as service:
        head = service.get("/tables/workouts.csv").text.strip()
        assert head.split(",") == list(schemas.TABLES["workouts"].columns)
        assert pl.read_parquet(io.BytesIO(service.get("/tables/workouts.parquet").content)).is_empty()


def test_a_spreadsheet_does_not_run_what_a_table_holds(tmp_path):
    settings = settings_in(tmp_path)
    columns = schemas.TABLES["workouts"].columns
    text = next(name for name, dtype in columns.items() if name.startswith("sport") and dtype == pl.String)
    row = dict.fromkeys(columns) | dict.fromkeys(schemas.TABLES["workouts"].key, "x") | {text: "=1+1"}
    Store.open(settings).write_table("workouts", pl.DataFrame([row], schema=columns))
    with client_of(settings) as service:
        table = pl.read_csv(io.BytesIO(service.get("/tables/workouts.csv").content))
    assert table[text].to_list() == ["'=1+1"]
