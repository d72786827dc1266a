"""The authorization code comes home in three ways, and only with a state that is ours, fresh and unused."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from hrv_shared.settings import Settings, load_settings
from whoop_api_client.callback import code_by_following, code_by_listening, code_by_pasting
from whoop_api_client.connecting import connect, describe_connection, disconnect
from whoop_api_client.connection import open_connection
from whoop_api_client.errors import (
    CallbackRefused,
    ClientRefused,
    NotConnected,
    ServerUnavailable,
    UnsafeAddress,
)
from whoop_api_client.oauth import OAuthApp, StateBook, authorization_url, code_from_address
from whoop_api_client.simulator import RunningSimulator, SimulatorConfig, make_member, running
from whoop_api_client.tokens import open_token_store

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
APP = OAuthApp(
    "id", SecretStr("s3cret"), "https://whoop.example/oauth/oauth2", "http://localhost:8721/callback"
)


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with running(
        make_member(1, now=NOW, n_nights=20, utc_offset_min=0), SimulatorConfig(rate_per_minute=0)
    ) as place:
        yield place


def settings_for(place: RunningSimulator, folder, **more) -> Settings:
    values = {
        "home": folder / "home",
        "config_dir": folder / "config",
        "token_store": "file",
        "whoop_api_base": place.api_base,
        "whoop_auth_base": place.auth_base,
        "whoop_client_id": place.client_id,
        "whoop_client_secret": place.client_secret,
        "whoop_redirect_uri": f"http://localhost:{free_port()}/callback",
    }
    return load_settings({}, **(values | more))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- states ----------------------------------------------------------------------------------------------------


def test_a_state_is_good_once():
    states = StateBook()
    state = states.issue()
    states.redeem(state)
    with pytest.raises(CallbackRefused):
        states.redeem(state)


def test_a_state_dies_after_five_minutes():
    now = [NOW]
    states = StateBook(lambda: now[0])
    early, late = states.issue(), states.issue()
    now[0] = NOW + timedelta(minutes=5)
    states.redeem(early)
    now[0] = NOW + timedelta(minutes=5, seconds=1)
    with pytest.raises(CallbackRefused):
        states.redeem(late)


def test_a_thousand_wrong_states_are_refused_and_the_right_one_still_works():
    states = StateBook()
    right = states.issue()
    for k in range(1000):
        with pytest.raises(CallbackRefused):
            states.redeem(right[:-1] + chr(33 + k % 90) + str(k))
    states.redeem(right)


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8721/callback?code=c",
        "http://localhost:8721/callback?code=c&state=wrongwrong",
        "http://localhost:8721/other?code=c&state={state}",
        "https://localhost:8721/callback?code=c&state={state}",
        "http://localhost:8721.evil.example/callback?code=c&state={state}",
        "http://localhost:8721/callback?state={state}",
        "http://localhost:8721/callback?code=&state={state}",
        "http://localhost:8721/callback?error=access_denied&state={state}",
        "",
        "not an address",
    ],
)
def test_a_wrong_final_address_is_refused(address):
    states = StateBook()
    with pytest.raises(CallbackRefused):
        code_from_address(address.format(state=states.issue()), APP, states)


def test_an_error_text_from_outside_is_not_repeated_as_it_came():
    states = StateBook()
    address = f"{APP.redirect_uri}?error=%1b%5B31m<script>evil&state={states.issue()}"
    with pytest.raises(CallbackRefused) as told:
        code_from_address(address, APP, states)
    assert "<" not in str(told.value)
    assert "\x1b" not in str(told.value)


def test_the_secret_is_in_no_address_and_no_repr():
    assert "s3cret" not in authorization_url(APP, "12345678")
    assert "s3cret" not in repr(APP)


# -- three ways home -------------------------------------------------------------------------------------------


def browser(address: str) -> httpx.Response:
    """Follows WHOOP's redirect to our page, as a browser does."""
    return httpx.get(address, follow_redirects=True)


def test_connecting_by_the_page_on_this_machine(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path)
    pages: list[httpx.Response] = []
    threads = []

    def show(address: str) -> None:
        thread = threading.Thread(target=lambda: pages.append(browser(address)))
        thread.start()
        threads.append(thread)

    result = connect(settings, "listen", show=show)
    threads[0].join()
    assert result["connected"]
    assert result["missing_scope"] == []
    assert pages[0].status_code == 200
    assert describe_connection(settings)["connected"]


