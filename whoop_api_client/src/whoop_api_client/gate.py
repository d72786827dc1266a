"""The gate before the local service: nothing is safe because it is local.

Any web page can reach 127.0.0.1, by DNS rebinding under a name of its own. So the *house door* (the service's port)
takes an exact Host with port, no foreign Origin, no cross-site fetch, and for all but three pages a session token.

Webhooks come from outside, through a tunnel that the wearer sets up. They have a door of their own, the *letter box*
(another port): one path, POST only, and nothing else of the service can be reached through it, whatever the tunnel
does to the headers. No CORS headers, ever.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hrv_shared.cli import say
from hrv_shared.store import write_bytes_atomic

TOKEN_HEADER = "X-HRV-Token"
WEBHOOK_PATH = "/webhooks/whoop"
UPLOAD_PATH = "/import"
START_PATH = "/connect/"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

KB, MB = 1024, 1024 * 1024
JSON_CAP, LETTER_CAP, UPLOAD_CAP = 64 * KB, 16 * KB, 64 * MB

HEADERS = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""On every answer, refusals too."""

Refusal = tuple[int, str, str]
"""Status, code, message."""


@dataclass(frozen=True)
class Doors:
    """Which ports are ours, and what may come in where.

    Attributes
    ----------
    port : int
        The house door: the only port that a Host may name there.
    landing : str, optional
        The OAuth callback's path, when it is of this service: the one page to which another site (WHOOP) may send the
        browser. Its own single-use ``state`` and a cookie guard it.
    webhook_port, webhook_host : int, str, optional
        The letter box, and the public name by which the tunnel calls it; None: there is none.
    """

    port: int
    landing: str | None = None
    webhook_port: int | None = None
    webhook_host: str | None = None

    def refusal(self, scope: Scope, token: bytes) -> Refusal | None:
        """Why this request may not come in, or None."""
        headers, port = Headers(scope=scope), (scope.get("server") or (None, None))[1]
        if not scope["path"].startswith("/"):
            return 400, "BadTarget", "Expected a path as the target of the request."
        if port == self.port:
            return self._at_house_door(scope, headers, token)
        if port is not None and port == self.webhook_port:
            return self._at_letter_box(scope, headers)
        return 421, "WrongHost", "Nothing is served on this port."

    def _at_house_door(self, scope: Scope, headers: Headers, token: bytes) -> Refusal | None:
        ours = {f"{name}:{self.port}" for name in LOOPBACK_NAMES}
        if (refused := _wrong_host(headers, ours)) is not None:
            return refused
        if any(origin not in {f"http://{host}" for host in ours} for origin in headers.getlist("origin")):
            return 403, "ForeignOrigin", "Expected no Origin, or this service's own."
        method, path = scope["method"], scope["path"]
        if not self._may_fetch(headers, comes_home=method == "GET" and path == self.landing):
            return 403, "ForeignSite", "Requests from other sites are refused."
        if path == WEBHOOK_PATH:
            return 404, "NotFound", "Webhooks come in at their own port."
        if not (method == "GET" and self._is_open(path)):
            given = headers.getlist(TOKEN_HEADER)
            if len(given) != 1 or not hmac.compare_digest(given[0].encode(), token):
                told = (
                    f"Expected the header {TOKEN_HEADER} with the token that the service wrote at its start."
                )
                return 401, "TokenNeeded", told
        wanted = "multipart/form-data" if path == UPLOAD_PATH else "application/json"
        return _wrong_content(headers, wanted, UPLOAD_CAP if path == UPLOAD_PATH else JSON_CAP)

    def _at_letter_box(self, scope: Scope, headers: Headers) -> Refusal | None:
        names = {f"{name}:{self.webhook_port}" for name in LOOPBACK_NAMES}
        if self.webhook_host:
            names |= {self.webhook_host.lower(), f"{self.webhook_host.lower()}:443"}
        if (refused := _wrong_host(headers, names)) is not None:
            return refused
        # a browser says one of these with every POST; WHOOP's server says none
        if "origin" in headers or "cookie" in headers or any(n.startswith("sec-fetch") for n in headers):
            return 403, "ForeignOrigin", "Browsers have no business here."
        if scope["path"] != WEBHOOK_PATH:
            return 404, "NotFound", "There is only one address here."
        if scope["method"] != "POST":
            return 405, "MethodNotAllowed", "Expected POST."
        return _wrong_content(headers, "application/json", LETTER_CAP)

    def _may_fetch(self, headers: Headers, *, comes_home: bool) -> bool:
        if all(site in {"none", "same-origin"} for site in headers.getlist("sec-fetch-site")):
            return True
        # WHOOP sends the browser here as a page; an image or a script that a page loads is something else
        return comes_home and all(
            headers.get(name, expected) == expected
            for name, expected in (("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"))
        )

    def _is_open(self, path: str) -> bool:
        """Pages that hold nothing of the wearer; the ticket in a start address is its own key."""
        return path in {"/", "/openapi.json", self.landing} or path.startswith(START_PATH)

    def cap(self, scope: Scope) -> int:
        """How many bytes of body a request may bring."""
        if scope["path"] == WEBHOOK_PATH:
            return LETTER_CAP
        return UPLOAD_CAP if scope["path"] == UPLOAD_PATH else JSON_CAP


