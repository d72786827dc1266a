"""Choices, the phone, exporting and erasing."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboard import options, phone
from dashboard.desk import Desk
from dashboard.jobs import Step
from dashboard.reading import json_object, only_here
from dashboard.rendering import Pages
from dashboard.rooms import room_command
from hrv_shared.erasing import erase_all

__all__ = ["option_router"]

EXPORT_NAME = re.compile(r"hrv-\d{8}T\d{6}Z\.zip")


def option_router(desk: Desk, pages: Pages) -> APIRouter:
    """What only the computer itself may do."""
    router = APIRouter()

    @router.post("/api/settings")
    async def choose(request: Request) -> Response:
        only_here(request)
        said = await json_object(request)
        name, value = str(said.get("name", "")), said.get("value")
        changed = await run_in_threadpool(options.change, desk, name, value)
        return pages.answer(request, changed, "choice.html")

    @router.post("/api/phone")
    async def turn(request: Request) -> Response:
        only_here(request)
        said = await json_object(request)
        told = await run_in_threadpool(phone.turn, desk, request.app, said.get("on") is True)
        return pages.answer(request, told, "phone.html")

    @router.post("/api/export")
    def export(request: Request) -> Response:
        only_here(request)
        step = Step("Writing everything into one ZIP", room_command("hrv_shared", "export", "--json"))
        job = desk.jobs.start("export", "Your export", [step], desk.environment)
        return pages.answer(request, job.describe(), "job.html")

    @router.get("/export/{name}")
    def download(request: Request, name: str) -> Response:
        only_here(request)
        path = desk.settings.home / "exports" / name
        if not EXPORT_NAME.fullmatch(name) or not path.is_file():
            raise HTTPException(404, "There is no such export.")
        return FileResponse(path, filename=name, media_type="application/zip")

    @router.post("/api/erase")
    async def erase(request: Request) -> Response:
        only_here(request)
        said = await json_object(request)
        done = await run_in_threadpool(_erase, desk, str(said.get("confirm", "")))
        return JSONResponse(done, headers={"HX-Redirect": "/"})

    return router


def _erase(desk: Desk, confirm: str) -> dict[str, Any]:
    running = desk.jobs.running()
    if running is not None:
        from dashboard.errors import JobRunning

        raise JobRunning(f"{running.words} is still running. Wait for it, then erase.")
    done = erase_all(desk.own, confirm)
    desk.shows_demo = False
    desk.forget()
    return {"removed_files": done.removed_files, "removed_bytes": done.removed_bytes, "left": list(done.left),
            "notes": list(done.notes)}  # fmt: skip
