"""Where other pages of this house may be let through the same gate: Dagster's under ``/dagster``, MLflow's ``/mlflow``.

Off unless `hrv up --dagster` or `--mlflow` serves them on a Unix socket (``up.json`` in the store says where), or
somebody says where they listen (``desk.mounts["/dagster"] = "http://127.0.0.1:3070"``). They must be told their
prefix (``dagster-webserver --path-prefix /dagster``, ``mlflow server --static-prefix /mlflow``). Web sockets are not
let through: Dagster's page then asks again every few seconds.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboard.desk import Desk
from dashboard.gate import CHANGING, MOUNTS
from dashboard.reading import only_here

__all__ = ["mount_router"]

HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade host".split()
)
NOT_PASSED_ON = HOP | {"cookie", "authorization", "x-hrv-token", "accept-encoding", "content-length"}
"""The page behind gets neither our token nor a cookie of anybody's."""
NOT_PASSED_BACK = HOP | {"set-cookie", "content-length", "content-encoding", "server", "date"}
WAIT_S = 60.0


def mount_router(desk: Desk) -> APIRouter:
    """One route a mount, all methods; the gate has looked at the request before."""
    router = APIRouter()
    methods = sorted({"GET", "HEAD", *CHANGING})
    for prefix in MOUNTS:
        for path in (prefix, prefix + "/{rest:path}"):
            router.add_api_route(path, _through(desk, prefix), methods=methods, include_in_schema=False)
    return router


def _through(desk: Desk, prefix: str):
    async def through(request: Request) -> Response:
        only_here(request)
        behind = desk.mounts.get(prefix) or _run_by_up(desk.own.home, prefix)
        if behind is None:
            raise HTTPException(
                404, f"{prefix[1:].capitalize()}'s page is not served here. Start it: hrv up --{prefix[1:]}"
            )
        client = _client(behind)
        headers = [
            (n, v)
            for n, v in request.headers.items()
            if n not in NOT_PASSED_ON and not n.startswith("sec-fetch")
        ]
        headers = [(n, v) for n, v in headers if n != "origin"]
        base = "http://localhost" if behind.startswith("unix:") else behind
        asked = client.build_request(
            request.method,
            base + request.url.path,
            params=request.url.query,
            headers=headers,
            content=await request.body(),
        )
        try:
            answer = await client.send(asked, stream=True)
        except httpx.HTTPError as error:
            await client.aclose()
            raise HTTPException(
                502, f"{prefix[1:].capitalize()}'s page does not answer ({type(error).__name__})."
            ) from None

        async def body() -> AsyncIterator[bytes]:
            try:
                async for piece in answer.aiter_bytes():
                    yield piece
            finally:
                await answer.aclose()
                await client.aclose()

        back = {n: v for n, v in answer.headers.items() if n not in NOT_PASSED_BACK}
        return StreamingResponse(body(), answer.status_code, headers=back)

    return through


def _run_by_up(home: Path, prefix: str) -> str | None:
    """Where `hrv up` serves a page, as it wrote down in the store."""
    try:
        told = json.loads((home / "up.json").read_text(encoding="utf-8"))["mounts"]
        return f"unix:{told[prefix[1:]]}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _client(behind: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(
        uds=behind.removeprefix("unix:") if behind.startswith("unix:") else None
    )
    return httpx.AsyncClient(transport=transport, timeout=WAIT_S, follow_redirects=False)
