"""Pulls and imports: asked for here, done by the worker, told by number."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import APIRouter, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from hrv_shared.clock import Clock
from hrv_shared.errors import StoreError
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from whoop_api_client.errors import UnusableRequest
from whoop_api_client.export import import_export
from whoop_api_client.gate import UPLOAD_PATH
from whoop_api_client.pull_progress import PullProgress
from whoop_api_client.pulling import pull
from whoop_api_client.service.answers import JobAnswer, PullWish, errors
from whoop_api_client.service.desk import Desk, RunPull, job_answer
from whoop_api_client.service.worker import Watch
from whoop_api_client.tables import rebuild

__all__ = ["job_router", "pull_in_service"]

FIRST_DAY = date(2012, 1, 1)
_ZIP = b"PK"
_FILE_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


def pull_in_service(settings: Settings, clock: Clock) -> RunPull:
    """`pulling.pull`, as the worker calls it."""

    def run(wish: PullWish, watch: Watch) -> dict[str, Any]:
        seen = PullProgress(clock())

        def on_page(kind: str, count: int, back_to: datetime | None) -> None:
            seen.page(kind, count, back_to)
            watch.tell(kind, count, note=seen.text())

        watch.tell("starting", 0)
        return pull(
            settings, day=wish.day, full=wish.full, on_page=on_page, on_first=seen.begins, clock=clock,
            sleep=watch.rest,
        )  # fmt: skip

    return run


def job_router(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["jobs"])

    @router.post("/pull", status_code=202, responses=errors(400, 409, 413, 415, 422))
    def start_pull(wish: PullWish | None = None) -> JobAnswer:
        """Pull in the background what is new, one day, or everything; see /jobs/{job_id}."""
        wanted = wish or PullWish()
        latest = desk.clock().date() + timedelta(days=1)
        if wanted.day is not None and not FIRST_DAY <= wanted.day <= latest:
            raise UnusableRequest(f"Expected a day from {FIRST_DAY} to {latest}, got {wanted.day}.")
        return job_answer(desk.worker.submit("pull", lambda watch: desk.run_pull(wanted, watch)))

    @router.post(
        UPLOAD_PATH, status_code=202, responses=errors(400, 409, 413, 415, 422), openapi_extra=_FILE_FORM
    )
    async def start_import(request: Request) -> JobAnswer:
        """Import WHOOP's export, a ZIP of at most 64 MB, in the background; see /jobs/{job_id}."""
        async with request.form(max_files=1, max_fields=0) as form:
            upload = form.get("file")
            if not isinstance(upload, UploadFile):
                raise HTTPException(422, "Expected one part of the form: file, the export as a ZIP.")
            return await run_in_threadpool(_take_upload, desk, upload.file)

    @router.get("/jobs/{job_id}", responses=errors(404, 422))
    def job(job_id: int) -> JobAnswer:
        """A job: its state, how far it is, what came of it."""
        found = desk.worker.job(job_id) if 0 < job_id < 2**63 else None
        if found is None:
            raise HTTPException(404, "There is no such job, or it was forgotten.")
        return job_answer(found)

    return router


def _take_upload(desk: Desk, file: BinaryIO) -> JobAnswer:
    if file.read(len(_ZIP)) != _ZIP:
        raise UnusableRequest("Expected WHOOP's export as a ZIP, got another file.")
    file.seek(0)
    folder = desk.new_upload()
    try:
        path = folder / "export.zip"
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as kept:
            shutil.copyfileobj(file, kept)
        job = desk.worker.submit(
            "import",
            lambda watch: _import(desk, path, watch),
            lambda: shutil.rmtree(folder, ignore_errors=True),
        )
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise StoreError(
                "The disk is full; the file was not taken. Free some space and try again."
            ) from None
        raise
    return job_answer(job)


def _import(desk: Desk, path: Path, watch: Watch) -> dict[str, Any]:
    store = Store.open(desk.settings, desk.clock)
    try:
        report = import_export(store, path, desk.settings.member_id, on_progress=watch.tell)
        watch.tell("rebuilding the tables", 0)
        tables = rebuild(store, desk.settings.member_id)
    finally:
        store.record.close()
    return jsonable_encoder(report.to_dict() | {"tables": tables})
