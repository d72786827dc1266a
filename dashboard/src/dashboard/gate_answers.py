"""What the gate puts on every answer, how it refuses, and how it counts a body."""

from __future__ import annotations

import json
from html import escape

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

__all__ = ["HEADERS", "Refusal", "answer_refusal", "capped", "with_headers"]

Refusal = tuple[int, str, str]
"""Status, code, message."""

PLOT_STYLE = "'sha256-sVJ7g3k6mWHYvzJmmicR2INTecL1JDDUh2ypIPiVOis='"
"""Observable Plot sets one style element into each drawing, always the same; only that very text is let through."""

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self' " + PLOT_STYLE + "; "
    "img-src 'self'; connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self)",
    "cache-control": "no-store",
}
"""On every answer, refusals too."""

FOREIGN_PAGE = {
    "content-security-policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; base-uri 'self'; "
    "frame-ancestors 'none'",
}
"""Dagster's and MLflow's pages write scripts into their pages; they get nothing from elsewhere either."""


def with_headers(send: Send, *, foreign_page: bool = False) -> Send:
    """A sender that puts `HEADERS` on the answer; what never changes (the vendored scripts) may be kept."""
    ours = HEADERS | (FOREIGN_PAGE if foreign_page else {})

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = [
                (name.decode().lower(), value.decode("latin-1")) for name, value in message.get("headers", [])
            ]
            kept = [(n, v) for n, v in given if n not in ours and not n.startswith("access-control-")]
            cache = [v for n, v in given if n == "cache-control" and "immutable" in v]
            final = ours | ({"cache-control": cache[0]} if cache else {})
            pairs = [*kept, *final.items()]
            message = {**message, "headers": [(n.encode(), v.encode("latin-1")) for n, v in pairs]}
        await send(message)

    return sender


async def answer_refusal(scope: Scope, receive: Receive, send: Send, refused: Refusal) -> None:
    """Refuse: a page for people, one JSON form for programs."""
    status, code, message = refused
    wants_page = not scope["path"].startswith("/api/") and b"text/html" in dict(scope["headers"]).get(
        b"accept", b""
    )
    answer: Response
    if wants_page:
        answer = HTMLResponse(_PAGE.format(code=escape(code), message=escape(message)), status)
    else:
        answer = JSONResponse({"error": {"code": code, "message": message}}, status)
    if status == 405:
        answer.headers["allow"] = "GET, POST"
    await answer(scope, receive, send)


def capped(receive: Receive, cap: int) -> Receive:
    """Count what really comes: a body in pieces tells no length beforehand."""
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > cap:
            raise HTTPException(
                413, json.dumps({"code": "TooLarge", "message": f"Expected at most {cap} bytes."})
            )
        return message

    return counted


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>hrv: {code}</title><link rel="stylesheet" href="/static/page.css"></head>
<body class="plain"><main><h1>Not shown</h1><p>{message}</p>
<p>Lost the address? Run <code>hrv dashboard --link</code> in a terminal. Came here by a link from elsewhere?
<a href="/">Open the page itself</a>.</p></main></body></html>"""
