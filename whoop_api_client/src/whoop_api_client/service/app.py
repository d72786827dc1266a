"""The service as one ASGI app: routes by topic behind the gate, and one form for every error."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import APIKeyHeader
from starlette.exceptions import HTTPException as StarletteHTTPException

from hrv_shared.clock import Clock, system_clock
from hrv_shared.errors import HrvError
from hrv_shared.settings import Settings
from whoop_api_client.errors import WebhookRefused
from whoop_api_client.gate import LOOPBACK_NAMES, TOKEN_HEADER, Doors, Gate
from whoop_api_client.service.answers import errors, errors_of_page
from whoop_api_client.service.connect_routes import Homecoming, connect_router, landing_router
from whoop_api_client.service.desk import TOKEN_FILE, Desk, RunPull
from whoop_api_client.service.job_routes import job_router, pull_in_service
from whoop_api_client.service.pages import index
from whoop_api_client.service.read_routes import read_router
from whoop_api_client.service.webhook_routes import webhook_router

__all__ = ["PORT", "create_app"]

PORT = 8721  # that of the default redirect address, so that /callback is ours
WEBHOOK_PORT_AFTER = 2  # 8723: the simulator's default is 8722
_NAMES = {
    400: "BadRequest",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "TooSlow",
    422: "Malformed",
    429: "TooMany",
}


def create_app(
    settings: Settings,
    *,
    port: int = PORT,
    webhook_port: int | None = None,
    token: str | None = None,
    clock: Clock = system_clock,
    run_pull: RunPull | None = None,
) -> FastAPI:
    """The service for one store; it takes the store when it starts (ASGI lifespan).

    Parameters
    ----------
    webhook_port : int, optional
        Where webhooks come in; default: the port after `port`. Only with the setting ``whoop_webhook_host``.
    token : str, optional
        The session token; by default a new one. Written to ``<config_dir>/service-token`` (0600) at the start.
    run_pull : callable, optional
        Instead of `pulling.pull`; gets the wish and a `worker.Watch`.
    """
    session_token = token or secrets.token_urlsafe(32)
    landing = _landing(settings, port)
    takes_webhooks = settings.whoop_webhook_host is not None
    letter_box = (webhook_port or port + WEBHOOK_PORT_AFTER) if takes_webhooks else None
    desk = Desk(settings, clock, run_pull or pull_in_service(settings, clock), session_token)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.open()
        yield
        desk.close()

    app = FastAPI(
        title="WHOOP client", version="1", docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False,
        description="Loopback only. Errors have one form. See the room's README.",
    )  # fmt: skip
    app.state.desk = desk
    app.add_middleware(
        Gate, doors=Doors(port, landing, letter_box, settings.whoop_webhook_host), token=session_token
    )
    _add_error_answers(app)
    home = Homecoming(desk, landing)
    key = Security(APIKeyHeader(name=TOKEN_HEADER, auto_error=False, scheme_name="session token"))
    for router in (connect_router(desk, home), job_router(desk), read_router(desk)):
        app.include_router(router, dependencies=[key], responses=errors(401, 403, 421))
    if landing:
        app.include_router(landing_router(desk, home), responses=errors_of_page(403, 421))
    if takes_webhooks:
        app.include_router(webhook_router(desk, letter_box))

    @app.get("/", response_class=HTMLResponse, responses=errors_of_page(403, 421))
    def overview() -> HTMLResponse:
        """What this service offers."""
        return index(app, str(settings.config_dir / TOKEN_FILE))

    return app


def _landing(settings: Settings, port: int) -> str | None:
    """The callback's path, if the redirect address is one of ours."""
    redirect = urlsplit(settings.whoop_redirect_uri)
    ours = redirect.scheme == "http" and redirect.netloc.lower() in {f"{n}:{port}" for n in LOOPBACK_NAMES}
    return (redirect.path or "/callback") if ours and redirect.path != "/" else None


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(HrvError)
    def known(_: Request, error: HrvError) -> JSONResponse:
        return _error(401 if isinstance(error, WebhookRefused) else 409, error.code, str(error))

    @app.exception_handler(StarletteHTTPException)
    def refused(_: Request, error: HTTPException) -> JSONResponse:
        detail = error.detail
        if isinstance(detail, dict):
            return _error(error.status_code, detail["code"], detail["message"])
        return _error(error.status_code, _NAMES.get(error.status_code, "Refused"), str(detail), error.headers)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]  # the place and the rule, never what came
        where = ".".join(str(part) for part in first["loc"])
        return _error(422, "Malformed", f"{where}: {first['msg']}.")


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
