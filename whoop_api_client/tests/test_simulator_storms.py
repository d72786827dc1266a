"""Faults by share and simulated time, limits on the simulated clock, and the log of a client's manners."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from simulator_login import PATHS, every_record, signed_in
from whoop_api_client.simulator import Fault, make_member, read_settings, running

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
STILL = ("clock_runs=off", "rate_per_minute=0", "rate_per_day=0")


@pytest.fixture(scope="module")
def member():
    return make_member(5, now=NOW, n_nights=120)


def statuses(http: httpx.Client, n: int, path: str = "/v2/cycle") -> list[int]:
    return [http.get(path).status_code for _ in range(n)]


def test_half_of_all_answers_for_a_simulated_hour(member):
    with running(member, read_settings(STILL).config) as place, signed_in(place) as http:
        fault = {"kind": "rate_limited", "share": 0.5, "for_s": 3600, "seconds": 20, "retry_after": True}
        assert httpx.post(place.base_url + "/_sim/faults", json=fault).status_code == 200
        seen = statuses(http, 200)
        assert 75 < seen.count(429) < 125
        assert set(seen) == {200, 429}
        refused = next(a for a in iter(lambda: http.get("/v2/cycle"), None) if a.status_code == 429)
        assert refused.headers["retry-after"] == refused.headers["x-ratelimit-reset"] == "20"
        assert refused.headers["x-ratelimit-limit"] == "100, 100;window=60, 10000;window=86400"
        assert refused.headers["x-ratelimit-remaining"] == "0"
        place.clock.advance(3599)
        assert 429 in statuses(http, 30)
        place.clock.advance(1)
        with signed_in(place) as again:
            assert set(statuses(again, 30)) == {200}
        assert httpx.get(place.base_url + "/_sim/faults").json() == {"pending": []}


def test_the_same_seed_gives_the_same_storm(member):
    storms = []
    for seed in (1, 1, 2):
        settings = read_settings([*STILL, f"fault_seed={seed}"], faults=["status_503,share=0.5,for_s=60"])
        with running(member, settings.config) as place:
            place.faults.clear()
            with signed_in(place) as http:
                place.faults.add(Fault("status_503", share=0.5, for_s=60))
                storms.append(statuses(http, 40))
    assert storms[0] == storms[1] != storms[2]


def test_a_storm_given_at_the_start_hits_the_paths_it_names(member):
    settings = read_settings(STILL, faults=["html,count=2,path_contains=/v2/recovery"])
    with running(member, settings.config) as place, signed_in(place) as http:
        assert statuses(http, 3) == [200] * 3
        assert statuses(http, 3, "/v2/recovery") == [502, 502, 200]


@pytest.mark.parametrize(
    ("kind", "status"), [("status_502", 502), ("status_504", 504), ("unauthorized", 401), ("html_200", 200)]
)
def test_the_other_answers_of_a_gateway(member, kind, status):
    with running(member, read_settings(STILL).config) as place, signed_in(place) as http:
        place.faults.add(Fault(kind))
        answer = http.get("/v2/cycle")
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/")
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_half_json_is_well_framed_and_broken(member):
    with running(member, read_settings(STILL).config) as place, signed_in(place) as http:
        whole = http.get("/v2/cycle").content
        place.faults.add(Fault("half_json"))
        answer = http.get("/v2/cycle")
        assert answer.status_code == 200
        assert answer.content == whole[: len(whole) // 2]
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_limits_can_follow_the_simulated_clock(member):
    settings = read_settings(
        ["clock_runs=off", "rate_per_minute=5", "limits_follow_clock=on", "retry_after=on"]
    )
    with running(member, settings.config) as place, signed_in(place) as http:
        assert statuses(http, 7) == [200] * 5 + [429] * 2
        assert http.get("/v2/cycle").headers["retry-after"] == "60"
        place.clock.advance(60)
        assert statuses(http, 6) == [200] * 5 + [429]


@pytest.mark.parametrize(("polite", "within"), [(True, True), (False, False)])
def test_the_log_measures_a_clients_manners(member, polite, within):
    """A client whose waits move the simulated clock reads through a storm; a rude one is told apart."""
    settings = read_settings(["clock_runs=off", "rate_per_minute=30", "limits_follow_clock=on"])
    with running(member, settings.config) as place, signed_in(place) as http:
        place.faults.add(Fault("rate_limited", share=0.3, for_s=3600, seconds=60))
        for path, count in ((PATHS[kind], len(member.records(kind))) for kind in PATHS):
            read, cursor = 0, {}
            while True:
                answer = http.get(path, params={"limit": 5} | cursor)
                if answer.status_code == 429:
                    place.clock.advance(int(answer.headers["x-ratelimit-reset"]) if polite else 1)
                    continue
                read += len(answer.json()["records"])
                cursor = {"nextToken": answer.json()["next_token"]}
                if not cursor["nextToken"]:
                    break
            assert read == count
        told = httpx.get(place.base_url + "/_sim/requests", params={"last": 3}).json()
    assert told["by_status"]["429"] > 10
    assert told["answered"] == sum(told["by_status"].values())
    assert (told["busiest_minute"] <= 60) == within
    assert len(told["last"]) == 3
    assert set(told["last"][0]) == {"at", "method", "path", "status"}


def test_the_busiest_minute_is_counted_over_any_sixty_seconds(member):
    with running(member, read_settings(STILL).config) as place, signed_in(place) as http:
        httpx.delete(place.base_url + "/_sim/requests")
        for seconds in (0, 30, 30, 29, 1, 200):
            place.clock.advance(seconds)
            http.get("/v2/cycle")
        assert place.requests.summary("/developer")["busiest_minute"] == 3
        assert place.requests.summary("/developer")["answered"] == 6


def test_the_clock_runs_at_any_pace(member):
    with running(member, read_settings(["pace=3600"]).config) as place:
        url = place.base_url + "/_sim/clock"
        begun = place.clock.now()
        while place.clock.now() - begun < timedelta(minutes=5):
            httpx.get(url)
        stopped = httpx.post(url, json={"runs": False}).json()
        assert stopped["pace"] == 3600
        assert httpx.get(url).json()["now"] == stopped["now"]
        for wrong in ({"pace": 0}, {"pace": "fast"}, {"pace": -1}):
            assert httpx.post(url, json=wrong).status_code == 400


def test_another_base_path(member):
    settings = read_settings(["api_prefix=/proxy/whoop", "oauth_prefix=/login", "clock_runs=off"])
    with running(member, settings.config) as place, signed_in(place) as http:
        assert place.api_base.endswith("/proxy/whoop")
        assert len(every_record(http, "/v2/cycle")) == len(member.cycles)
        assert httpx.get(place.base_url + "/developer/v2/cycle").status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"share": 1.5}, {"share": "half"}, {"for_s": -1}, {"retry_after": 1}, {"seconds": 1e9}]
)
def test_a_storm_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Fault("rate_limited", **wrong)
