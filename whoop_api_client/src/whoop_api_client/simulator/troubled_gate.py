"""The ASGI layer around the service: faults, the rate limit, and a log of what was asked and answered."""

from __future__ import annotations

import asyncio

from whoop_api_client.simulator.faults import Fault, FaultQueue
from whoop_api_client.simulator.rate_limit import RateLimit
from whoop_api_client.simulator.request_log import RequestLog

__all__ = ["TroubledGate"]

_GATEWAY_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_ON_THE_TRUE_ANSWER = ("slow", "cut", "lost", "half_json")
_USUAL_LIMIT = "100, 100;window=60, 10000;window=86400"


class TroubledGate:
    """Lets requests through unless a fault or the rate limit is in the way; ``/_sim`` always passes."""

    def __init__(
        self,
        app,
        faults: FaultQueue,
        limit: RateLimit,
        log: RequestLog,
        api_prefix: str = "/developer",
        retry_after: bool = False,
    ) -> None:
        self._app, self._faults, self._limit, self._log = app, faults, limit, log
        self._api_prefix, self._retry_after = api_prefix, retry_after

    async def __call__(self, scope, receive, send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith("/_sim"):
            await self._app(scope, receive, send)
            return
        send = self._logged(scope["method"], path, send)
        fault = self._faults.take(path)
        limited = path.startswith(self._api_prefix + "/")
        allowed, headers = self._limit.take() if limited else (True, {})
        if fault is not None and fault.kind not in _ON_THE_TRUE_ANSWER:
            await _refuse(send, fault, headers)
        elif not allowed:
            await _answer(send, 429, b"", _with_retry_after(headers, self._retry_after))
        elif fault is not None and fault.kind in ("cut", "lost"):
            await self._app(scope, receive, _Cutter(send, fault.kind == "lost"))
        else:
            if fault is not None and fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            if fault is not None and fault.kind == "half_json":
                send = _Halver(send)
            await self._app(scope, receive, _with_headers(send, headers))

    def _logged(self, method: str, path: str, send):
        async def forward(message) -> None:
            if message["type"] == "http.response.start":
                self._log.add(method, path, message["status"])
            await send(message)

        return forward


class _Cutter:
    """Announces the whole body, sends half of it or nothing, then the line drops."""

    def __init__(self, send, lost: bool) -> None:
        self._send, self._lost = send, lost

    async def __call__(self, message) -> None:
        if message["type"] == "http.response.body":
            if self._lost:
                return
            body = message.get("body", b"")
            message = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        await self._send(message)


class _Halver:
    """Sends half of the body and says that this was all of it."""

    def __init__(self, send) -> None:
        self._send, self._start = send, None

    async def __call__(self, message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body = message.get("body", b"")
        body = body[: len(body) // 2]
        kept = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
        kept.append((b"content-length", str(len(body)).encode()))
        await self._send(self._start | {"headers": kept})
        await self._send({"type": "http.response.body", "body": body})


async def _refuse(send, fault: Fault, headers: dict[str, str]) -> None:
    if fault.kind == "rate_limited":
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(round(fault.seconds))}
        said = {"X-RateLimit-Limit": _USUAL_LIMIT} | headers | reset
        await _answer(send, 429, b"", _with_retry_after(said, fault.retry_after))
    elif fault.kind == "unauthorized":
        await _answer(send, 401, b"Authorization was not valid", {"Content-Type": "text/plain"})
    elif fault.kind in ("html", "html_200"):
        status = 502 if fault.kind == "html" else 200
        await _answer(send, status, _GATEWAY_PAGE, {"Content-Type": "text/html"})
    elif fault.kind == "empty":
        await _answer(send, 500, b"", {})
    else:
        status = int(fault.kind.removeprefix("status_"))
        await _answer(send, status, b"upstream error", {"Content-Type": "text/plain"})


def _with_retry_after(headers: dict[str, str], wanted: bool) -> dict[str, str]:
    return headers | {"Retry-After": headers["X-RateLimit-Reset"]} if wanted else headers


async def _answer(send, status: int, body: bytes, headers: dict[str, str]) -> None:
    headers = headers | {"Content-Length": str(len(body))}
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send, headers: dict[str, str]):
    if not headers:
        return send
    encoded = _encoded(headers)

    async def forward(message) -> None:
        if message["type"] == "http.response.start":
            message = message | {"headers": [*message["headers"], *encoded]}
        await send(message)

    return forward


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
