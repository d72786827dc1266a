"""The sleep stream: its shape by whoop_api.md 4.9 (the stored OpenAPI document is older), its three moods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hrv_shared.daytime import parse_instant
from simulator_login import signed_in
from whoop_api_client.simulator import make_member, read_settings, running

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
TYPES = {
    "hr": ("hr", int), "skin_temp": ("skin_temp", float), "board_temp": ("board_temp", float),
    "battery_temp": ("battery_temp", float), "sleep_classification": ("is_sleeping", bool),
    "charging_status": ("is_charging", bool),
}  # fmt: skip


@pytest.fixture(scope="module")
def member():
    return make_member(5, now=NOW, n_nights=40)


@pytest.fixture(scope="module")
def http(member):
    with running(member, read_settings(["clock_runs=off"]).config) as place, signed_in(place) as client:
        yield client


def test_a_night_minute_by_minute(http, member):
    sleep = next(s for s in member.sleeps if not s["nap"])
    answer = http.get(f"/v2/activity/sleep/{sleep['id']}/stream").json()
    assert set(answer) == {"stream", "algorithm_version"}
    assert isinstance(answer["algorithm_version"], str)
    stamps = [parse_instant(sample["timestamp"]) for sample in answer["stream"]]
    assert stamps[0] == parse_instant(sleep["start"])
    assert timedelta(0) <= parse_instant(sleep["end"]) - stamps[-1] < timedelta(minutes=1)
    assert {b - a for a, b in zip(stamps, stamps[1:], strict=False)} == {timedelta(minutes=1)}
    for sample in answer["stream"]:
        assert set(sample) == {"timestamp"} | {name for name, _ in TYPES.values()}
        assert all(type(sample[name]) is kind for name, kind in TYPES.values())
    resting = member.recoveries[0]["score"]["resting_heart_rate"]
    mean = sum(sample["hr"] for sample in answer["stream"]) / len(stamps)
    assert resting < mean < resting + 12
    assert http.get(f"/v2/activity/sleep/{sleep['id']}/stream").json() == answer


@pytest.mark.parametrize("name", TYPES)
def test_only_the_types_that_were_asked_for(http, member, name):
    url = f"/v2/activity/sleep/{member.sleeps[0]['id']}/stream"
    sample = http.get(url, params={"types": [name]}).json()["stream"][0]
    assert {key for key, value in sample.items() if value is not None} == {"timestamp", TYPES[name][0]}
    both = http.get(url, params={"types": [name, "hr"]}).json()["stream"][0]
    assert both["hr"] is not None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("00000000-0000-4000-8000-000000000000/stream", 404),
        ("nothing/stream", 400),
        ("{id}/stream?types=rr", 400),
    ],
)
def test_what_it_refuses(http, member, path, status):
    assert http.get("/v2/activity/sleep/" + path.format(id=member.sleeps[0]["id"])).status_code == status


@pytest.mark.parametrize(("mood", "status"), [("absent", 404), ("deactivated", 403)])
def test_accounts_without_it(member, mood, status):
    settings = read_settings([f"sleep_stream={mood}", "clock_runs=off"])
    with running(member, settings.config) as place, signed_in(place) as client:
        answer = client.get(f"/v2/activity/sleep/{member.sleeps[0]['id']}/stream")
    assert answer.status_code == status
    if status == 403:
        assert answer.json() == {"error": "deactivated_user"}


def test_it_needs_the_right_to_read_sleep(member):
    with (
        running(member, read_settings(["clock_runs=off"]).config) as place,
        signed_in(place, scope="offline read:cycles") as client,
    ):
        assert client.get(f"/v2/activity/sleep/{member.sleeps[0]['id']}/stream").status_code == 403
