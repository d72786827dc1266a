"""The simulated API over real HTTP: pages, filters, single items, limits, trouble on demand, the clock."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator import (
    ALL_SCOPES,
    SimulatorConfig,
    SimulatorError,
    make_member,
    running,
    serve,
)
from whoop_api_client.simulator.rate_limit import RateLimit

NOW = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)
PATHS = {
    "cycle": "/v2/cycle",
    "recovery": "/v2/recovery",
    "sleep": "/v2/activity/sleep",
    "workout": "/v2/activity/workout",
}


@pytest.fixture(scope="module")
def member():
    return make_member(0, now=NOW)


@pytest.fixture(scope="module")
def shared_api(member):
    with (
        running(member, SimulatorConfig(clock_runs=False, rate_per_minute=0)) as place,
        _signed_in(place) as http,
    ):
        http.place = place
        yield http


@pytest.fixture
def api(shared_api):
    """The signed-in client, with the clock back at NOW and no trouble pending."""
    shared_api.place.clock.set(NOW)
    shared_api.place.faults.clear()
    return shared_api


@pytest.mark.parametrize("kind", PATHS)
def test_paging_gives_every_record_once_newest_first(api, member, kind):
    records = _all(api, PATHS[kind], limit=25)
    assert records == member.records(kind)
    starts = {s["id"]: s["start"] for s in member.sleeps}
    order = [starts[r["sleep_id"]] if kind == "recovery" else r["start"] for r in records]
    assert order == sorted(order, reverse=True)


def test_the_default_page_has_ten_and_the_last_a_null_token(api, member):
    first = api.get(PATHS["cycle"]).json()
    assert len(first["records"]) == 10
    assert first["next_token"]
    last = api.get(PATHS["cycle"], params={"limit": 25, "end": "2026-04-05T00:00:00Z"}).json()
    assert last["records"][-1] == member.cycles[-1]
    assert last["next_token"] is None


def test_a_token_works_with_and_without_the_filters_repeated(api):
    filters = {"limit": 4, "start": "2026-10-01T00:00:00.000Z", "end": "2026-10-21T00:00:00Z"}
    alone = _all(api, PATHS["sleep"], repeat=False, **filters)
    repeated = _all(api, PATHS["sleep"], repeat=True, **filters)
    assert alone == repeated
    assert 18 <= len(alone) <= 27


def test_a_new_record_does_not_shift_the_pages_behind_it(api, member):
    first = api.get(PATHS["recovery"], params={"limit": 5}).json()
    api.place.clock.set(NOW + timedelta(hours=18))
    http_again = _signed_in(api.place)
    second = http_again.get(PATHS["recovery"], params={"limit": 5, "nextToken": first["next_token"]}).json()
    http_again.close()
    assert second["records"] == member.recoveries[5:10]


def test_filters_keep_what_touches_the_interval(api, member):
    cycle = member.cycles[20]
    begins, ends = cycle["start"], cycle["end"]
    assert cycle in _all(api, PATHS["cycle"], start=ends)
    assert cycle not in _all(api, PATHS["cycle"], start=_shift(ends, 1))
    assert cycle not in _all(api, PATHS["cycle"], end=begins)
    assert cycle in _all(api, PATHS["cycle"], end=_shift(begins, 1))
    assert member.cycles[0] in _all(api, PATHS["cycle"], start=_shift(NOW.isoformat(), 1))
    sleep = next(s for s in member.sleeps if s["cycle_id"] == cycle["id"] and not s["nap"])
    of_interval = _all(api, PATHS["recovery"], start=sleep["start"], end=_shift(sleep["start"], 1))
    assert [r["sleep_id"] for r in of_interval] == [sleep["id"]]
    naive = _all(api, PATHS["cycle"], start=ends.removesuffix("Z"))
    assert naive == _all(api, PATHS["cycle"], start=ends)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 26}, {"limit": 0}, {"limit": -1}, {"limit": "ten"}, {"limit": "9" * 5000}, {"limit": ""},
        {"start": "yesterday"}, {"end": "2026-13-01T00:00:00Z"}, {"nextToken": "rubbish"}, {"nextToken": "é"},
        {"nextToken": "W10"},
    ],
)  # fmt: skip
def test_a_bad_question_is_a_400(api, query):
    assert api.get(PATHS["cycle"], params=query).status_code == 400


def test_single_items(api, member):
    cycle, sleep, workout = member.cycles[3], member.sleeps[3], member.workouts[3]
    recovery = next(r for r in member.recoveries if r["cycle_id"] == cycle["id"])
    assert api.get(f"/v2/cycle/{cycle['id']}").json() == cycle
    assert api.get(f"/v2/cycle/{cycle['id']}/recovery").json() == recovery
    main = api.get(f"/v2/cycle/{cycle['id']}/sleep").json()
    assert (main["cycle_id"], main["nap"], main["id"]) == (cycle["id"], False, recovery["sleep_id"])
    assert api.get(f"/v2/activity/sleep/{sleep['id']}").json() == sleep
    assert api.get(f"/v2/activity/workout/{workout['id']}").json() == workout
    assert api.get("/v2/user/profile/basic").json() == member.profile
    assert api.get("/v2/user/measurement/body").json() == member.body
    v1_id, v2_id = next(iter(member.world.activity_mapping.items()))
    assert api.get(f"/v1/activity-mapping/{v1_id}").json() == {"v2_activity_id": v2_id}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/cycle/1089000000/recovery", 404),
        ("/v2/cycle/1089000000/sleep", 404),
        ("/v2/cycle/4", 404),
        ("/v2/cycle/abc", 400),
        ("/v2/cycle/99999999999999999999999", 400),
        ("/v2/activity/sleep/not-a-uuid", 400),
        ("/v2/activity/sleep/00000000-0000-4000-8000-000000000000", 404),
        ("/v2/recovery/00000000-0000-4000-8000-000000000000", 404),
        ("/v1/activity-mapping/5", 404),
    ],
)
def test_what_is_not_there_and_what_cannot_be_read(api, path, status):
    answer = api.get(path)
    assert answer.status_code == status
    if "/v2/cycle/1089" in path:
        assert answer.content == b""


def test_records_appear_when_the_clock_reaches_them(api, member):
    woke = parse_instant(member.recoveries[0]["created_at"])
    for at, expected in ((woke - timedelta(minutes=1), 1), (woke + timedelta(minutes=1), 0)):
        api.place.clock.set(at)
        with _signed_in(api.place) as http:
            assert http.get(PATHS["recovery"]).json()["records"][0] == member.records("recovery", at)[0]
            newest = http.get(PATHS["cycle"]).json()["records"][0]
        assert newest["id"] == member.cycles[expected]["id"]
        assert newest["end"] is None


def test_the_clock_is_set_over_http(api):
    url = api.place.base_url + "/_sim/clock"
    assert httpx.get(url).json()["now"] == "2026-11-23T06:50:00.000Z"
    assert httpx.post(url, json={"advance_seconds": 90}).json()["now"] == "2026-11-23T06:51:30.000Z"
    assert httpx.post(url, json={"now": "2026-11-24T06:00:00Z"}).json()["now"] == "2026-11-24T06:00:00.000Z"
    for wrong in ({}, {"now": "soon"}, {"advance_seconds": "nan"}, {"hands": 3}, {"now": 5}):
        assert httpx.post(url, json=wrong).status_code == 400


def test_journal_and_truth_are_offered_beside_the_api(api, member):
    notes = httpx.get(api.place.base_url + "/_sim/journal").json()["notes"]
    assert notes[-1]["text"] == member.journal[-1].text
    assert len(notes) == len(member.journal)
    truth = httpx.get(api.place.base_url + "/_sim/truth").json()
    assert truth["effects_ln"]["alcohol_per_drink"] == member.traits.effects.alcohol_per_drink
    counts = httpx.get(api.place.base_url + "/_sim/world").json()["records"]
    assert counts["recovery"] == len(member.recoveries)


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("rate_limited", 429, b""),
        ("status_500", 500, b"upstream error"),
        ("status_503", 503, b"upstream error"),
        ("empty", 500, b""),
    ],
)
def test_faults_happen_as_often_as_asked_where_asked(api, kind, status, body):
    _trouble(api, kind=kind, count=2, path_contains="/v2/cycle", seconds=7)
    assert api.get(PATHS["sleep"]).status_code == 200
    for _ in range(2):
        answer = api.get(PATHS["cycle"])
        assert (answer.status_code, answer.content) == (status, body)
        if status == 429:
            assert answer.headers["x-ratelimit-reset"] == "7"
    assert api.get(PATHS["cycle"]).status_code == 200


def test_a_gateway_page_is_html(api):
    _trouble(api, kind="html")
    answer = api.get(PATHS["cycle"])
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "text/html"
    assert "<html>" in answer.text


@pytest.mark.parametrize("kind", ["cut", "lost"])
def test_a_cut_answer_breaks_the_line(api, kind):
    _trouble(api, kind=kind)
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(PATHS["cycle"])
    assert api.get(PATHS["cycle"]).status_code == 200


def test_a_lost_answer_of_the_token_desk_has_still_rotated(api):
    with _signed_in(api.place) as http:
        _trouble(api, kind="lost", path_contains="/token")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(api.place.token_url, data=_refresh_form(api.place, http.pair))
        assert http.get(PATHS["cycle"]).status_code == 401
        assert httpx.post(api.place.token_url, data=_refresh_form(api.place, http.pair)).status_code == 400


def test_a_slow_answer_runs_into_the_clients_patience(api):
    _trouble(api, kind="slow", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        api.get(PATHS["cycle"], timeout=0.1)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"kind": "fire"}, {"kind": "slow", "seconds": -1}, {"kind": "cut", "count": 0}, {"sort": "cut"}],
)
def test_an_unknown_fault_is_refused(api, wrong):
    assert httpx.post(api.place.base_url + "/_sim/faults", json=wrong).status_code == 400
    assert httpx.get(api.place.base_url + "/_sim/faults").json() == {"pending": []}


def test_the_rate_limit_counts_down_and_refuses(member):
    with running(member, SimulatorConfig(rate_per_minute=3)) as place, _signed_in(place) as http:
        for left in (2, 1, 0):
            answer = http.get(PATHS["cycle"])
            assert answer.status_code == 200
            assert answer.headers["x-ratelimit-limit"] == "3, 3;window=60, 10000;window=86400"
            assert answer.headers["x-ratelimit-remaining"] == str(left)
        refused = http.get(PATHS["cycle"])
        assert refused.status_code == 429
        assert 0 < int(refused.headers["x-ratelimit-reset"]) <= 60


def test_both_windows_of_the_rate_limit_roll():
    now = [0.0]
    limit = RateLimit(2, 5, monotonic=lambda: now[0])
    assert [limit.take()[0] for _ in range(3)] == [True, True, False]
    now[0] = 60
    assert [limit.take()[0] for _ in range(2)] == [True, True]
    now[0] = 120
    allowed, headers = limit.take()
    assert allowed
    assert headers["X-RateLimit-Limit"].startswith("5, ")
    assert headers["X-RateLimit-Remaining"] == "0"
    assert headers["X-RateLimit-Reset"] == str(86_400 - 120)
    assert not limit.take()[0]
    now[0] = 86_400
    assert limit.take()[0]


def test_another_host_name_is_turned_away(api):
    assert api.get(PATHS["cycle"], headers={"Host": "evil.example"}).status_code == 400


def test_a_page_is_served_fast(api):
    times = []
    for _ in range(15):
        begun = time.perf_counter()
        api.get(PATHS["recovery"], params={"limit": 25, "start": "2026-01-01T00:00:00Z"})
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.1  # about 3 ms on a quiet machine; a busy one must not fail it


def test_a_taken_port_is_a_sentence(member, api):
    with pytest.raises(SimulatorError, match="take --port 0"):
        serve(member, port=urlsplit(api.place.base_url).port)


def test_the_blocking_server_announces_itself_and_stops_on_a_signal():
    code = (
        "from datetime import datetime, UTC\n"
        "from whoop_api_client.simulator import make_member, serve\n"
        "serve(make_member(1, now=datetime(2026, 11, 23, 6, 50, tzinfo=UTC), n_nights=30))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        ready = json.loads(process.stdout.readline())
        assert httpx.get(ready["api_base"] + "/v2/cycle").status_code == 401
        assert ready["base_url"].startswith("http://127.0.0.1:")
        assert ready["utc_offset_min"] == -540
        assert {
            "auth_url",
            "token_url",
            "auth_base",
            "client_id",
            "client_secret",
            "now",
            "pid",
        } <= ready.keys()
    finally:
        process.terminate()
        out, err = process.communicate(timeout=10)
    assert (out, err) == ("", "")


# --- the other side of the wire -------------------------------------------------------------------------------


def _signed_in(place) -> httpx.Client:
    """A client that has walked the code flow and asks below the API base."""
    query = {
        "response_type": "code", "client_id": place.client_id, "redirect_uri": "http://localhost:8721/callback",
        "scope": " ".join(ALL_SCOPES), "state": "12345678",
    }  # fmt: skip
    home = httpx.get(place.auth_url, params=query).headers["location"]
    form = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(home).query)["code"][0],
        "redirect_uri": query["redirect_uri"], "client_id": place.client_id, "client_secret": place.client_secret,
    }  # fmt: skip
    pair = httpx.post(place.token_url, data=form).json()
    http = httpx.Client(base_url=place.api_base, headers={"Authorization": f"Bearer {pair['access_token']}"})
    http.pair = pair
    return http


def _refresh_form(place, pair) -> dict[str, str]:
    return {
        "grant_type": "refresh_token", "refresh_token": pair["refresh_token"], "client_id": place.client_id,
        "client_secret": place.client_secret,
    }  # fmt: skip


def _all(http, path: str, repeat: bool = True, **query) -> list[dict]:
    records, token = [], None
    while True:
        asked = query if token is None or repeat else {}
        page = http.get(path, params=asked | ({"nextToken": token} if token else {})).json()
        records += page["records"]
        token = page["next_token"]
        if token is None:
            return records


def _trouble(api, **fault) -> None:
    assert httpx.post(api.place.base_url + "/_sim/faults", json=fault).status_code == 200


def _shift(instant: str, milliseconds: int) -> str:
    return (parse_instant(instant) + timedelta(milliseconds=milliseconds)).isoformat()
