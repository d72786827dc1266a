"""Several accounts in one simulator, recorded ones among them; each login sees its own and no other."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from simulator_login import PATHS, REDIRECT, every_record, log_in, signed_in
from whoop_api_client.simulator import (
    ALL_SCOPES,
    BadPersonFile,
    SimulatorError,
    load_account,
    load_answers,
    make_member,
    read_settings,
    running,
)
from whoop_api_client.simulator.nightly_law import NightlyLaw

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
STILL = ["clock_runs=off", "rate_per_minute=0"]


@pytest.fixture(scope="module")
def members():
    return [make_member(seed, now=NOW, n_nights=40) for seed in (21, 22, 23)]


@pytest.fixture(scope="module")
def place(members):
    with running(members, read_settings(STILL).config) as made:
        yield made


def test_each_login_sees_its_own_account(place, members):
    for member in members:
        with signed_in(place, login_hint=str(member.profile["user_id"])) as http:
            assert http.get("/v2/user/profile/basic").json() == member.profile
            for kind, path in PATHS.items():
                assert every_record(http, path) == member.records(kind)
            stranger = next(m for m in members if m is not member)
            assert http.get(f"/v2/activity/sleep/{stranger.sleeps[0]['id']}").status_code == 404
            assert http.get(f"/v2/cycle/{stranger.cycles[0]['id']}").status_code == 404
            v1_id = next(iter(member.world.activity_mapping))
            mapped = http.get(f"/v1/activity-mapping/{v1_id}").json()["v2_activity_id"]
            assert mapped == member.world.activity_mapping[v1_id]


def test_who_sits_at_the_browser_is_set_over_http_or_by_mail_address(place, members):
    listed = httpx.get(place.base_url + "/_sim/members").json()
    assert [row["user_id"] for row in listed["members"]] == [m.profile["user_id"] for m in members]
    assert listed["at_browser"] == members[0].profile["user_id"]
    second = members[1].profile
    told = httpx.post(place.base_url + "/_sim/browser", json={"user_id": second["user_id"]})
    assert told.json() == {"at_browser": second["user_id"]}
    with signed_in(place) as http:
        assert http.get("/v2/user/profile/basic").json() == second
    with signed_in(place, login_hint=members[2].profile["email"]) as http:
        assert http.get("/v2/user/profile/basic").json() == members[2].profile
    httpx.post(place.base_url + "/_sim/browser", json={"user_id": members[0].profile["user_id"]})
    for nobody in ({"user_id": 5}, {"user_id": "x"}, {}):
        assert httpx.post(place.base_url + "/_sim/browser", json=nobody).status_code == 404
    assert httpx.get(place.auth_url, params=_question(place) | {"login_hint": "5"}).status_code == 400


def test_the_consent_page_lets_the_person_choose(members):
    with running(members, read_settings([*STILL, "auto_approve=off"]).config) as place:
        page = httpx.get(place.auth_url, params=_question(place))
        assert all(f'value="{m.profile["user_id"]}"' in page.text for m in members)
        form = _question(place) | {"decision": "approve", "user_id": str(members[2].profile["user_id"])}
        home = httpx.post(place.auth_base + "/consent", data=form).headers["location"]
        pair = httpx.post(place.token_url, data={
            "grant_type": "authorization_code", "code": httpx.URL(home).params["code"], "redirect_uri": REDIRECT,
            "client_id": place.client_id, "client_secret": place.client_secret,
        }).json()  # fmt: skip
        bearer = {"Authorization": f"bearer {pair['access_token']}"}
        told = httpx.get(place.api_base + "/v2/user/profile/basic", headers=bearer).json()
    assert told == members[2].profile


def test_the_truth_of_each_member_is_told(place, members):
    for member in members:
        asked = {"user_id": member.profile["user_id"]}
        truth = httpx.get(place.base_url + "/_sim/truth", params=asked).json()
        assert truth["effects_ln"]["alcohol_per_drink"] == member.traits.effects.alcohol_per_drink
        nights = httpx.get(place.base_url + "/_sim/truth/nights", params=asked).json()["nights"]
        assert [night["hrv_rmssd_ms"] for night in nights] == [night.hrv_rmssd_ms for night in member.days]
        assert sum(night["to_come"] for night in nights) == 8
        laws = [NightlyLaw(**{part: tuple(values) for part, values in night["law"].items()}) for night in nights]
        assert laws == [night.law for night in member.days]
        newest = member.recoveries[0]["score"]["hrv_rmssd_milli"]
        assert nights[-9]["hrv_rmssd_ms"] == pytest.approx(newest, rel=1e-6)
        notes = httpx.get(place.base_url + "/_sim/journal", params=asked).json()["notes"]
        assert notes[-1]["text"] == member.journal[-1].text
    for path in ("truth", "truth/nights", "journal", "world"):
        assert httpx.get(f"{place.base_url}/_sim/{path}", params={"user_id": "5"}).status_code == 404


def test_revoking_one_leaves_the_others_connected(place, members):
    first = signed_in(place, login_hint=str(members[0].profile["user_id"]))
    second = signed_in(place, login_hint=str(members[1].profile["user_id"]))
    with first, second:
        assert first.delete("/v2/user/access").status_code == 204
        assert first.get("/v2/cycle").status_code == 401
        assert second.get("/v2/cycle").status_code == 200


def test_the_same_member_twice_is_refused(members):
    with pytest.raises(SimulatorError, match="different user ids"), running([members[0], members[0]]):
        pass
    with pytest.raises(SimulatorError, match="at least one"), running([]):
        pass


@pytest.fixture
def saved(tmp_path, members):
    """A folder of answers as a client would have saved them: pages, a list, one page; no body."""
    member = members[0]
    (tmp_path / "cycle.json").write_text(
        json.dumps([{"records": member.cycles[:25]}, {"records": member.cycles[25:]}])
    )
    (tmp_path / "sleep.json").write_text(json.dumps(member.sleeps))
    (tmp_path / "recovery.json").write_text(json.dumps({"records": member.recoveries, "next_token": None}))
    (tmp_path / "workout.json").write_text(json.dumps(member.workouts))
    (tmp_path / "profile.json").write_text(json.dumps(member.profile))
    return tmp_path


def test_a_folder_of_saved_answers_is_served_as_it_was(saved, members):
    with running(load_answers(saved), read_settings([*STILL, "unknown_keys=off"]).config) as place:
        with signed_in(place) as http:
            for kind, path in PATHS.items():
                expected = [
                    {k: v for k, v in r.items() if k != "step_count"} for r in members[0].records(kind)
                ]
                found = every_record(http, path)
                assert [{k: v for k, v in r.items() if k != "step_count"} for r in found] == expected
            assert http.get("/v2/user/profile/basic").json() == members[0].profile
            assert http.get("/v2/user/measurement/body").status_code == 404
        assert httpx.get(place.base_url + "/_sim/truth").status_code == 404


def test_a_closed_cycle_of_saved_answers_was_open_before(saved, members):
    world = load_answers(saved)
    cycle = members[0].cycles[3]
    before = world.record("cycle", str(cycle["id"]), NOW - timedelta(days=3))
    assert before["end"] is None
    assert before["score"]["strain"] < cycle["score"]["strain"]


def test_recorded_accounts_side_by_side_keep_their_ids_apart(saved):
    worlds = [load_account(saved, position) for position in range(2)]
    with running(worlds, read_settings(STILL).config) as place:
        ids = [row["user_id"] for row in httpx.get(place.base_url + "/_sim/members").json()["members"]]
        assert len(set(ids)) == 2
        with signed_in(place, login_hint=str(ids[1])) as http:
            assert {record["user_id"] for record in every_record(http, "/v2/cycle")} == {ids[1]}


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("sleep.json", "{", "readable JSON"),
        ("sleep.json", "[3]", "expected an object"),
        ("profile.json", "[]", "expected one object"),
        ("cycle.json", '[{"id": 1}]', "is missing"),
        ("recovery.json", '[{"cycle_id": 1, "created_at": "x", "updated_at": "x"}]', "recovery.json entry 1"),
    ],
)
def test_a_folder_that_is_no_account_is_a_sentence(saved, file, content, said):
    (saved / file).write_text(content)
    with pytest.raises(BadPersonFile, match=said):
        load_answers(saved)


def test_a_record_given_twice_is_a_sentence(saved, members):
    (saved / "sleep.json").write_text(json.dumps([*members[0].sleeps, members[0].sleeps[4]]))
    with pytest.raises(BadPersonFile, match="twice"):
        load_answers(saved)


def test_a_folder_without_any_account_is_a_sentence(tmp_path):
    with pytest.raises(BadPersonFile, match=r"whoop\.csv"):
        load_account(tmp_path)


def test_the_login_helper_gets_every_scope(place):
    assert set(log_in(place)["scope"].split()) == set(ALL_SCOPES)


def _question(place) -> dict[str, str]:
    return {
        "response_type": "code", "client_id": place.client_id, "redirect_uri": REDIRECT,
        "scope": "offline read:profile", "state": "12345678",
    }  # fmt: skip
