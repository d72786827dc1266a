"""The gate before the page: this machine only, reading only, nothing from elsewhere.

A page on loopback can still be reached by a web site that makes its own name point here (DNS rebinding): the browser
then sends that name as ``Host``. So the host must be exactly ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["HEADERS", "Gate", "allowed_hosts"]

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


def allowed_hosts(port: int) -> frozenset[str]:
    """The only values of ``Host`` that the page answers."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})


class Gate:
    """ASGI middleware: exact Host, GET only, security headers on every answer, no web sockets."""

    def __init__(self, app: Callable[..., Awaitable[None]], *, port: int) -> None:
        self._app = app
        self._hosts = allowed_hosts(port)

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Send
    ) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            await _answer(send, 421, "This page answers to its own local address only.")
        elif scope["method"] != "GET":
            await _answer(send, 405, "This page can only be read.", {"allow": "GET"})
        else:
            await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.decode().lower() not in HEADERS
            ]
            message["headers"] = kept + [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        await send(message)

    return sender


async def _answer(send: Send, status: int, sentence: str, more: dict[str, str] | None = None) -> None:
    headers = {"content-type": "text/plain; charset=utf-8"} | (more or {})
    wrapped = _with_headers(send)
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await wrapped({"type": "http.response.start", "status": status, "headers": pairs})
    await wrapped({"type": "http.response.body", "body": sentence.encode()})
