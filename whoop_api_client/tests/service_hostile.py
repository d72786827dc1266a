"""Hostile requests to the service, as bytes: everything right but for one thing, or several at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from service_running import PUBLIC_NAME, TOKEN

HOUSE = (
    ("GET", "/"), ("GET", "/openapi.json"), ("GET", "/status"), ("GET", "/gaps"), ("GET", "/tables"),
    ("GET", "/tables/days.csv"), ("GET", "/jobs/1"), ("GET", "/callback?code=c&state=ssssssss"),
    ("GET", "/connect/ticket"), ("POST", "/connect"), ("POST", "/connect/paste"), ("POST", "/disconnect"),
    ("POST", "/pull"), ("POST", "/import"), ("OPTIONS", "/pull"), ("PUT", "/pull"), ("DELETE", "/pull"),
    ("PATCH", "/pull"), ("HEAD", "/status"), ("TRACE", "/status"),
)  # fmt: skip
OPEN = {"/", "/openapi.json", "/callback", "/connect/ticket"}
POSTS = tuple((method, path) for method, path in HOUSE if method == "POST")

ABSENT = "absent"
HOSTS = (
    "evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "127.0.0.1:80", "127.0.0.1:{other}",
    "127.0.0.1.:{port}", "localhost.:{port}", "2130706433:{port}", "0x7f000001:{port}", "0177.0.0.1:{port}",
    "127.1:{port}", "127.0.1:{port}", "127.0.0.2:{port}", "0.0.0.0:{port}", "0:{port}", "[::ffff:127.0.0.1]:{port}",
    "[::]:{port}", "[0:0:0:0:0:0:0:1]:{port}", "::1:{port}", "[::1%25lo]:{port}", "localhost.evil.example:{port}",
    "127.0.0.1.nip.io:{port}", "localtest.me:{port}", "127.0.0.1:{port}@evil.example", "evil.example@127.0.0.1:{port}",
    "localhost:{port}, evil.example", "localhost:{port} evil.example", "127.0.0.1:{port}0", "127.0.0.1:0{port}",
    "127.0.0.1:+{port}", "127.0.0.1:{port}/", "http://127.0.0.1:{port}", "localhost%00:{port}", "l\u00f6calhost:{port}",
    PUBLIC_NAME, PUBLIC_NAME + ":{port}", "", ABSENT, "127.0.0.1:{port}\r\nHost: evil.example",
    "evil.example\r\nHost: 127.0.0.1:{port}", "evil.example\r\nX-Forwarded-Host: 127.0.0.1:{port}",
)  # fmt: skip
ORIGINS = (
    "https://evil.example", "http://evil.example:{port}", "null", "", "https://127.0.0.1:{port}", "http://127.0.0.1",
    "http://127.0.0.1:{other}", "http://127.0.0.1:{port}.evil.example", "http://localhost:{port}@evil.example",
    "http://127.0.0.1:{port}/", "HTTP://127.0.0.1:{port}", "file://", "http://[::ffff:127.0.0.1]:{port}",
    "http://2130706433:{port}", "http://127.0.0.1:{port}\r\nOrigin: https://evil.example", "*",
)  # fmt: skip
SITES = ("cross-site", "same-site", "CROSS-SITE", "", "evil", "none\r\nSec-Fetch-Site: cross-site")
TOKENS = (
    ABSENT, "", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), f"Bearer {TOKEN}", f"{TOKEN},{TOKEN}",
    f"{TOKEN}\r\nX-HRV-Token: {TOKEN}", "\u00fc" * len(TOKEN), "0" * len(TOKEN), "null",
)  # fmt: skip
KINDS = (
    ABSENT, "", "text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "text/html",
    "application/xml", "application/json5", "application/jsonp", "text/json", "application/octet-stream",
    "text/plain; application/json", "application/json\r\nContent-Type: text/plain", "application/json, text/plain",
)  # fmt: skip
TARGETS = (
    "http://evil.example{path}", "http://127.0.0.1:{port}{path}", "//evil.example{path}", "*", "evil.example:443",
)  # fmt: skip


@dataclass(frozen=True)
class Hostile:
    """A request that must not get in, and the answers that say so."""

    what: str
    data: bytes
    refusals: frozenset[int]


def every_single_fault(port: int) -> Iterator[Hostile]:
    """Each forbidden form on each route, everything else being right."""
    for method, path in HOUSE:
        for host in HOSTS:
            yield _hostile("host", port, method, path, {421, 400}, host=host)
        for origin in ORIGINS:
            yield _hostile("origin", port, method, path, {403}, origin=origin)
        for site in SITES:
            if not path.startswith("/callback"):
                yield _hostile("site", port, method, path, {403}, site=site)
        for target in TARGETS:
            yield _hostile("target", port, method, path, {400, 401, 404}, target=target)
        if method != "GET" or path.split("?")[0] not in OPEN:
            for token in TOKENS:
                yield _hostile("token", port, method, path, {401, 400}, token=token)
    for method, path in POSTS:
        multipart = ("multipart/form-data; boundary=x",) if path != "/import" else ("application/json",)
        for kind in KINDS + multipart:
            yield _hostile("kind", port, method, path, {415, 400}, kind=kind, body=b'{"full":true}')


def several_faults(port: int, count: int, seed: int) -> Iterator[Hostile]:
    """Two or more faults at once, drawn."""
    draw = random.Random(seed)
    pools = {"host": HOSTS, "origin": ORIGINS, "site": SITES[:4], "token": TOKENS, "kind": KINDS[2:]}
    for _ in range(count):
        method, path = draw.choice(HOUSE)
        names = draw.sample(["host", "origin", "site", "token", "kind"], draw.randint(2, 5))
        if path.split("?")[0] in OPEN and not {"host", "origin"} & set(names):
            names.append("host")
        faults = {name: draw.choice(pools[name]) for name in names}
        yield _hostile("+".join(sorted(names)), port, method, path, {400, 401, 403, 415, 421}, **faults)


def _hostile(
    what: str, port: int, method: str, path: str, refusals: set[int], *, body: bytes = b"", target: str | None = None,
    **faults: str,
) -> Hostile:  # fmt: skip
    right = {"host": f"127.0.0.1:{port}", "origin": ABSENT, "site": ABSENT, "token": TOKEN, "kind": ABSENT}
    names = {"host": "Host", "origin": "Origin", "site": "Sec-Fetch-Site", "token": "X-HRV-Token"}
    said = right | faults
    aim = (target or "{path}").format(path=path, port=port)
    lines = [f"{method} {aim} HTTP/1.1"]
    for key, header in (names | {"kind": "Content-Type"}).items():
        if said[key] is not ABSENT:
            lines.append(
                f"{header}: {said[key].replace('{port}', str(port)).replace('{other}', str(port - 1))}"
            )
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    shown = {key: faults[key] for key in faults} | ({"target": aim} if target else {})
    return Hostile(
        f"{what}: {method} {path} {shown}", "\r\n".join(lines).encode() + body, frozenset(refusals)
    )