class Gate:
    """ASGI middleware: refuses what `Doors` refuses, caps bodies, puts `HEADERS` on every answer.

    An error that nobody foresaw is answered with its type alone, here and in the terminal: its text may hold data.
    """

    def __init__(self, app: ASGIApp, doors: Doors, token: str):
        self._app = app
        self._doors = doors
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websockets here
            return
        sender = _Sender(send)
        if (refused := self._doors.refusal(scope, self._token)) is not None:
            await _answer(refused)(scope, receive, sender)
            return
        try:
            await self._app(scope, _capped(receive, self._doors.cap(scope)), sender)
        except Exception as unknown:  # see the class
            say(f"hrv serve: {scope['method']} failed with {type(unknown).__name__}")
            if not sender.started:
                told = f"The service failed with {type(unknown).__name__}. Run the command in a terminal instead."
                await _answer((500, "Bug", told))(scope, receive, sender)


class _Sender:
    """Adds the headers, and knows whether an answer has begun."""

    def __init__(self, send: Send):
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            kept = [
                (name, value) for name, value in message["headers"] if name.decode().lower() not in HEADERS
            ]
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = message | {"headers": kept + ours}
        await self._send(message)


def _wrong_host(headers: Headers, names: set[str]) -> Refusal | None:
    hosts = headers.getlist("host")
    if len(hosts) == 1 and hosts[0].lower() in names:
        return None
    return 421, "WrongHost", "Expected a Host of this service, such as 127.0.0.1 with its port."


def _wrong_content(headers: Headers, wanted: str, cap: int) -> Refusal | None:
    kinds = [kind.split(";")[0].strip().lower() for kind in headers.getlist("content-type")]
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if (has_body or kinds) and kinds != [wanted]:
        return 415, "WrongContentType", f"Expected Content-Type: {wanted}."
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 12 or int(length) > cap:
        return _too_large(cap)
    return None


def _capped(receive: Receive, cap: int) -> Callable[[], object]:
    """Count what really comes: a chunked body tells no length beforehand."""
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > cap:
            status, code, told = _too_large(cap)
            raise HTTPException(status, {"code": code, "message": told})
        return message

    return counted


def _too_large(cap: int) -> Refusal:
    return 413, "TooLarge", f"Expected at most {cap // KB:,} KB."


def _answer(refused: Refusal) -> JSONResponse:
    status, code, message = refused
    more = {401: {"WWW-Authenticate": TOKEN_HEADER}, 405: {"Allow": "POST"}}.get(status)
    return JSONResponse({"error": {"code": code, "message": message}}, status, more)


def write_session_token(path: Path, token: str) -> None:
    """Leave the token of this start of the service in `path` (mode 0600), for our own programs."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes_atomic(path, token.encode(), mode=0o600)
