"""The gate before the local service: nothing is safe because it is local.

Any web page can reach 127.0.0.1, by DNS rebinding under a name of its own. So: an exact Host list with port, no foreign
Origin, no cross-site fetch, and a session token for whatever changes state. No CORS headers, ever.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hrv_shared.store import write_bytes_atomic

TOKEN_HEADER = "X-HRV-Token"
SAFE_METHODS = frozenset({"GET", "HEAD"})
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Gate:
    """ASGI middleware.

    Parameters
    ----------
    port : int
        The only port that a Host may name.
    token : str
        What a state change must carry in ``X-HRV-Token``.
    landing : str
        The OAuth callback's path: the one page to which another site (WHOOP) may send the browser; its own
        single-use ``state`` guards it.
    """

    def __init__(self, app: ASGIApp, port: int, token: str, landing: str):
        self._app = app
        self._hosts = frozenset(f"{name}:{port}" for name in LOOPBACK_NAMES)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._token = token.encode()
        self._landing = landing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websockets here
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, message = refusal
        await JSONResponse({"error": {"code": "Refused", "message": message}}, status)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if len(hosts := headers.getlist("host")) != 1 or hosts[0].lower() not in self._hosts:
            return 421, "Expected a Host of this service, such as 127.0.0.1 with its port."
        if any(origin not in self._origins for origin in headers.getlist("origin")):
            return 403, "Expected no Origin, or this service's own."
        method, path = scope["method"], scope["path"]
        is_landing = method == "GET" and path == self._landing
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not is_landing:
            return 403, "Requests from other sites are refused."
        if method in SAFE_METHODS:
            return None
        given = headers.get(TOKEN_HEADER, "").encode()
        if not hmac.compare_digest(given, self._token):
            return (
                403,
                f"A change needs the header {TOKEN_HEADER} with the token that the service wrote at its start.",
            )
        content = headers.get("content-type", "").split(";")[0].strip().lower()
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if has_body and content != "application/json":
            return 415, "Expected Content-Type: application/json."
        return None


def new_session_token(path: Path) -> str:
    """A token for this start of the service, also written to `path` (mode 0600) for our own programs."""
    token = secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes_atomic(path, token.encode(), mode=0o600)
    return token
