"""Speaking, typing and deciding about notes and how they are read; entering your own guess."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from dashboard import notes
from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.guess import enter_guess
from dashboard.reading import json_object, uploaded
from dashboard.rendering import Pages

__all__ = ["journal_router"]


def journal_router(desk: Desk, pages: Pages) -> APIRouter:
    """What is told, and what becomes of it."""
    router = APIRouter(prefix="/api")

    @router.post("/speak", status_code=202)
    async def speak(request: Request) -> Response:
        data, kind, fields = await uploaded(request)
        job = await run_in_threadpool(notes.add_spoken, desk, data, kind, fields.get("day") or None)
        return JSONResponse(job.describe(), 202)

    @router.post("/journal")
    async def write(request: Request) -> Response:
        said = await json_object(request)
        text, day = said.get("text"), said.get("day")
        if not isinstance(text, str) or not (day is None or isinstance(day, str)):
            raise BadRequest('Expected {"text": …, "day": "YYYY-MM-DD" or nothing}.')
        added = await run_in_threadpool(notes.add_typed, desk, text, day or None)
        note = await run_in_threadpool(notes.note_view, desk, added["entry"])
        return pages.answer(request, added | {"note": note}, "note_told.html")

    @router.get("/journal/{key}")
    def one(request: Request, key: str) -> Response:
        return pages.answer(request, notes.note_view(desk, key), "note.html")

    @router.post("/journal/{key}/{what}")
    async def decide(request: Request, key: str, what: str) -> Response:
        said = await json_object(request)
        done = await run_in_threadpool(notes.change_note, desk, key, what, said)
        note = await run_in_threadpool(notes.note_view, desk, key)
        return pages.answer(request, note | {"done": done}, "note.html")

    @router.get("/reading")
    def read(request: Request, day: str) -> Response:
        return pages.answer(request, notes.how_read(desk, day), "sentences.html")

    @router.post("/reading")
    async def mean(request: Request) -> Response:
        said = await json_object(request)
        return pages.answer(request, await run_in_threadpool(notes.say_meaning, desk, said), "sentence.html")

    @router.post("/guess")
    async def guess(request: Request) -> Response:
        said = await json_object(request)
        return pages.answer(request, await run_in_threadpool(enter_guess, desk, said), "guess.html")

    return router
