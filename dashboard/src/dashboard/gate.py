"""The gate before the page: this machine only, nothing from elsewhere, and nobody without the session's token.

A page on loopback can still be reached by a web site that makes its own name point here (DNS rebinding): the browser
then sends that name as ``Host``, so the host must be exactly ours, with its port. A site can also send requests
blindly: so whatever changes something needs our own ``Origin``, no foreign ``Sec-Fetch-Site``, and JSON, which a form
can't send. Cookies don't part ports, and other users of the machine reach loopback too: so all that holds anything of
the wearer needs the token of this start, as a cookie (HttpOnly, SameSite=Strict) or as a header.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.gate_answers import Refusal, answer_refusal, capped, with_headers
from dashboard.session import Sessions
from hrv_shared.cli import say

__all__ = ["ENTER", "MOUNTS", "UPLOADS", "Doors", "Gate", "loopback_doors"]

ENTER = "/enter/"
PAIR = "/pair"
TOKEN_HEADER = "x-hrv-token"
KB, MB = 1024, 1024 * 1024
JSON_CAP = 64 * KB
UPLOADS = {"/api/speak": 25 * MB, "/api/import": 64 * MB}
"""The only paths that take multipart, and how much."""
MOUNTS = ("/dagster", "/mlflow")
"""Where other pages may be let through (`mounts.py`); they may use more methods, under the same rules."""
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Doors:
    """By which names this page is called, and what may come in.

    Attributes
    ----------
    hosts : frozenset of str
        The only values of ``Host``, port and all.
    scheme : str
        ``http`` on loopback, ``https`` in the wearer's network.
    pairing : bool
        Whether a phone may bring a pairing code here.
    """

    hosts: frozenset[str]
    scheme: str = "http"
    pairing: bool = False
    origins: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origins", frozenset(f"{self.scheme}://{host}" for host in self.hosts))

    def refusal(self, scope: Scope, sessions: Sessions) -> Refusal | None:
        """Why this request may not come in, or None."""
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        if not path.startswith("/") or "\\" in path or "//" in path:
            return 400, "BadTarget", "Expected a path as the target of the request."
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return 421, "WrongHost", "This page answers to its own local address only."
        mounted = any(path == m or path.startswith(f"{m}/") for m in MOUNTS)
        allowed = {"GET", "POST"} | (CHANGING | {"HEAD"} if mounted else set())
        if method not in allowed:
            return 405, "MethodNotAllowed", "Expected GET or POST."
        refused = self._foreign(headers, method, path)
        if refused is None and not self._is_open(method, path) and not self._knows(headers, sessions):
            refused = 401, "NotEntered", "Open the address that `hrv dashboard` printed: it carries the key."
        return refused or _wrong_content(headers, method, path)

    def _foreign(self, headers: Headers, method: str, path: str) -> Refusal | None:
        origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
        changes = method in CHANGING
        if len(origins) > 1 or (origins and origins[0] not in self.origins) or (changes and not origins):
            return 403, "ForeignOrigin", "Expected this page's own Origin."
        if not sites:
            return None
        if len(sites) > 1 or sites[0] not in ({"same-origin"} if changes else {"same-origin", "none"}):
            # a link that carries the key may stand on a page of another site: a terminal in the browser, say
            comes_by_link = path.startswith(ENTER) and headers.get("sec-fetch-mode") == "navigate"
            if changes or len(sites) > 1 or not comes_by_link:
                return 403, "ForeignSite", "Requests from other sites are refused."
        return None

    def _is_open(self, method: str, path: str) -> bool:
        """What holds nothing of the wearer; the key in the entrance is its own token."""
        if method == "GET":
            return path.startswith((ENTER, "/static/")) or (self.pairing and path == PAIR)
        return self.pairing and path == PAIR

    def _knows(self, headers: Headers, sessions: Sessions) -> bool:
        given = headers.getlist(TOKEN_HEADER)
        if given:
            return len(given) == 1 and sessions.knows(given[0])
        return any(sessions.knows(token) for token in _cookies(headers, sessions.cookie))


def loopback_doors(port: int) -> Doors:
    """The doors of the page on this machine."""
    return Doors(frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")))


class Gate:
    """ASGI middleware: refuses what `Doors` refuses, caps bodies, puts the headers on every answer; no web sockets.

    An error that nobody foresaw is answered with its type alone, here and in the terminal: its text may hold data.
    """

    desk: Any = None
    """What the page behind it works with."""

    def __init__(self, app: ASGIApp, *, doors: Doors, sessions: Sessions) -> None:
        self._app = app
        self._doors = doors
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        mounted = any(scope["path"] == m or scope["path"].startswith(f"{m}/") for m in MOUNTS)
        sender = with_headers(send, foreign_page=mounted)
        if (refused := self._doors.refusal(scope, self._sessions)) is not None:
            await answer_refusal(scope, receive, sender, refused)
            return
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await sender(message)

        cap = UPLOADS.get(scope["path"], JSON_CAP)
        try:
            await self._app(scope | {"hrv_scheme": self._doors.scheme}, capped(receive, cap), watched)
        except Exception as unknown:  # see the class
            say(f"hrv dashboard: {scope['method']} failed with {type(unknown).__name__}")
            if not began:
                told = f"The page failed with {type(unknown).__name__}. Run hrv doctor in a terminal."
                await answer_refusal(scope, receive, sender, (500, "Bug", told))


def _cookies(headers: Headers, name: str) -> list[str]:
    """Every value that the request gives the cookie ``name``; a neighbour on another port may have set a second one."""
    pairs = [p.strip().partition("=") for line in headers.getlist("cookie") for p in line.split(";")]
    return [value for key, _, value in pairs if key == name][:4]


def _wrong_content(headers: Headers, method: str, path: str) -> Refusal | None:
    kinds = headers.getlist("content-type")
    length = headers.get("content-length", "0")
    has_body = length != "0" or "transfer-encoding" in headers
    if method not in CHANGING:
        return (400, "BodyNotExpected", "Expected no body.") if has_body else None
    wanted = "multipart/form-data" if path in UPLOADS else "application/json"
    if len(kinds) != 1 or kinds[0].split(";")[0].strip().lower() != wanted or "content-encoding" in headers:
        return 415, "WrongContentType", f"Expected Content-Type: {wanted}."
    cap = UPLOADS.get(path, JSON_CAP)
    if not length.isdecimal() or len(length) > 12 or int(length) > cap:
        return 413, "TooLarge", f"Expected at most {cap // KB:,} KB."
    return None
