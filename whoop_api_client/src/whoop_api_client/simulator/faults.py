"""Trouble on demand: what gateways and networks do to an answer, as an ASGI layer around the service."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import asdict, dataclass

from whoop_api_client.simulator.rate_limit import RateLimit

__all__ = ["FAULT_KINDS", "Fault", "FaultQueue", "TroubledGate"]

FAULT_KINDS = ("rate_limited", "status_500", "status_503", "html", "empty", "slow", "cut", "lost")
_GATEWAY_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Fault:
    """``count`` answers to requests whose path holds ``path_contains`` go wrong in the way of ``kind``.

    ``rate_limited`` 429; ``status_500``; ``status_503``; ``html`` a gateway's 502 page; ``empty`` 500 without
    body; ``slow`` the true answer after ``seconds``; ``cut`` half of the true answer, then the line
    drops; ``lost`` the service acts, but its answer never arrives. ``seconds`` is also what a 429 gives
    as its reset.
    """

    kind: str
    count: int = 1
    path_contains: str = ""
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"expected a kind out of {', '.join(FAULT_KINDS)}, got {self.kind!r}")
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 1:
            raise ValueError(f"expected a count of 1 or more, got {self.count!r}")
        if not isinstance(self.seconds, (int, float)) or not 0 <= self.seconds <= 600:
            raise ValueError(f"expected 0 to 600 seconds, got {self.seconds!r}")
        if not isinstance(self.path_contains, str):
            raise ValueError(f"expected a text as path_contains, got {self.path_contains!r}")


class FaultQueue:
    """Faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Ask for a fault."""
        with self._lock:
            self._pending.append(fault)

    def clear(self) -> None:
        """Forget every fault that has not happened yet."""
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[dict]:
        """What is still to come."""
        with self._lock:
            return [asdict(fault) for fault in self._pending]

    def take(self, path: str) -> Fault | None:
        """The first fault that fits ``path``, used up by one."""
        with self._lock:
            for fault in self._pending:
                if fault.path_contains in path:
                    fault.count -= 1
                    if fault.count == 0:
                        self._pending.remove(fault)
                    return fault
        return None


class TroubledGate:
    """Lets requests through unless a fault or the rate limit is in the way; ``/_sim`` always passes."""

    def __init__(self, app, faults: FaultQueue, limit: RateLimit) -> None:
        self._app, self._faults, self._limit = app, faults, limit

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sim"):
            await self._app(scope, receive, send)
            return
        fault = self._faults.take(scope["path"])
        limited = scope["path"].startswith("/developer")
        allowed, headers = self._limit.take() if limited else (True, {})
        if fault is not None and fault.kind not in ("slow", "cut", "lost"):
            await _refuse(send, fault, headers)
        elif not allowed:
            await _answer(send, 429, b"", headers)
        elif fault is not None and fault.kind in ("cut", "lost"):
            await self._app(scope, receive, _Cutter(send, fault.kind == "lost"))
        else:
            if fault is not None:
                await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, _with_headers(send, headers))


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


async def _refuse(send, fault: Fault, headers: dict[str, str]) -> None:
    if fault.kind == "rate_limited":
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(round(fault.seconds))}
        await _answer(send, 429, b"", headers | reset)
    elif fault.kind == "html":
        await _answer(send, 502, _GATEWAY_PAGE, {"Content-Type": "text/html"})
    elif fault.kind == "empty":
        await _answer(send, 500, b"", {})
    else:
        status = int(fault.kind.removeprefix("status_"))
        await _answer(send, status, b"upstream error", {"Content-Type": "text/plain"})


async def _answer(send, status: int, body: bytes, headers: dict[str, str]) -> None:
    headers = headers | {"Content-Length": str(len(body))}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send, headers: dict[str, str]):
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def forward(message) -> None:
        if message["type"] == "http.response.start":
            message = message | {"headers": [*message["headers"], *encoded]}
        await send(message)

    return forward
