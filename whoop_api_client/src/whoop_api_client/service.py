"""The room as a small HTTP service for this machine: pull, status, tables, connect.

Loopback only, behind `gate.Gate`; one pull at a time; no script, no CDN. The OpenAPI document is at /openapi.json.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from hrv_shared import schemas
from hrv_shared.clock import Clock, system_clock
from hrv_shared.errors import HrvError
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from whoop_api_client.connecting import describe_connection, finish
from whoop_api_client.connection import app_from_settings
from whoop_api_client.downloads import table_as_csv, table_as_parquet
from whoop_api_client.gate import Gate, new_session_token
from whoop_api_client.oauth import StateBook, authorization_url, code_from_address
from whoop_api_client.pulling import last_pull_at, pull

HOST = "127.0.0.1"
PORT = 8721  # that of the default redirect address, so that /callback is ours
TOKEN_FILE = "service-token"


class PullRequest(BaseModel):
    """What to pull; nothing means: what is new."""

    model_config = ConfigDict(extra="forbid")

    full: Annotated[bool, Field(description="read the whole history again")] = False


class PullJob:
    """At most one pull in a thread of its own, and what the last one did."""

    def __init__(self, run: Callable[[bool], dict[str, Any]], clock: Clock):
        self._run = run
        self._clock = clock
        self._lock = threading.Lock()
        self.state: dict[str, Any] = {
            "running": False,
            "started_at": None,
            "finished_at": None,
            "result": None,
        }
        self.state["error"] = None
        self.thread: threading.Thread | None = None

    def start(self, full: bool) -> bool:
        """Start unless one is running; says whether it did."""
        with self._lock:
            if self.state["running"]:
                return False
            started = self._clock().isoformat()
            self.state = {
                "running": True,
                "started_at": started,
                "finished_at": None,
                "result": None,
                "error": None,
            }
            self.thread = threading.Thread(target=self._work, args=(full,), name="pull", daemon=True)
            self.thread.start()
            return True

    def _work(self, full: bool) -> None:
        result, error = None, None
        try:
            result = self._run(full)
        except HrvError as known:
            error = {"code": known.code, "message": str(known)}
        except (
            Exception
        ) as unknown:  # the thread must not die silently; the type alone, a message may hold data
            error = {
                "code": "Bug",
                "message": f"The pull failed with {type(unknown).__name__}; run it in a terminal.",
            }
        with self._lock:
            ended = {
                "running": False,
                "finished_at": self._clock().isoformat(),
                "result": result,
                "error": error,
            }
            self.state = self.state | ended


def create_app(
    settings: Settings,
    *,
    port: int = PORT,
    token: str | None = None,
    clock: Clock = system_clock,
    run_pull: Callable[[bool], dict[str, Any]] | None = None,
) -> FastAPI:
    """The service for one store.

    Parameters
    ----------
    token : str, optional
        The session token; by default a new one, written to ``<config_dir>/service-token`` (0600).
    run_pull : callable, optional
        Instead of `pulling.pull`; gets ``full``.
    """
    session_token = token or new_session_token(settings.config_dir / TOKEN_FILE)
    landing = urlsplit(settings.whoop_redirect_uri).path or "/"
    job = PullJob(run_pull or (lambda full: pull(settings, full=full, clock=clock)), clock)
    states = StateBook(clock)
    app = FastAPI(title="WHOOP client", version="1", docs_url=None, redoc_url=None)
    app.add_middleware(Gate, port=port, token=session_token, landing=landing)
    app.state.job = job

    @app.exception_handler(HrvError)
    def known_error(_: Request, error: HrvError) -> JSONResponse:
        return JSONResponse({"error": {"code": error.code, "message": str(error)}}, 409)

    @app.get("/", response_class=HTMLResponse)
    def index() -> str:
        """What this service offers."""
        return _index(app)

    @app.post("/pull", status_code=202)
    def start_pull(wanted: PullRequest | None = None) -> JSONResponse:
        """Start a pull in the background; see /status."""
        started = job.start(full=bool(wanted and wanted.full))
        return JSONResponse({"started": started, "pull": job.state}, 202 if started else 409)

    @app.get("/status")
    def status() -> dict[str, Any]:
        """Connection, last pull, and the pull that runs."""
        store = Store.open(settings, clock)
        pulled = last_pull_at(store, settings, settings.member_id)
        store.record.close()
        return {
            "connection": describe_connection(settings),
            "last_pull_at": pulled.isoformat() if pulled else None,
            "pull": job.state,
        }

    @app.get("/tables/{name}.{form}")
    def table(name: str, form: Literal["csv", "parquet"]) -> Response:
        """A derived table as a file."""
        if name not in schemas.TABLES:
            raise HTTPException(404, f"Expected one of {', '.join(schemas.TABLES)}.")
        store = Store.open(settings, clock)
        body = table_as_csv(store, name) if form == "csv" else table_as_parquet(store, name)
        kind = "text/csv; charset=utf-8" if form == "csv" else "application/vnd.apache.parquet"
        disposition = f'attachment; filename="{name}.{form}"'
        return Response(
            body, media_type=kind, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"}
        )

    @app.post("/connect")
    def start_connecting() -> dict[str, str]:
        """An authorization address, good for five minutes; the browser comes home to the callback."""
        return {"authorization_url": authorization_url(app_from_settings(settings), states.issue())}

    @app.get(landing, response_class=HTMLResponse)
    def come_home(request: Request) -> HTMLResponse:
        """Where WHOOP sends the browser."""
        whoop_app = app_from_settings(settings)
        address = f"{settings.whoop_redirect_uri}?{request.url.query}"
        try:
            code = code_from_address(address, whoop_app, states)
            with httpx.Client(timeout=30.0) as http:
                finish(settings, whoop_app, code, http, clock=clock)
        except HrvError as error:
            return _page("Not connected", escape(str(error)), 400)
        return _page("Connected", "You can close this page.", 200)

    return app


def serve(settings: Settings, port: int = PORT) -> None:
    """Run the service on 127.0.0.1 until it is stopped."""
    import uvicorn

    # no access log: query strings of the callback hold codes
    uvicorn.run(create_app(settings, port=port), host=HOST, port=port, log_level="warning", access_log=False)


def _index(app: FastAPI) -> str:
    rows = "".join(
        f"<tr><td>{method.upper()}<td><code>{escape(path)}</code><td>{escape(verb.get('description', ''))}"
        for path, verbs in sorted(app.openapi()["paths"].items())
        for method, verb in verbs.items()
    )
    head = "<!doctype html><meta charset=utf-8><title>WHOOP client</title><h1>WHOOP client</h1>"
    note = "<p>Changes need the header <code>X-HRV-Token</code>. For programs: <a href=/openapi.json>/openapi.json</a>"
    return f"{head}<table>{rows}</table>{note}"


def _page(title: str, text: str, status: int) -> HTMLResponse:
    page = f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{text}"
    return HTMLResponse(page, status, headers={"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"})
