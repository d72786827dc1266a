"""The local service answers programs on this machine and nobody who came through a browser's back door."""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service_hostile import HOUSE, Hostile, every_single_fault, several_faults
from service_running import (
    LETTER_PORT,
    PORT,
    PUBLIC_NAME,
    TOKEN,
    WITH_TOKEN,
    Served,
    at_letter_box,
    client_of,
    served,
    settings_in,
    status_of,
)
from whoop_api_client.gate import HEADERS, TOKEN_HEADER, UPLOAD_CAP, WEBHOOK_PATH, Doors
from whoop_api_client.service import TOKEN_FILE, create_app


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[Served]:
    """On real sockets, webhooks switched on, so that they cannot be a way in."""
    settings = settings_in(
        tmp_path_factory.mktemp("gate"),
        whoop_client_id="id",
        whoop_client_secret="s3cret",
        whoop_webhook_host=PUBLIC_NAME,
    )
    with served(settings, run_pull=lambda wish, watch: {}) as place:
        yield place


@pytest.fixture
def service(tmp_path) -> Iterator:
    settings = settings_in(
        tmp_path, whoop_client_id="id", whoop_client_secret="s", whoop_webhook_host=PUBLIC_NAME
    )
    with client_of(settings, run_pull=lambda wish, watch: {}) as client:
        yield client


def test_no_hostile_request_gets_in(house):
    requests = [*every_single_fault(house.port), *several_faults(house.port, 600, seed=1)]
    counts = try_all(house, requests)
    assert sum(counts.values()) >= 2_000
    assert set(counts) >= {"host", "origin", "site", "target", "token", "kind"}


@pytest.mark.slow
def test_no_hostile_request_of_many_gets_in(house):
    requests = [*every_single_fault(house.port), *several_faults(house.port, 10_000, seed=2)]
    assert sum(try_all(house, requests).values()) >= 5_000


def try_all(house: Served, requests: list[Hostile]) -> Counter[str]:
    """Send all; how many of each sort were refused, as all must be."""
    counts: Counter[str] = Counter()
    for hostile in requests:
        answer = house.send_raw(hostile.data)
        assert status_of(answer) in hostile.refusals, (hostile.what, answer[:300])
        assert b"access-control" not in answer.lower()
        counts[hostile.what.split(":")[0]] += 1
    assert house.app.state.desk.worker.job() is None, "nothing was begun"
    return counts


def test_the_same_requests_get_in_when_all_is_right(house):
    """Else the refusals above would prove nothing."""
    for method, path, expected in (
        ("GET", "/", 200), ("GET", "/openapi.json", 200), ("GET", "/status", 200), ("GET", "/gaps", 200),
        ("GET", "/tables", 200), ("GET", "/tables/days.csv", 200), ("GET", "/jobs/77", 404), ("GET", "/callback", 403),
        ("GET", "/connect/ticket", 404), ("POST", "/connect", 200), ("POST", "/disconnect", 200), ("PUT", "/pull", 405),
    ):  # fmt: skip
        for host in (f"127.0.0.1:{house.port}", f"LocalHost:{house.port}", f"[::1]:{house.port}"):
            head = (
                f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{TOKEN_HEADER}: {TOKEN}\r\nSec-Fetch-Site: same-origin"
                f"\r\nOrigin: http://{host.lower()}\r\nConnection: close\r\n\r\n"
            )
            assert status_of(house.send_raw(head.encode())) == expected, (method, path, host)


def test_malformed_lines_are_no_way_in(house):
    host = f"Host: 127.0.0.1:{house.port}\r\n{TOKEN_HEADER}: {TOKEN}\r\nConnection: close\r\n"
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET /status\r\n\r\n", b"GET /status HTTP/1.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\nConnection: close\r\n\r\n",
        f"GET /status HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello".encode(),
        f"POST /pull HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n".encode(),
        f"POST /pull HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n".encode(),
    ):  # fmt: skip
        assert status_of(house.send_raw(data)) in {0, 400, 415, 421, 431}, data[:60]
    assert house.app.state.desk.worker.job() is None


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, None),
        ({"headers": [(b"host", b"127.0.0.1:8721"), (b"host", b"127.0.0.1:8721")]}, 421),
        ({"headers": []}, 421),
        ({"path": "http://evil.example/"}, 400),
        ({"path": "*"}, 400),
        ({"server": None}, 421),
        ({"server": ("/run/socket", None)}, 421),
        ({"server": ("127.0.0.1", 80)}, 421),
        ({"method": "GET\u0130"}, 401),
    ],
)
def test_the_gate_does_not_rely_on_the_server_before_it(change, refused):
    """What our HTTP server already refuses, another one might let through."""
    right = {
        "method": "GET",
        "path": "/",
        "server": ("127.0.0.1", 8721),
        "headers": [(b"host", b"127.0.0.1:8721")],
    }
    told = Doors(PORT).refusal({"type": "http"} | right | change, b"token")
    assert (told and told[0]) == refused