def test_strangers_do_not_end_the_waiting(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path)
    app = OAuthApp(simulator.client_id, SecretStr("x"), simulator.auth_base, settings.whoop_redirect_uri)
    answers: list[int] = []

    def show(address: str) -> None:
        def visit() -> None:
            home = settings.whoop_redirect_uri
            answers.append(httpx.get(f"{home}?code=theirs&state=guessedguessed").status_code)
            answers.append(httpx.get(home, headers={"Host": "evil.example"}).status_code)
            answers.append(httpx.get(home.replace("/callback", "/favicon.ico")).status_code)
            answers.append(browser(address).status_code)

        threading.Thread(target=visit).start()

    code = code_by_listening(app, StateBook(), show, wait_s=20)
    assert code
    assert code != "theirs"
    assert answers[:3] == [400, 404, 404]


def test_a_refusal_by_the_wearer_ends_the_waiting(tmp_path):
    port = free_port()
    app = OAuthApp("id", SecretStr("s"), APP.auth_base, f"http://localhost:{port}/callback")
    states = StateBook()

    def show(address: str) -> None:
        state = httpx.URL(address).params["state"]
        refusal = f"{app.redirect_uri}?error=access_denied&state={state}"
        threading.Thread(target=lambda: httpx.get(refusal)).start()

    with pytest.raises(CallbackRefused, match="access_denied"):
        code_by_listening(app, states, show, wait_s=20)


def test_nobody_comes_home():
    app = OAuthApp("id", SecretStr("s"), APP.auth_base, f"http://localhost:{free_port()}/callback")
    with pytest.raises(CallbackRefused, match="--paste"):
        code_by_listening(app, StateBook(), lambda address: None, wait_s=0.1)


def test_a_taken_port_is_said():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        app = OAuthApp(
            "id", SecretStr("s"), APP.auth_base, f"http://localhost:{holder.getsockname()[1]}/callback"
        )
        with pytest.raises(ServerUnavailable, match="--paste"):
            code_by_listening(app, StateBook(), lambda address: None, wait_s=1)


def test_connecting_by_pasting_the_final_address(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path)

    def ask(address: str) -> str:
        return "  " + httpx.get(address).headers["location"] + "\n"

    assert connect(settings, "paste", ask=ask)["connected"]


def test_a_foreign_address_cannot_be_listened_to():
    app = OAuthApp("id", SecretStr("s"), APP.auth_base, "https://example.org/callback")
    with pytest.raises(UnsafeAddress, match="--paste"):
        code_by_listening(app, StateBook(), lambda address: None)


def test_consent_is_never_automatic_at_the_real_whoop():
    with httpx.Client() as http, pytest.raises(UnsafeAddress, match="a person"):
        code_by_following(APP, StateBook(), http)


def test_a_pasted_address_of_another_start_is_refused(simulator):
    app = OAuthApp(simulator.client_id, SecretStr("s"), simulator.auth_base, APP.redirect_uri)
    old = authorization_url(app, StateBook().issue())
    with pytest.raises(CallbackRefused, match="state"):
        code_by_pasting(app, StateBook(), lambda _: httpx.get(old).headers["location"])


# -- the whole --------------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_said_and_nothing_is_kept(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path, whoop_client_secret="wrong")
    with pytest.raises(ClientRefused, match="HRV_WHOOP_CLIENT_SECRET") as told:
        connect(settings, "follow")
    assert "wrong" not in str(told.value)
    assert open_token_store(settings).load() is None


def test_without_id_and_secret_it_says_what_to_set(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path, whoop_client_id=None, whoop_client_secret=None)
    with pytest.raises(NotConnected, match="HRV_WHOOP_CLIENT_ID"):
        connect(settings, "follow")


def test_a_typed_secret_lets_later_refreshes_work_without_settings(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path, whoop_client_id=None, whoop_client_secret=None)
    connect(settings, "follow", client_id=simulator.client_id, client_secret=simulator.client_secret)
    tokens = open_connection(settings)
    first = tokens.access_token()
    assert tokens.renewed(rejected=first) != first
    assert open_connection(settings).access_token() != first


def test_disconnecting_revokes_and_forgets(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path)
    connect(settings, "follow")
    token = open_connection(settings).access_token()
    asked = {
        "url": f"{simulator.api_base}/v2/user/profile/basic",
        "headers": {"Authorization": f"Bearer {token}"},
    }
    assert httpx.get(**asked).status_code == 200
    assert disconnect(settings)["revoked"]
    assert httpx.get(**asked).status_code == 401
    assert not describe_connection(settings)["connected"]
    assert disconnect(settings)["was_connected"] is False


def test_disconnecting_forgets_even_when_whoop_cannot_be_told(simulator, tmp_path):
    settings = settings_for(simulator, tmp_path)
    connect(settings, "follow")
    elsewhere = open_token_store(settings)
    dead = settings.model_copy(update={"whoop_api_base": f"http://127.0.0.1:{free_port()}"})
    open_token_store(dead).save(elsewhere.load())
    result = disconnect(dead, sleep=lambda seconds: None)
    assert not result["revoked"]
    assert "could not be told" in result["note"]
    assert open_token_store(dead).load() is None
    assert elsewhere.load() is not None
