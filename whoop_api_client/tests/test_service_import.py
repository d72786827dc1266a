"""An export uploaded to the service: taken as a file, imported in the background, and not left lying about."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from hrv_shared.store import Store
from service_running import WITH_TOKEN, client_of, settings_in
from whoop_api_client.export.made_up import nights_at_home, write_export
from whoop_api_client.service.desk import UPLOADS
from whoop_api_client.service.worker import Watch


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> bytes:
    nights = nights_at_home(60, last_day=date(2026, 5, 30), seed=4)
    return write_export(tmp_path_factory.mktemp("export") / "export.zip", nights).read_bytes()


def upload(service, data: bytes, field: str = "file"):
    return service.post("/import", headers=WITH_TOKEN, files={field: ("my_whoop_data.zip", data)})


def test_an_export_becomes_tables(tmp_path, export):
    settings = settings_in(tmp_path)
    with client_of(settings) as service:
        taken = upload(service, export)
        assert taken.status_code == 202
        assert service.app.state.desk.worker.settle(60)
        job = service.get(f"/jobs/{taken.json()['id']}", headers=WITH_TOKEN).json()
        assert (job["kind"], job["state"], job["error"]) == ("import", "done", None)
        assert job["result"]["cycles"] == 60
        assert job["result"]["row_errors"] == 0
        assert job["result"]["tables"]["days"] == Store.open(settings).read_table("days").height > 50
        assert service.get("/status", headers=WITH_TOKEN).json()["scored"] == job["result"]["nights"]
        assert not list((settings.home / UPLOADS).iterdir())

        again = upload(service, export).json()
        assert service.app.state.desk.worker.settle(60)
        assert service.get(f"/jobs/{again['id']}", headers=WITH_TOKEN).json()["result"]["facts_written"] == 0


@pytest.mark.parametrize("data", [b"PK\x03\x04 is all that is right here", b"PK\x05\x06" + bytes(18)])
def test_a_bad_zip_fails_with_a_sentence_and_leaves_nothing(tmp_path, data):
    settings = settings_in(tmp_path)
    with client_of(settings) as service:
        number = upload(service, data).json()["id"]
        assert service.app.state.desk.worker.settle(60)
        job = service.get(f"/jobs/{number}", headers=WITH_TOKEN).json()
        assert job["state"] == "failed"
        assert job["error"]["code"] in {"NotAnExport", "UnsafeArchive"}
        assert "xpected" in job["error"]["message"] or "damaged" in job["error"]["message"]
        assert not list((settings.home / UPLOADS).iterdir())


def test_what_is_no_zip_is_refused_at_once(tmp_path, export):
    settings = settings_in(tmp_path)
    with client_of(settings) as service:
        for answer, status in (
            (upload(service, b"Cycle start time,Cycle end time"), 409),
            (upload(service, b""), 409),
            (upload(service, export, field="other"), 422),
            (service.post("/import", headers=WITH_TOKEN, files=[("file", export), ("file", export)]), 400),
            (service.post("/import", headers=WITH_TOKEN, data={"file": "PK"}, files={"x": b""}), 400),
            (service.post("/import", headers=WITH_TOKEN), 422),
        ):
            assert answer.status_code == status
            assert set(answer.json()) == {"error"}
        assert service.get("/status", headers=WITH_TOKEN).json()["job"] is None
        assert not (settings.home / UPLOADS).exists() or not list((settings.home / UPLOADS).iterdir())


def test_an_upload_while_a_job_runs_leaves_nothing(tmp_path, export):
    settings, go = settings_in(tmp_path), threading.Event()

    def slow(_: object, watch: Watch) -> dict:
        assert go.wait(20)
        return {}

    with client_of(settings, run_pull=slow) as service:
        service.post("/pull", headers=WITH_TOKEN)
        assert upload(service, export).status_code == 409
        go.set()
        assert not list((settings.home / UPLOADS).iterdir())


def test_what_a_killed_service_left_is_cleared_away(tmp_path):
    settings = settings_in(tmp_path)
    left = settings.home / UPLOADS / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "export.zip").write_bytes(b"PK")
    with client_of(settings):
        assert not left.exists()
