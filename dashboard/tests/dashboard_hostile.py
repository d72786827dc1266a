"""Requests that a hostile site, program or network could send: each differs from an honest one in one or more ways.

``hostile_requests(n, seed)`` gives every single deviation first, then combinations of two and three drawn at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from conftest import PORT, TOKEN

OWN = f"localhost:{PORT}"
COOKIE = f"hrv_{PORT}={TOKEN}"

HOSTS = [
    "evil.example", f"evil.example:{PORT}", "localhost", "localhost:80", f"{PORT + 1}", f"localhost:{PORT + 1}",
    f"{OWN}.", f"localhost.:{PORT}", f"localhost:{PORT}.evil.example", f"LOCALHOST:{PORT}", "127.0.0.1",
    f"127.1:{PORT}", f"127.0.0.2:{PORT}", f"2130706433:{PORT}", f"0x7f000001:{PORT}", f"0177.0.0.1:{PORT}",
    f"[::ffff:127.0.0.1]:{PORT}", f"[::1%lo]:{PORT}", f"::1:{PORT}",
    "[::1]", f"0.0.0.0:{PORT}", f"[::]:{PORT}", f"localhost :{PORT}",
    f" {OWN}",
    f"{OWN} ", f"{OWN},{OWN}", f"user@{OWN}", f"{OWN}/", f"http://{OWN}", f"localhost:0{PORT}", f"localhost:{PORT}0",
    "", f"{OWN}\tx", f"127.0.0.1.nip.io:{PORT}", f"localtest.me:{PORT}", f"xn--localhost:{PORT}", f"loc%61lhost:{PORT}",
    f"①27.0.0.1:{PORT}",
]  # fmt: skip
ORIGINS = [
    "null", "http://evil.example", f"https://{OWN}", "http://localhost", f"http://localhost:{PORT + 1}", f"http://{OWN}.",
    f"http://{OWN}.evil.example", f"http://evil.example#{OWN}", "file://", f"http://127.0.0.1.nip.io:{PORT}", "*", "",
    f"http://LOCALHOST:{PORT}", "chrome-extension://abcdefghijklmnop", f"http://user@{OWN}", f"http://{OWN}/",
]  # fmt: skip
SITES = ["cross-site", "same-site", "", "none, same-origin", "Same-Origin", "anything"]
METHODS = [
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "HEAD",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "post",
    "get",
    "LINK",
    "X",
]
KINDS = [
    None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
    "text/json", "application/json, text/plain", "application/json-patch+json", "text/html", "", "application/xml",
]  # fmt: skip
TOKENS = [
    None, f"hrv_{PORT}=", f"hrv_{PORT}=wrong", f"hrv_{PORT + 1}={TOKEN}", f"hrv={TOKEN}", f"HRV_{PORT}={TOKEN}",
    f"hrv_{PORT}={TOKEN}x", f"hrv_{PORT}={TOKEN[:-1]}", f'hrv_{PORT}="{TOKEN}', f"hrv_{PORT}={TOKEN.upper()}",
    f"x{COOKIE}",
]  # fmt: skip
TARGETS = [
    f"http://{OWN}/api/daily", "api/daily", "//evil.example/api/daily", "\\\\evil\\x", "/api//daily", "*", "",
    "http://evil.example/",
]  # fmt: skip
CHANGING = [
    "/api/daily", "/api/forecast", "/api/journal", "/api/what-if",
    "/api/settings", "/api/erase", "/api/export", "/api/show",
    "/api/phone", "/api/guess", "/api/connect", "/api/pull", "/api/demo", "/api/journal/abcd/confirm",
    "/api/models/llm",
]  # fmt: skip
READING = [
    "/",
    "/api/today",
    "/speak",
    "/settings",
    "/export/hrv-20260101T000000Z.zip",
    "/api/journal",
    "/mlflow/",
    "/track",
]


def honest(path: str) -> dict[str, Any]:
    """A request as the page itself sends it."""
    changes = path in CHANGING
    headers = [("host", OWN), ("cookie", COOKIE), ("sec-fetch-site", "same-origin")]
    if changes:
        headers += [
            ("origin", f"http://{OWN}"),
            ("content-type", "application/json"),
            ("content-length", "2"),
        ]
    return {"method": "POST" if changes else "GET", "path": path, "headers": headers, "type": "http"}


def hostile_requests(count: int, seed: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is wrong with it, and the request; at least ``count`` of them."""
    made = 0
    for path in (*CHANGING, *READING):
        for what, change in _deviations(path):
            made += 1
            yield f"{path}: {what}", _changed(honest(path), change)
    draw = random.Random(seed)
    while made < count:
        path = draw.choice([*CHANGING, *READING])
        picked = draw.sample(list(_deviations(path)), draw.choice([2, 3]))
        request = honest(path)
        for _, change in picked:
            request = _changed(request, change)
        made += 1
        yield f"{path}: {' + '.join(what for what, _ in picked)}", request


