"""The page as one ASGI app: views for people, ``/api`` for programs, behind the gate; one form for every error."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request

from dashboard.desk import Desk
from dashboard.errors import BadRequest, JobRunning, NotOnThePhone, PairingRefused
from dashboard.gate import ENTER, PAIR, Doors, Gate, loopback_doors
from dashboard.journal_routes import journal_router
from dashboard.mounts import mount_router
from dashboard.option_routes import option_router
from dashboard.rendering import Pages, static_file
from dashboard.session import Sessions
from dashboard.view_routes import view_router
from dashboard.work_routes import work_router
from hrv_shared.clock import Clock, system_clock
from hrv_shared.errors import ConfigurationError, HrvError, TooFewNights
from hrv_shared.settings import Settings

__all__ = ["create_app", "gated", "make_app"]

LOOK_AGAIN_S = 3.0
STATUS = {BadRequest: 400, PairingRefused: 403, NotOnThePhone: 403, JobRunning: 409, ConfigurationError: 400,
          TooFewNights: 404}  # fmt: skip


def create_app(
    settings: Settings,
    *,
    port: int,
    token: str | None = None,
    clock: Clock = system_clock,
    show_demo: bool = False,
    warm: bool = True,
) -> Gate:
    """The application, behind its gate.

    Parameters
    ----------
    port : int
        The port that it is served on; part of the only values of ``Host`` that it answers.
    token : str, optional
        The session's token; by default a new one.
    clock : callable
        Where "now" comes from.
    warm : bool
        Make the first page and the what-if before somebody asks.
    """
    desk = Desk(settings, Sessions(port, token=token, clock=clock), clock=clock, show_demo=show_demo)
    return gated(make_app(desk, warm=warm), desk, loopback_doors(port))


def gated(app: FastAPI, desk: Desk, doors: Doors) -> Gate:
    """The app behind a door: the loopback's, or that of the wearer's network."""
    gate = Gate(app, doors=doors, sessions=desk.sessions)
    gate.desk = desk
    return gate


def make_app(desk: Desk, *, warm: bool = True) -> FastAPI:
    """The routes alone; never served without `gated`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        warmer = threading.Thread(target=_keep_warm, args=(desk, stop), daemon=True)
        if warm:
            warmer.start()
        yield
        stop.set()
        desk.jobs.close()
        if desk.phone is not None:
            desk.phone.close()
        if warm:
            warmer.join(10)

    app = FastAPI(
        title="hrv",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    pages = Pages(desk)
    app.state.desk = desk
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    _add_entrances(app, desk, pages)
    _add_error_answers(app, pages)
    for router in (view_router, journal_router, work_router, option_router):
        app.include_router(router(desk, pages))
    app.include_router(mount_router(desk))
    return app


def _add_entrances(app: FastAPI, desk: Desk, pages: Pages) -> None:
    @app.get(ENTER + "{token}", response_class=HTMLResponse)
    def enter(token: str) -> Response:
        if not desk.sessions.is_main(token):
            raise HTTPException(403, "This address belongs to an earlier start of the page.")
        # a page and no redirect: coming from another site, the cookie would not be sent along with one
        answer = pages.part("entered.html")
        answer.set_cookie(desk.sessions.cookie, token, path="/", httponly=True, samesite="strict")
        return answer

    @app.get(PAIR, response_class=HTMLResponse)
    def pair_page() -> Response:
        return pages.part("pair.html")

    @app.post(PAIR)
    async def pair(request: Request) -> Response:
        said = await request.json()
        token = desk.sessions.pair(str(said.get("code", "")) if isinstance(said, dict) else "")
        answer = JSONResponse({"paired": True})
        answer.set_cookie(
            desk.sessions.cookie, token, 30 * 86_400, path="/", httponly=True, samesite="strict", secure=True
        )
        return answer

    @app.get("/static/{name:path}")
    def static(name: str, request: Request) -> Response:
        found = static_file(name, "gzip" in request.headers.get("accept-encoding", ""))
        if found is None:
            raise HTTPException(404, "There is no such file.")
        return found


def _add_error_answers(app: FastAPI, pages: Pages) -> None:
    def answer(request: Request, status: int, code: str, message: str) -> Response:
        path = request.url.path
        if (
            request.method == "GET"
            and not path.startswith("/api/")
            and request.headers.get("hx-request") != "true"
        ):
            return pages.part("error.html", status, code=code, message=message)
        return JSONResponse({"error": {"code": code, "message": message}}, status)

    @app.exception_handler(HrvError)
    def known(request: Request, error: HrvError) -> Response:
        status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 409)
        return answer(request, status, error.code, str(error))

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, f"Http{error.status_code}", str(error.detail))

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> Response:
        told = f"The page failed with {type(error).__name__} (its text may hold data). See hrv doctor."
        return answer(request, 500, "Bug", told)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        where = ".".join(str(part) for part in error.errors()[0]["loc"][1:]) if error.errors() else ""
        return answer(request, 422, "Malformed", f"Expected another form of {where or 'the body'}.")


def _keep_warm(desk: Desk, stop: threading.Event) -> None:
    """Make what the first page and the Tonight page show before somebody asks, and again when the store has changed."""
    from dashboard.today import today
    from dashboard.tonight import gather_tonight

    seen = None
    while not stop.is_set():
        now = desk.state_of_store()
        try:
            today(desk)
            if now != seen and not stop.is_set():
                gather_tonight(desk)
        except HrvError:
            pass  # said on the page itself
        seen = desk.state_of_store()
        stop.wait(LOOK_AGAIN_S)
