"""The local service answers programs on this machine and nobody who came through a browser's back door."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from hrv_shared.settings import load_settings
from whoop_api_client.gate import TOKEN_HEADER
from whoop_api_client.service import TOKEN_FILE, create_app

PORT = 8721
HOST = f"127.0.0.1:{PORT}"
TOKEN = "session-token"


@pytest.fixture
def service(tmp_path) -> Iterator[TestClient]:
    settings = load_settings(
        {},
        home=tmp_path / "home",
        config_dir=tmp_path / "config",
        token_store="file",
        whoop_client_id="id",
        whoop_client_secret="s3cret",
    )
    done = {"written": {"cycle": 1}}
    app = create_app(settings, port=PORT, token=TOKEN, run_pull=lambda full: done | {"full": full})
    with TestClient(app, base_url=f"http://{HOST}") as client:
        yield client


FOREIGN_HOSTS = (
    "evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"127.0.0.1.:{PORT}", f"2130706433:{PORT}",
    f"0x7f000001:{PORT}", f"[::ffff:127.0.0.1]:{PORT}", f"localhost.evil.example:{PORT}", f"0.0.0.0:{PORT}", "",
    f"127.0.0.1:{PORT}@evil.example", f"localhost:{PORT}, evil.example", f"127.1:{PORT}", f"127.0.0.1:{PORT}0",
)  # fmt: skip
FOREIGN_ORIGINS = (
    "https://evil.example",
    "null",
    f"https://{HOST}",
    f"http://{HOST}.evil.example",
    "http://127.0.0.1",
)
PATHS = (
    ("GET", "/"), ("GET", "/status"), ("GET", "/openapi.json"), ("GET", "/tables/days.csv"), ("POST", "/pull"),
    ("POST", "/connect"), ("GET", "/callback"), ("OPTIONS", "/pull"),
)  # fmt: skip


def test_no_foreign_host_gets_in(service):
    for host in FOREIGN_HOSTS:
        for method, path in PATHS:
            answer = service.request(method, path, headers={"Host": host, TOKEN_HEADER: TOKEN})
            assert answer.status_code == 421, (host, method, path)


def test_no_foreign_origin_gets_in(service):
    for origin in FOREIGN_ORIGINS:
        for method, path in PATHS:
            answer = service.request(method, path, headers={"Origin": origin, TOKEN_HEADER: TOKEN})
            assert answer.status_code == 403, (origin, method, path)
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_cross_site_fetch_gets_in_but_whoops_way_home(service, site):
    for method, path in PATHS:
        answer = service.request(method, path, headers={"Sec-Fetch-Site": site, TOKEN_HEADER: TOKEN})
        assert (answer.status_code == 403) == (path != "/callback"), (method, path)


@pytest.mark.parametrize(
    "given", [{}, {TOKEN_HEADER: ""}, {TOKEN_HEADER: "wrong"}, {TOKEN_HEADER: TOKEN + "x"}]
)
@pytest.mark.parametrize("path", ["/pull", "/connect"])
def test_a_change_needs_the_session_token(service, path, given):
    assert service.post(path, headers=given).status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_change_needs_json(service, kind):
    headers = {TOKEN_HEADER: TOKEN, "Content-Type": kind}
    assert service.post("/pull", content='{"full": true}', headers=headers).status_code == 415


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"])
def test_our_own_names_get_in(service, host):
    own = {
        "Host": host,
        "Origin": f"http://{host.lower()}",
        "Sec-Fetch-Site": "same-origin",
        TOKEN_HEADER: TOKEN,
    }
    assert service.get("/status", headers=own).status_code == 200
    assert service.post("/pull", headers=own).status_code == 202


def test_the_session_token_is_new_at_each_start_and_private(tmp_path):
    settings = load_settings({}, home=tmp_path / "home", config_dir=tmp_path / "config", token_store="file")
    path = settings.config_dir / TOKEN_FILE
    create_app(settings)
    first = path.read_text()
    create_app(settings)
    assert path.read_text() != first
    assert len(first) >= 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_guessed_callback_connects_nobody(service):
    answer = service.get("/callback", params={"code": "theirs", "state": "guessedguessed"})
    assert answer.status_code == 400
    assert "theirs" not in answer.text
    assert not service.get("/status").json()["connection"]["connected"]


def test_no_page_loads_anything_from_elsewhere(service):
    page = service.get("/").text
    assert "/tables/{name}.{form}" in page
    assert not re.findall(r"https?://|<script|src=", page)
    for path in ("/docs", "/redoc"):
        assert service.get(path).status_code == 404
    assert service.get("/openapi.json").json()["paths"].keys() >= {"/pull", "/status", "/connect"}