def _deviations(path: str) -> Iterator[tuple[str, tuple[str, Any]]]:
    changes = path in CHANGING
    mounted = path.startswith("/mlflow")
    yield from ((f"host {host!r}", ("host", [host])) for host in HOSTS)
    yield from (
        (f"hosts {pair}", ("host", pair))
        for pair in ([OWN, "evil.example"], ["evil.example", OWN], [OWN, OWN], [])
    )
    yield from ((f"origin {origin!r}", ("origin", [origin])) for origin in ORIGINS)
    yield "two origins", ("origin", [f"http://{OWN}", "http://evil.example"])
    yield from ((f"site {site!r}", ("sec-fetch-site", [site])) for site in SITES)
    yield "two sites", ("sec-fetch-site", ["same-origin", "cross-site"])
    yield from ((f"cookie {token!r}", ("cookie", [] if token is None else [token])) for token in TOKENS)
    yield "a wrong token in the header", ("x-hrv-token", ["wrong"])
    yield "two tokens in the header", ("x-hrv-token", [TOKEN, TOKEN])
    ours = {"HEAD", "PUT", "PATCH", "DELETE"} if mounted else set()
    yield from ((f"method {method}", ("method", method)) for method in METHODS if method not in ours)
    yield from ((f"target {target!r}", ("path", target)) for target in TARGETS)
    yield "a body in an endless number", ("content-length", ["9" * 30])
    if changes:
        yield from ((f"content {kind!r}", ("content-type", [] if kind is None else [kind])) for kind in KINDS)
        yield "two contents", ("content-type", ["application/json", "text/plain"])
        yield "packed content", ("content-encoding", ["gzip"])
        yield "no origin", ("origin", [])
        yield "site none", ("sec-fetch-site", ["none"])
        yield from (
            (f"length {n!r}", ("content-length", [n])) for n in ("-1", "1e3", "70000", "0x2", " ", "1,2")
        )
    else:
        yield "a body", ("content-length", ["5"])
        yield "a body in pieces", ("transfer-encoding", ["chunked"])


def _changed(request: dict[str, Any], change: tuple[str, Any]) -> dict[str, Any]:
    name, value = change
    if name in ("method", "path"):
        return request | {name: value}
    kept = [(n, v) for n, v in request["headers"] if n != name]
    return request | {"headers": kept + [(name, v) for v in value]}


def scope_of(request: dict[str, Any]) -> dict[str, Any]:
    """As an ASGI server hands it on."""
    headers = [(n.encode(), v.encode("utf-8")) for n, v in request["headers"]]
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request["method"],
        "path": request["path"], "raw_path": request["path"].encode(), "query_string": b"", "scheme": "http",
        "headers": headers, "server": ("127.0.0.1", PORT), "client": ("127.0.0.1", 50_000), "root_path": "",
    }  # fmt: skip
