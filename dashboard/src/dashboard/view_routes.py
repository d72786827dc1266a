"""The six views, each as a page and as JSON."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from starlette.requests import Request

from dashboard import moves, notes, options, tonight, track
from dashboard.desk import Desk
from dashboard.guess import gather_guess
from dashboard.rendering import Pages
from dashboard.today import today

__all__ = ["view_router"]


def view_router(desk: Desk, pages: Pages) -> APIRouter:
    """GET only; what changes something is in the other routers."""
    router = APIRouter()

    @router.get("/")
    def today_page(request: Request) -> Response:
        seen = today(desk)
        if seen["card"] is None:
            return pages.page(request, "welcome.html", seen, 404 if desk.is_demo else 200)
        return pages.page(request, "today.html", seen)

    @router.get("/api/today")
    def api_today() -> Response:
        seen = today(desk)
        return JSONResponse(seen) if seen["card"] else JSONResponse({"error": seen["trouble"]}, 404)

    @router.get("/speak")
    def speak_page(request: Request) -> Response:
        return pages.page(request, "speak.html", notes.gather_notes(desk) | {"guess": gather_guess(desk)})

    @router.get("/api/journal")
    def api_journal(last: int = 8) -> dict[str, Any]:
        return notes.gather_notes(desk, min(max(last, 1), 400))

    @router.get("/tonight")
    def tonight_page(request: Request) -> Response:
        return pages.page(request, "tonight.html", tonight.gather_tonight(desk))

    @router.get("/api/tonight")
    def api_tonight() -> Response:
        seen = tonight.gather_tonight(desk)
        return JSONResponse(seen, 404 if seen["trouble"] else 200)

    @router.post("/api/what-if")
    async def what_if(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        from dashboard.reading import json_object

        said = await json_object(request)
        return JSONResponse(await run_in_threadpool(tonight.ask, desk, said))

    @router.get("/track")
    def track_page(request: Request) -> Response:
        return pages.page(request, "track.html", track.track(desk) | {"guess": gather_guess(desk)})

    @router.get("/api/track")
    def api_track() -> dict[str, Any]:
        return track.track(desk) | {"guess": gather_guess(desk)}

    @router.get("/moves")
    def moves_page(request: Request) -> Response:
        return pages.page(request, "moves.html", moves.moves(desk))

    @router.get("/api/moves")
    def api_moves() -> dict[str, Any]:
        return moves.moves(desk)

    @router.get("/api/why")
    def api_why(request: Request, day: str, quantity: str) -> Response:
        return pages.answer(request, moves.lineage(desk, day, quantity), "lineage.html")

    @router.get("/api/evidence/{key}")
    def api_evidence(request: Request, key: str, name: str) -> Response:
        return pages.answer(request, moves.evidence(desk, key, name), "evidence.html")

    @router.get("/settings")
    def settings_page(request: Request) -> Response:
        return pages.page(request, "options.html", options.gather_options(desk))

    @router.get("/api/settings")
    def api_settings() -> dict[str, Any]:
        return options.gather_options(desk)

    @router.get("/api/connection")
    def api_connection(request: Request) -> Response:
        return pages.answer(request, options.connection(desk), "connection.html")

    @router.get("/api/models")
    def api_models(request: Request) -> Response:
        return pages.answer(request, options.models(desk), "models.html")

    return router
