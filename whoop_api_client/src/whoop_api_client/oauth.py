"""OAuth 2.0 with WHOOP: the address to open, the code that comes home, the exchange and the refresh.

No token is stored here (see `connection`), and neither codes nor tokens ever enter a message.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from pydantic import SecretStr

from hrv_shared.clock import Clock, system_clock
from whoop_api_client.errors import (
    CallbackRefused,
    ClientRefused,
    ConnectionLost,
    RateLimited,
    ServerUnavailable,
    UnexpectedAnswer,
)
from whoop_api_client.tokens import TokenPair
from whoop_api_client.urls import require_safe_base

SCOPES = (
    "offline",  # without it there is no refresh token
    "read:recovery",
    "read:cycles",
    "read:sleep",
    "read:workout",
    "read:profile",
    "read:body_measurement",
)
STATE_LIFE = timedelta(minutes=5)
REFRESH_ATTEMPTS = 3


@dataclass(frozen=True)
class OAuthApp:
    """What the WHOOP developer dashboard says about our app."""

    client_id: str
    client_secret: SecretStr
    auth_base: str
    redirect_uri: str

    def __post_init__(self) -> None:
        require_safe_base(self.auth_base)


@dataclass
class StateBook:
    """States that we issued: each is good once, for five minutes."""

    clock: Clock = system_clock
    _issued: dict[str, datetime] = field(default_factory=dict, repr=False)

    def issue(self) -> str:
        self._forget_old()
        state = secrets.token_urlsafe(24)  # WHOOP wants at least 8 characters
        self._issued[state] = self.clock()
        return state

    def redeem(self, state: str) -> None:
        """Use a state up.

        Raises
        ------
        CallbackRefused
            Not ours, used already, or older than five minutes.
        """
        self._forget_old()
        # compared with every one in constant time, so that timing tells nothing about them
        matches = [ours for ours in self._issued if hmac.compare_digest(ours.encode(), state.encode())]
        if not matches:
            raise CallbackRefused(
                "The answer carries a state that was not issued here, was used already, or is older than five "
                "minutes. Start again: hrv connect"
            )
        del self._issued[matches[0]]

    def _forget_old(self) -> None:
        now = self.clock()
        self._issued = {s: at for s, at in self._issued.items() if timedelta(0) <= now - at <= STATE_LIFE}


def authorization_url(app: OAuthApp, state: str) -> str:
    """The address that the wearer opens to say yes."""
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": " ".join(SCOPES),
        "state": state,
    }
    return f"{app.auth_base.rstrip('/')}/auth?{urlencode(query)}"


def code_from_address(address: str, app: OAuthApp, states: StateBook) -> str:
    """The authorization code in the final address, after its state is redeemed.

    Raises
    ------
    CallbackRefused
        Another address, an error from WHOOP, no code, or a wrong state.
    """
    got, ours = urlsplit(address.strip()), urlsplit(app.redirect_uri)
    if (got.scheme, got.netloc, got.path or "/") != (ours.scheme, ours.netloc, ours.path or "/"):
        raise CallbackRefused(
            f"Expected the full address that begins with {app.redirect_uri}, as the browser shows it at the end."
        )
    query = {name: values[0] for name, values in parse_qs(got.query).items()}
    if "state" not in query:
        raise CallbackRefused("The address has no state. Copy the whole address, or start again: hrv connect")
    states.redeem(query["state"])
    if "error" in query:
        shown = "".join(c for c in query["error"][:60] if c.isalnum() or c in "_-")
        raise CallbackRefused(f"WHOOP did not grant access ({shown}). Start again and accept: hrv connect")
    if not query.get("code"):
        raise CallbackRefused("The address has no code. Copy the whole address, or start again: hrv connect")
    return query["code"]


def exchange_code(app: OAuthApp, code: str, http: httpx.Client, clock: Clock = system_clock) -> TokenPair:
    """Trade the code for the first token pair."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri}
    return _token_request(app, form, http, clock)


def refresh_pair(
    app: OAuthApp,
    refresh_token: str,
    http: httpx.Client,
    clock: Clock = system_clock,
    sleep: Callable[[float], None] = time.sleep,
) -> TokenPair:
    """Trade a refresh token for a new pair; the old access *and* refresh token are dead afterwards.

    A network error is tried again and stays a network error: only WHOOP's own ``invalid_grant`` is the end.

    Raises
    ------
    ConnectionLost, ClientRefused, ServerUnavailable, RateLimited, UnexpectedAnswer
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": "offline"}
    for attempt in range(1, REFRESH_ATTEMPTS + 1):
        try:
            return _token_request(app, form, http, clock, previous=refresh_token)
        except ServerUnavailable:
            if attempt == REFRESH_ATTEMPTS:
                raise
            sleep(float(2 ** (attempt - 1)))
    raise AssertionError("unreachable: the loop returns or raises")


def _token_request(
    app: OAuthApp, form: dict[str, str], http: httpx.Client, clock: Clock, previous: str | None = None
) -> TokenPair:
    # WHOOP wants the secret in the body, not as HTTP Basic
    form = form | {"client_id": app.client_id, "client_secret": app.client_secret.get_secret_value()}
    asked_at = clock()
    try:
        response = http.post(f"{app.auth_base.rstrip('/')}/token", data=form)
    except httpx.TransportError as error:
        # "from None": the request in the chain carries the secrets
        raise ServerUnavailable(
            f"WHOOP's token endpoint could not be reached ({type(error).__name__})."
        ) from None
    body = _object(response)
    if response.is_success:
        return _pair(body, asked_at, previous)
    raise _token_error(response, body)


def _token_error(response: httpx.Response, body: dict[str, Any]) -> Exception:
    status, error = response.status_code, body.get("error")
    if error == "invalid_grant":
        return ConnectionLost(
            "WHOOP no longer accepts this connection (expired, revoked, or used elsewhere). Connect again: hrv connect"
        )
    if error == "invalid_client" or status == 401:
        return ClientRefused(
            "WHOOP does not accept the client id and secret. Check HRV_WHOOP_CLIENT_ID and HRV_WHOOP_CLIENT_SECRET."
        )
    if status == 429:
        return RateLimited("WHOOP's token endpoint is rate limited. Run the same command again in a minute.")
    if status >= 500:
        return ServerUnavailable(
            f"WHOOP's token endpoint answers {status}. Run the same command again later."
        )
    return UnexpectedAnswer(
        f"WHOOP's token endpoint answered {status} without a known reason; nothing was changed."
    )


def _pair(body: dict[str, Any], asked_at: datetime, previous: str | None) -> TokenPair:
    access, refresh = body.get("access_token"), body.get("refresh_token") or previous
    life = body.get("expires_in")
    if not isinstance(access, str) or not access or not isinstance(refresh, str | None):
        raise UnexpectedAnswer(
            "WHOOP's token endpoint answered without an access token. Connect again: hrv connect"
        )
    life_s = float(life) if isinstance(life, int | float) and 0 < life < 10**7 else 3600.0
    scope = body.get("scope")
    return TokenPair(
        access, refresh, asked_at + timedelta(seconds=life_s), scope if isinstance(scope, str) else ""
    )


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
