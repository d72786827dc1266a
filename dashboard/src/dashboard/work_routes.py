"""Slow work: the day's run, pulls, imports, logging in, fetching models, the demo; and how far each is."""

from __future__ import annotations

import secrets
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboard.desk import DEMO_MARKER, Desk
from dashboard.errors import BadRequest
from dashboard.jobs import Job, Step
from dashboard.reading import json_object, only_here, uploaded
from dashboard.rendering import Pages
from dashboard.rooms import environment_of, room_command
from hrv_shared.store import write_bytes_atomic

__all__ = ["work_router"]

DAILY = Step(
    "Making what is due: score, train, forecast, summarise", room_command("orchestrator", "daily", "--json")
)
NOW = (
    Step("Scoring last night", room_command("hrv_shared", "score", "--json")),
    Step("Asking the models", room_command("model_training", "forecast", "--json")),
    Step("Summing up the day", room_command("data_intelligence", "daily", "--json")),
    Step("Asking the language model", room_command("llm_agent", "forecast", "--json"), may_fail=True),
    Step("Combining them", room_command("model_training", "combine", "--json")),
)
"""The forecast of now and nothing else, for after a confirmed note: no pull, no training."""


def work_router(desk: Desk, pages: Pages) -> APIRouter:
    """Everything here starts a job and answers at once."""
    router = APIRouter(prefix="/api")

    def started(request: Request, job: Job) -> Response:
        return pages.answer(request, job.describe(), "job.html")

    @router.get("/jobs/{number}")
    def job(request: Request, number: int) -> Response:
        found = desk.jobs.get(number)
        if found is None:
            raise HTTPException(404, "There is no such job; the page was started anew.")
        return started(request, found)

    @router.post("/daily")
    def daily(request: Request) -> Response:
        return started(request, desk.jobs.start("daily", "Today's forecast", [DAILY], desk.environment))

    @router.post("/forecast")
    def forecast(request: Request) -> Response:
        return started(request, desk.jobs.start("forecast", "The forecast", NOW, desk.environment))

    @router.post("/pull")
    def pull(request: Request) -> Response:
        steps = [
            Step("Reading what is new at WHOOP", room_command("whoop_api_client", "pull", "--json")),
            DAILY,
        ]
        return started(request, desk.jobs.start("pull", "Reading WHOOP", steps, desk.environment))

    @router.post("/connect")
    async def connect(request: Request) -> Response:
        only_here(request)
        said = await json_object(request)
        return started(request, await run_in_threadpool(_connect, desk, said))

    @router.post("/disconnect")
    def disconnect(request: Request) -> Response:
        only_here(request)
        step = Step(
            "Asking WHOOP to forget the access", room_command("whoop_api_client", "disconnect", "--json")
        )
        return started(
            request, desk.jobs.start("disconnect", "Disconnecting", [step], environment_of(desk.own))
        )

    @router.post("/import")
    async def import_(request: Request) -> Response:
        data, _, _ = await uploaded(request)
        return started(request, await run_in_threadpool(_import, desk, data))

    @router.post("/models/{name}")
    def fetch(request: Request, name: str) -> Response:
        only_here(request)
        if name not in ("asr", "llm", "forecast"):
            raise BadRequest("Expected asr, llm or forecast.")
        step = Step(
            f"Fetching the weights ({name})", room_command("hrv_shared", "models", "fetch", name, "--json")
        )
        return started(
            request, desk.jobs.start("models", "Fetching a model", [step], environment_of(desk.own))
        )

    @router.post("/demo")
    def demo(request: Request) -> Response:
        only_here(request)
        if desk.is_demo_store(desk.own.home):
            raise BadRequest("What is shown is the demo already.")
        step = Step("Making a member who does not exist, and the whole way for them",
                    room_command("orchestrator", "demo", "--json"))  # fmt: skip

        def tidy(job: Job) -> None:
            if (desk.own.home / "demo" / DEMO_MARKER).exists() and job.error is None:
                desk.shows_demo = True

        return started(
            request, desk.jobs.start("demo", "The demo", [step], environment_of(desk.own), tidy=tidy)
        )

    @router.post("/show")
    async def show(request: Request) -> Response:
        said = await json_object(request)
        if said.get("who") not in ("demo", "own"):
            raise BadRequest("Expected demo or own.")
        if said["who"] == "demo" and not desk.has_demo:
            raise BadRequest("The demo was not made yet. Make it on the first page.")
        desk.shows_demo = said["who"] == "demo"
        desk.forget()
        return JSONResponse({"shows_demo": desk.shows_demo}, headers={"HX-Redirect": "/"})

    return router


def _connect(desk: Desk, said: dict) -> Job:
    """Log in with the app's id and secret; they go to the command by a file that only we can read, and then go."""
    settings = desk.own
    client_id, secret = str(said.get("client_id") or "").strip(), str(said.get("client_secret") or "").strip()
    more: list[str] = []
    held: Path | None = None
    if client_id or secret:
        if not (client_id and secret) or any(c in client_id + secret for c in "\"'\\\n\r\x00"):
            raise BadRequest("Expected both the client id and the client secret of your WHOOP app.")
        settings.config_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = settings.config_dir / f".app-{secrets.token_hex(4)}"
        write_bytes_atomic(held, f'client_id = "{client_id}"\nclient_secret = "{secret}"\n'.encode())
        more = ["--secrets-file", str(held)]
    elif settings.whoop_client_id is None:
        raise BadRequest("Expected the client id and the client secret of your WHOOP app.")
    steps = [
        Step(
            "Open the address, say yes at WHOOP, and come back",
            room_command("whoop_api_client", "connect", *more, "--json"),
        ),
        Step("Reading your nights", room_command("whoop_api_client", "pull", "--json")),
        DAILY,
    ]

    def tidy(_: Job) -> None:
        if held is not None:
            held.unlink(missing_ok=True)

    return desk.jobs.start("connect", "Connecting to WHOOP", steps, environment_of(settings), tidy=tidy)


def _import(desk: Desk, data: bytes) -> Job:
    """Read an export ZIP, then make the day's forecast. The file is removed when it has been read."""
    if not data.startswith(b"PK"):
        raise BadRequest("Expected WHOOP's export as the ZIP that the app sent you.")
    if desk.shows_demo:
        desk.shows_demo = False
        desk.forget()
    settings = desk.own
    with desk.store() as store:
        held = store.folder("exports") / f".incoming-{secrets.token_hex(8)}.zip"
    write_bytes_atomic(held, data)
    steps = [
        Step("Reading the export", room_command("whoop_api_client", "import", str(held), "--json")),
        DAILY,
    ]

    def tidy(_: Job) -> None:
        held.unlink(missing_ok=True)

    return desk.jobs.start("import", "Reading your export", steps, environment_of(settings), tidy=tidy)
