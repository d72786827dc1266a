"""The simulated OAuth server: consent, single-use codes, rotating pairs, dead tokens, scopes."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from whoop_api_client.simulator import ALL_SCOPES, SimulatorConfig, SimulatorError, make_member, running

NOW = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)
HOME = "http://localhost:8721/callback"


@pytest.fixture(scope="module")
def member():
    return make_member(0, now=NOW, n_nights=30)


@pytest.fixture
def desk(member):
    """A simulator that follows redirects by itself, its clock frozen, and an HTTP client."""
    with (
        running(member, SimulatorConfig(clock_runs=False, rate_per_minute=0)) as place,
        httpx.Client() as http,
    ):
        yield Desk(place, http)


class Desk:
    def __init__(self, place, http) -> None:
        self.place, self.http = place, http

    def ask(self, **changes) -> httpx.Response:
        query = {
            "response_type": "code",
            "client_id": self.place.client_id,
            "redirect_uri": HOME,
            "scope": " ".join(ALL_SCOPES),
            "state": "12345678",
        }
        query |= changes
        return self.http.get(self.place.auth_url, params={k: v for k, v in query.items() if v is not None})

    def code(self, **changes) -> str:
        return _query(self.ask(**changes))["code"]

    def token(self, **fields) -> httpx.Response:
        form = {"client_id": self.place.client_id, "client_secret": self.place.client_secret} | fields
        return self.http.post(self.place.token_url, data={k: v for k, v in form.items() if v is not None})

    def exchange(self, code: str, **changes) -> httpx.Response:
        return self.token(
            **({"grant_type": "authorization_code", "code": code, "redirect_uri": HOME} | changes)
        )

    def refresh(self, token: str, **changes) -> httpx.Response:
        return self.token(**({"grant_type": "refresh_token", "refresh_token": token} | changes))

    def read(self, access_token: str, path: str = "/v2/cycle", scheme: str = "Bearer") -> httpx.Response:
        return self.http.get(
            self.place.api_base + path, headers={"Authorization": f"{scheme} {access_token}"}
        )


def test_the_code_flow_ends_with_a_pair_that_opens_the_data(desk):
    answer = desk.ask(state="a-long-enough-state")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(HOME + "?")
    home = _query(answer)
    assert (home["state"], home["scope"]) == ("a-long-enough-state", " ".join(ALL_SCOPES))
    pair = desk.exchange(home["code"]).json()
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 3600)
    assert pair["scope"] == " ".join(ALL_SCOPES)
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert desk.read(pair["access_token"], scheme=scheme).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"state": "1234567"}, "invalid_state"),
        ({"state": None}, "invalid_state"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "read:cycles read:everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_a_bad_question_is_sent_home_with_its_error(desk, changes, error):
    answer = desk.ask(**changes)
    assert answer.status_code == 302
    home = _query(answer)
    assert home["error"] == error
    assert home["error_description"]
    assert "code" not in home


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "someone-else"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://localhost.evil.example/"},
        {"redirect_uri": "http://localhost@evil.example/"},
        {"redirect_uri": None},
    ],
)
def test_nothing_is_sent_to_an_unknown_address(desk, changes):
    answer = desk.ask(**changes)
    assert answer.status_code in (400, 401)
    assert "location" not in answer.headers


def test_a_registered_address_is_compared_exactly(member):
    with running(member, SimulatorConfig(redirect_uris=(HOME,))) as place, httpx.Client() as http:
        desk = Desk(place, http)
        assert desk.ask().status_code == 302
        assert desk.ask(redirect_uri=HOME + "/").status_code == 400
    with pytest.raises(SimulatorError, match="addresses of this machine"):
        SimulatorConfig(redirect_uris=("https://example.org/cb",))


def test_the_consent_page_allows_and_refuses(member):
    with running(member, SimulatorConfig(auto_approve=False)) as place, httpx.Client() as http:
        desk = Desk(place, http)
        shown = desk.ask(state='12345678"><script>')
        assert shown.status_code == 200
        assert "<li>read:recovery</li>" in shown.text
        assert "<script>" not in shown.text
        form = {
            "client_id": place.client_id, "redirect_uri": HOME, "response_type": "code", "scope": "read:cycles",
            "state": "12345678",
        }  # fmt: skip
        consent_url = place.auth_base + "/consent"
        refused = http.post(consent_url, data=form | {"decision": "deny"})
        assert _query(refused)["error"] == "access_denied"
        allowed = http.post(consent_url, data=form | {"decision": "approve"})
        assert desk.exchange(_query(allowed)["code"]).status_code == 200


def test_a_code_works_once_and_a_second_use_ends_the_first(desk):
    code = desk.code()
    pair = desk.exchange(code).json()
    again = desk.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert desk.read(pair["access_token"]).status_code == 401


def test_a_code_is_bound_to_its_address_and_time(desk):
    other = desk.exchange(desk.code(), redirect_uri="http://localhost:1/other")
    assert other.json()["error"] == "invalid_grant"
    code = desk.code()
    desk.place.clock.advance(601)
    assert desk.exchange(code).json()["error"] == "invalid_grant"


def test_the_secret_must_be_in_the_form(desk):
    code = desk.code()
    for changes in ({"client_secret": None}, {"client_secret": "wrong"}, {"client_id": "wrong"}):
        answer = desk.exchange(code, **changes)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": HOME}
    basic = desk.http.post(
        desk.place.token_url, data=form, auth=(desk.place.client_id, desk.place.client_secret)
    )
    assert basic.status_code == 401
    assert desk.http.post(desk.place.token_url, json=form).status_code == 400
    assert desk.exchange(code).status_code == 200


def test_a_refresh_kills_the_old_pair_at_once(desk):
    old = desk.exchange(desk.code()).json()
    new = desk.refresh(old["refresh_token"], scope="offline").json()
    assert new["refresh_token"] != old["refresh_token"]
    refused = desk.read(old["access_token"])
    assert (refused.status_code, refused.text) == (401, "Authorization was not valid")
    assert refused.headers["content-type"].startswith("text/plain")
    assert desk.read(new["access_token"]).status_code == 200
    reused = desk.refresh(old["refresh_token"])
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert desk.read(new["access_token"]).status_code == 200
    assert desk.refresh(new["refresh_token"]).status_code == 200


def test_reuse_can_revoke_the_whole_family(member):
    with running(member, SimulatorConfig(revoke_family=True)) as place, httpx.Client() as http:
        desk = Desk(place, http)
        old = desk.exchange(desk.code()).json()
        new = desk.refresh(old["refresh_token"]).json()
        assert desk.refresh(old["refresh_token"]).status_code == 400
        assert desk.read(new["access_token"]).status_code == 401
        assert desk.refresh(new["refresh_token"]).status_code == 400


def test_without_offline_there_is_no_refresh_token(desk):
    pair = desk.exchange(desk.code(scope="read:cycles")).json()
    assert "refresh_token" not in pair
    assert desk.refresh("").json()["error"] == "invalid_grant"


def test_an_access_token_dies_after_its_hour(desk):
    pair = desk.exchange(desk.code()).json()
    desk.place.clock.advance(3599)
    assert desk.read(pair["access_token"]).status_code == 200
    desk.place.clock.advance(2)
    assert desk.read(pair["access_token"]).status_code == 401
    assert desk.refresh(pair["refresh_token"]).status_code == 200


def test_a_missing_scope_is_403_and_no_header_401(desk):
    pair = desk.exchange(desk.code(scope="read:cycles")).json()
    assert desk.read(pair["access_token"]).status_code == 200
    paths = ("/v2/recovery", "/v2/activity/sleep", "/v2/activity/workout", "/v2/user/profile/basic")
    for path in (*paths, "/v2/user/measurement/body", "/v2/cycle/1/sleep", "/v2/cycle/1/recovery"):
        assert desk.read(pair["access_token"], path).status_code == 403
    assert desk.http.get(desk.place.api_base + "/v2/cycle").status_code == 401


def test_revoking_ends_the_connection(desk):
    pair = desk.exchange(desk.code()).json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    gone = desk.http.delete(desk.place.api_base + "/v2/user/access", headers=headers)
    assert (gone.status_code, gone.content) == (204, b"")
    assert desk.read(pair["access_token"]).status_code == 401
    assert desk.refresh(pair["refresh_token"]).status_code == 400


def _query(answer: httpx.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
