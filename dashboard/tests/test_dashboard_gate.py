"""The gate: this machine only, nobody without the token, nothing from elsewhere; every refusal carries the policy."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys

import pytest

from conftest import PORT, TOKEN
from dashboard.errors import PortTaken
from dashboard.gate import Gate, loopback_doors
from dashboard.gate_answers import HEADERS
from dashboard.serving import LOOPBACK, is_serving, open_port
from dashboard.session import Sessions
from dashboard_hostile import CHANGING, READING, honest, hostile_requests, scope_of

REFUSALS = {400, 401, 403, 405, 413, 415, 421}


class Probe:
    """An app that only counts who got in."""

    def __init__(self):
        self.let_in = []

    async def __call__(self, scope, receive, send):
        self.let_in.append((scope["method"], scope["path"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def asked(gate, request):
    answers = []

    async def receive():
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message):
        answers.append(message)

    await gate(scope_of(request), receive, send)
    return answers[0]["status"], dict(answers[0]["headers"])


def gate_and_probe():
    probe = Probe()
    return Gate(probe, doors=loopback_doors(PORT), sessions=Sessions(PORT, token=TOKEN)), probe


def attack(count, seed):
    gate, probe = gate_and_probe()

    async def all_of_them():
        sent = 0
        for what, request in hostile_requests(count, seed):
            status, headers = await asked(gate, request)
            sent += 1
            assert not probe.let_in, f"got in: {what}"
            assert status in REFUSALS, (what, status)
            assert (
                headers[b"content-security-policy"].startswith(b"default-src 'none'")
                or b"/mlflow" in what.encode()
            )
            assert not any(name.startswith(b"access-control") for name in headers), what
        return sent

    return asyncio.run(all_of_them())


def test_of_the_hostile_requests_none_gets_in():
    assert attack(2_000, seed=1) >= 2_000


@pytest.mark.slow
def test_of_very_many_hostile_requests_none_gets_in():
    assert attack(20_000, seed=2) >= 20_000


@pytest.mark.parametrize("path", [*CHANGING, *READING])
def test_the_honest_request_gets_in(path):
    gate, probe = gate_and_probe()
    status, _ = asyncio.run(asked(gate, honest(path)))
    assert (status, probe.let_in) == (200, [("POST" if path in CHANGING else "GET", path)])


@pytest.mark.parametrize("host", [f"localhost:{PORT}", f"127.0.0.1:{PORT}", f"[::1]:{PORT}"])
def test_our_own_names_are_let_in(visit, host):
    assert visit("/static/page.css", headers={"host": host}).status_code == 200


def test_without_the_cookie_there_is_a_page_that_says_what_to_do_and_nothing_else(app, reported):
    from fastapi.testclient import TestClient

    with TestClient(app, base_url=f"http://localhost:{PORT}") as stranger:
        answer = stranger.get("/", headers={"accept": "text/html"})
        assert answer.status_code == 401
        assert "hrv dashboard --link" in answer.text
        assert " ms" not in answer.text
        assert stranger.get("/api/today").json()["error"]["code"] == "NotEntered"


def test_the_printed_address_sets_a_cookie_that_scripts_and_sites_cannot_use(app):
    from fastapi.testclient import TestClient

    with TestClient(app, base_url=f"http://localhost:{PORT}") as browser:
        assert browser.get("/enter/wrong").status_code == 403
        assert "set-cookie" not in browser.get("/enter/wrong").headers
        coming = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}  # a terminal in another page
        answer = browser.get(f"/enter/{TOKEN}", headers=coming)
        cookie = answer.headers["set-cookie"].lower()
        assert f"hrv_{PORT}={TOKEN}" in answer.headers["set-cookie"]
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "domain" not in cookie
        assert browser.get("/api/settings").status_code == 200
        assert browser.get("/api/settings", headers=coming).status_code == 403


def test_programs_use_the_header(app):
    from fastapi.testclient import TestClient

    with TestClient(app, base_url=f"http://localhost:{PORT}") as program:
        assert program.get("/api/settings", headers={"x-hrv-token": TOKEN}).status_code == 200
        assert program.get("/api/settings", headers={"x-hrv-token": "wrong"}).status_code == 401


def test_a_body_that_comes_in_pieces_is_counted(visit):
    pieces = (b"x" * 9_000 for _ in range(12))
    answer = visit(
        "/api/what-if", "POST", content=pieces, json=None, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/static/page.css", "/nowhere", "/docs", "/openapi.json", "/static/../page.py"]
)
def test_every_answer_carries_the_policy(visit, path):
    answer = visit(path)
    kept = {name: answer.headers[name] for name in HEADERS if name != "cache-control"}
    assert kept == {name: value for name, value in HEADERS.items() if name != "cache-control"}
    assert "unsafe" not in HEADERS["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert answer.status_code == (200 if path == "/static/page.css" else 404)


def test_what_nobody_foresaw_is_answered_with_its_type_alone(visit, monkeypatch, capsys):
    import dashboard.view_routes as routes

    def breaks(desk):
        raise RuntimeError("hrv was 31.4 ms")

    monkeypatch.setattr(routes.options, "gather_options", breaks)
    answer = visit("/api/settings")
    assert answer.status_code == 500
    assert "RuntimeError" in answer.text
    assert "31.4" not in answer.text + "".join(capsys.readouterr())


def test_a_taken_port_is_a_sentence():
    listeners = open_port(0)
    try:
        port = listeners[0].getsockname()[1]
        assert {listener.getsockname()[0] for listener in listeners} <= {LOOPBACK, "::1"}
        assert is_serving(port)
        with pytest.raises(PortTaken, match="Choose another"):
            open_port(port)
    finally:
        for listener in listeners:
            listener.close()
    assert not is_serving(port)


def raw(port, text):
    """What a server answers to bytes as they are; its status, or 0 when it hung up."""
    with socket.create_connection((LOOPBACK, port), timeout=30) as wire:
        wire.sendall(text.encode())
        got = b""
        while piece := wire.recv(65_536):
            got += piece
    return int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/") else 0


def test_the_served_page_answers_refuses_on_the_wire_and_logs_nothing(reported, settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")}
    env |= {"HRV_HOME": str(reported.home), "HRV_CONFIG_DIR": str(settings.config_dir)}
    command = [sys.executable, "-m", "dashboard", "serve", "--port", "0", "--json"]
    server = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        told = json.loads(server.stdout.readline())
        port, token = int(told["address"].rsplit(":", 1)[1].strip("/")), told["url"].rsplit("/", 1)[1]
        own, key = f"Host: localhost:{port}", f"X-HRV-Token: {token}"
        assert raw(port, f"GET /api/today HTTP/1.1\r\n{own}\r\n{key}\r\nConnection: close\r\n\r\n") == 200
        for lines in (
            f"GET http://evil.example/api/today HTTP/1.1\r\n{own}\r\n{key}",
            f"GET http://localhost:{port}/api/today HTTP/1.1\r\n{own}\r\n{key}",
            f"GET /api/today HTTP/1.1\r\n{own}\r\n{own}\r\n{key}",
            f"GET /api/today HTTP/1.1\r\nHost: evil.example:{port}\r\n{key}",
            f"GET /api/today HTTP/1.0\r\n{key}",
            f"GET /api/today HTTP/1.1\r\n{own}",
            f"GET /api/today HTTP/1.1\r\n{own}\r\n{key}\r\nUpgrade: websocket\r\nOrigin: http://evil.example",
            f"POST /api/daily HTTP/1.1\r\n{own}\r\n{key}\r\nContent-Type: application/json\r\nContent-Length: 0",
        ):
            assert raw(port, f"{lines}\r\nConnection: close\r\n\r\n") in REFUSALS, lines
        token_file = settings.config_dir / "dashboard-token"
        assert token_file.stat().st_mode & 0o777 == 0o600
        assert token_file.read_text() == token
    finally:
        server.terminate()
        _, logged = server.communicate(timeout=30)
    assert logged == ""