def test_only_whoops_way_home_may_come_from_another_site(service):
    page = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert "did not start" in service.get("/callback", headers=page).text  # let in; there was no state
    for part in ({"Sec-Fetch-Mode": "no-cors"}, {"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "iframe"}):
        assert service.get("/callback", headers=page | part).json()["error"]["code"] == "ForeignSite"


@pytest.mark.parametrize("tunnel", [PUBLIC_NAME, f"127.0.0.1:{PORT}", f"127.0.0.1:{LETTER_PORT}"])
def test_through_the_tunnel_there_is_only_the_letter_box(service, tunnel):
    """Whatever the tunnel makes of the Host, and even with the token."""
    outside = at_letter_box(service)
    for method, path in HOUSE:
        answer = outside.request(method, path, headers={"Host": tunnel} | WITH_TOKEN)
        assert answer.status_code in {404, 421}, (method, path)
    for more in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "none"}, {"Cookie": "a=b"}):
        refused = outside.post(WEBHOOK_PATH, json={}, headers={"Host": PUBLIC_NAME} | more)
        assert refused.status_code == 403
    assert outside.get(WEBHOOK_PATH, headers={"Host": PUBLIC_NAME}).status_code == 405
    assert outside.post(WEBHOOK_PATH, content=b"{}", headers={"Host": PUBLIC_NAME}).status_code == 415


def test_the_letter_box_is_not_in_the_house(service, tmp_path):
    assert service.post(WEBHOOK_PATH, json={}, headers=WITH_TOKEN).status_code == 404
    with client_of(settings_in(tmp_path / "other")) as without:
        assert WEBHOOK_PATH not in without.get("/openapi.json").json()["paths"]
        assert at_letter_box(without).post(WEBHOOK_PATH, json={}).status_code == 421


def test_bodies_have_a_limit_also_when_they_come_in_pieces(service):
    json_type = WITH_TOKEN | {"Content-Type": "application/json"}
    form_type = WITH_TOKEN | {"Content-Type": "multipart/form-data; boundary=x"}
    assert service.post("/pull", content=b" " * 70_000, headers=json_type).status_code == 413
    assert (
        service.post("/pull", content=(b" " * 1_000 for _ in range(70)), headers=json_type).status_code == 413
    )
    megabyte = b"x" * (1024 * 1024)
    pieces = (megabyte for _ in range(UPLOAD_CAP // len(megabyte) + 2))
    assert service.post("/import", content=pieces, headers=form_type).status_code == 413
    declared = form_type | {"Content-Length": str(UPLOAD_CAP + 1)}
    assert service.post("/import", content=b"", headers=declared).status_code == 413


def test_every_answer_has_the_headers(service):
    for method, path in HOUSE:
        for token in (WITH_TOKEN, {}):
            answer = service.request(method, path, headers=token)
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, (method, path)
            assert "server" not in answer.headers


def test_a_bug_is_told_by_its_type_alone(service, monkeypatch, capsys):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("hrv was 42")

    monkeypatch.setattr(service.app.state.desk.worker, "job", broken)
    answer = service.get("/jobs/1", headers=WITH_TOKEN)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "Bug")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.text + "".join(capsys.readouterr())
    assert "ZeroDivisionError" in told
    assert "42" not in told


def test_the_session_token_is_new_at_each_start_and_private(tmp_path):
    settings = settings_in(tmp_path)
    path = settings.config_dir / TOKEN_FILE
    tokens = []
    for _ in range(2):
        with TestClient(create_app(settings), base_url=f"http://127.0.0.1:{PORT}") as service:
            tokens.append(path.read_text())
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert service.get("/status", headers={TOKEN_HEADER: tokens[-1]}).status_code == 200
            assert service.get("/status", headers={TOKEN_HEADER: tokens[0] + "x"}).status_code == 401
    assert tokens[0] != tokens[1]
    assert len(tokens[0]) >= 40


def test_no_page_loads_anything_from_elsewhere(service):
    page = service.get("/").text
    assert "/tables/{name}.{form}" in page
    assert not re.findall(r"https?://|<script|<style|style=|src=", page)
    for path in ("/docs", "/redoc"):
        assert service.get(path, headers=WITH_TOKEN).status_code == 404
