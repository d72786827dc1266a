"""Connecting through the service: the browser that set out is the one that comes home, once, in time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from service_running import PORT, WITH_TOKEN, client_of, connect, settings_at
from whoop_api_client.service.connect_routes import COOKIE
from whoop_api_client.simulator import SimulatorConfig, make_member, running

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
LOCALHOST = {"Host": f"localhost:{PORT}"}


@pytest.fixture(scope="module")
def place():
    member = make_member(3, now=NOW, n_nights=14, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as simulator:
        yield simulator


@pytest.fixture
def moments():
    """The service's clock, to be set."""
    return [NOW]


@pytest.fixture
def service(tmp_path, place, moments):
    with client_of(settings_at(place, tmp_path), clock=lambda: moments[0]) as client:
        yield client


def set_out(service) -> tuple[httpx.Response, dict[str, str]]:
    """A browser opens the start address; what it got, and the query with which WHOOP sends it home."""
    start = httpx.URL(service.post("/connect", headers=WITH_TOKEN).json()["open"])
    assert start.host == "localhost"
    answer = service.get(start.raw_path.decode(), headers=LOCALHOST)
    assert answer.status_code == 303
    return answer, dict(httpx.URL(httpx.get(answer.headers["location"]).headers["location"]).params)


def is_connected(service) -> bool:
    return service.get("/status", headers=WITH_TOKEN).json()["connection"]["connected"]


def test_the_browser_comes_home_once(service):
    answer, query = set_out(service)
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/callback", "Max-Age=300"))
    assert service.get("/callback", params=query).status_code == 200
    assert is_connected(service)
    service.cookies.set(COOKIE, cookie.split(";")[0].split("=", 1)[1])
    assert service.get("/callback", params=query).status_code == 403


def test_a_start_address_is_good_once_and_for_five_minutes(service, moments):
    start = httpx.URL(service.post("/connect", headers=WITH_TOKEN).json()["open"]).raw_path.decode()
    assert service.get(start, headers=LOCALHOST).status_code == 303
    assert service.get(start, headers=LOCALHOST).status_code == 404
    late = httpx.URL(service.post("/connect", headers=WITH_TOKEN).json()["open"]).raw_path.decode()
    moments[0] += timedelta(minutes=5, seconds=1)
    assert service.get(late, headers=LOCALHOST).status_code == 404


def test_of_a_thousand_wrong_callbacks_none_connects(service, moments, place):
    """S2: guessed, replayed, late, and of another browser."""
    draw = random.Random(2)
    _, query = set_out(service)
    bound = service.cookies.get(COOKIE)
    sorts = {"guessed": 0, "other browser": 0, "late": 0}
    for n in range(990):
        sort = ("guessed", "other browser")[n % 2]
        wrong, cookie = dict(query), bound
        if sort == "guessed":
            wrong["state"] = draw.choice(
                [
                    "",
                    query["state"][:-1],
                    query["state"] + "A",
                    query["state"].swapcase(),
                    f"{draw.random()}" * 2,
                ]
            )
        else:
            cookie = draw.choice(["", bound[:-2], bound[::-1], bound.swapcase(), f"{draw.random()}"])
        service.cookies.clear()
        headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
        answer = service.get("/callback", params=wrong, headers=headers)
        assert answer.status_code == 403, (sort, wrong)
        assert query["code"] not in answer.text
        sorts[sort] += 1
    for _ in range(10):
        _, late = set_out(service)
        moments[0] += timedelta(minutes=5, seconds=1)
        assert service.get("/callback", params=late).status_code == 403
        sorts["late"] += 1
    assert sum(sorts.values()) == 1_000
    assert not is_connected(service)
    assert connect(service).status_code == 200, "the right one still gets in"


def test_who_did_not_set_out_here_cannot_come_home(service):
    """Login forgery: somebody lures our browser to a callback with a code of their own account."""
    _, query = set_out(service)
    service.cookies.clear()
    answer = service.get("/callback", params=query, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "did not start" in answer.text
    assert not is_connected(service)


def test_pasting_needs_the_token_and_the_state(service):
    start = service.post("/connect", headers=WITH_TOKEN, json={"way": "paste"}).json()
    home = httpx.get(start["open"]).headers["location"]
    assert start["way"] == "paste"
    assert service.post("/connect/paste", json={"address": home}).status_code == 401
    wrong = home.replace("state=", "state=x")
    refused = service.post("/connect/paste", headers=WITH_TOKEN, json={"address": wrong})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CallbackRefused")
    done = service.post("/connect/paste", headers=WITH_TOKEN, json={"address": home})
    assert done.status_code == 200
    assert done.json()["connected"]
    assert is_connected(service)
    assert service.post("/connect/paste", headers=WITH_TOKEN, json={"address": home}).status_code == 409


def test_a_redirect_address_elsewhere_leaves_only_pasting(tmp_path, place):
    settings = settings_at(place, tmp_path, whoop_redirect_uri="https://home.example/callback")
    with client_of(settings) as service:
        assert service.post("/connect", headers=WITH_TOKEN).json()["way"] == "paste"
        refused = service.post("/connect", headers=WITH_TOKEN, json={"way": "browser"})
        assert refused.status_code == 409
        assert service.get("/callback", headers=WITH_TOKEN).status_code == 404


def test_disconnecting_tells_whoop_and_forgets(service):
    connect(service)
    done = service.post("/disconnect", headers=WITH_TOKEN).json()
    assert (done["was_connected"], done["revoked"]) == (True, True)
    assert not is_connected(service)
    again = service.post("/disconnect", headers=WITH_TOKEN).json()
    assert (again["was_connected"], again["revoked"]) == (False, False)
