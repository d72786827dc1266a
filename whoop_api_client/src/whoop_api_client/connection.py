"""A living connection: hands out access tokens and renews the pair, one process at a time.

WHOOP rotates: a refresh kills both old tokens, and two refreshes at once lose one of the callers. Hence a lock
across processes, a second look at the store after taking it, and the new pair on disk before anyone uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
from filelock import FileLock, Timeout
from pydantic import SecretStr

from hrv_shared.clock import Clock, system_clock
from hrv_shared.settings import Settings
from whoop_api_client.errors import ConnectionLost, NotConnected, ServerUnavailable
from whoop_api_client.oauth import OAuthApp, refresh_pair
from whoop_api_client.tokens import TokenPair, TokenStore, open_token_store
from whoop_api_client.urls import connection_name

EARLY_S = 120.0
LOCK_TIMEOUT_S = 120.0


class Connection:
    """A `TokenProvider` over a token store.

    Parameters
    ----------
    lock_path : Path
        The same for every process that uses this store.
    """

    def __init__(
        self,
        store: TokenStore,
        app: OAuthApp,
        lock_path: Path,
        *,
        clock: Clock = system_clock,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._store = store
        self._app = app
        self._lock_path = lock_path
        self._clock = clock
        self._sleep = sleep

    @property
    def client_id(self) -> str:
        """Of the app, which shares one budget of requests among all its members."""
        return self._app.client_id

    def access_token(self) -> str:
        """A token with at least two minutes to live.

        Raises
        ------
        NotConnected
            Never connected.
        ConnectionLost
            WHOOP ended the connection; said from the store, without asking WHOOP again.
        """
        pair = self._held()
        if pair.is_fresh(self._clock(), EARLY_S):
            return pair.access_token
        return self._renew(unless=lambda held: held.is_fresh(self._clock(), EARLY_S))

    def renewed(self, rejected: str) -> str:
        """Another token than the rejected one (perhaps somebody renewed the pair already)."""
        return self._renew(unless=lambda held: held.access_token != rejected)

    def _renew(self, unless: Callable[[TokenPair], bool]) -> str:
        self._lock_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(self._lock_path, timeout=LOCK_TIMEOUT_S):
                held = self._held()
                if unless(held):
                    return held.access_token
                return self._rotate(held).access_token
        except Timeout:
            raise ServerUnavailable(
                f"Another process has been renewing the WHOOP tokens for {LOCK_TIMEOUT_S:.0f} s. Try again."
            ) from None

    def _rotate(self, held: TokenPair) -> TokenPair:
        if not held.refresh_token:
            return self._lose(
                held, "WHOOP gave no refresh token (scope `offline`), and the access token has expired."
            )
        try:
            with httpx.Client(
                timeout=30.0
            ) as http:  # once an hour; not worth a client that someone must close
                fresh = refresh_pair(self._app, held.refresh_token, http, self._clock, self._sleep)
        except ConnectionLost as lost:
            again = (
                self._store.load()
            )  # a process without our lock (another machine's mount) may have been faster
            if again is not None and again.refresh_token != held.refresh_token and again.lost_at is None:
                return again
            return self._lose(held, str(lost))
        fresh = replace(fresh, client_id=held.client_id, client_secret=held.client_secret)
        self._store.save(fresh)  # durable before first use: from here on the old pair is worthless
        return fresh

    def _lose(self, held: TokenPair, message: str) -> TokenPair:
        self._store.save(held.as_lost(self._clock()))
        raise ConnectionLost(message if "hrv connect" in message else f"{message} Connect again: hrv connect")

    def _held(self) -> TokenPair:
        pair = self._store.load()
        if pair is None:
            raise NotConnected("There is no connection to WHOOP yet. Run: hrv connect")
        if pair.lost_at is not None:
            raise ConnectionLost(
                f"WHOOP ended this connection (noticed {pair.lost_at:%Y-%m-%d %H:%M} UTC). Connect again: hrv connect"
            )
        return pair


def app_from_settings(
    settings: Settings, client_id: str | None = None, client_secret: str | None = None
) -> OAuthApp:
    """The app's identity: what is given here over what is set.

    Raises
    ------
    NotConnected
        No client id or no secret.
    """
    identity = client_id or settings.whoop_client_id
    secret = SecretStr(client_secret) if client_secret else settings.whoop_client_secret
    if not identity or secret is None or not secret.get_secret_value():
        raise NotConnected(
            "Expected the id and secret of a WHOOP app (developer-dashboard.whoop.com), found none. Set "
            "HRV_WHOOP_CLIENT_ID and HRV_WHOOP_CLIENT_SECRET, or run: hrv connect"
        )
    return OAuthApp(identity, secret, settings.whoop_auth_base, settings.whoop_redirect_uri)


def open_connection(
    settings: Settings,
    member_id: str | None = None,
    *,
    clock: Clock = system_clock,
    sleep: Callable[[float], None] = time.sleep,
) -> Connection:
    """The connection that the settings describe.

    Raises
    ------
    NotConnected
        Never connected, or the app's id and secret are gone from the settings.
    """
    member = member_id or settings.member_id
    store = open_token_store(settings, member)
    pair = store.load()
    if pair is None:
        raise NotConnected("There is no connection to WHOOP yet. Run: hrv connect")
    # settings win, because a secret may have been renewed; what was typed at `connect` is the fallback
    ours = settings.whoop_client_id in {None, pair.client_id}
    secret = None if ours and settings.whoop_client_secret else pair.client_secret
    app = app_from_settings(settings, pair.client_id, secret)
    return Connection(store, app, lock_path(settings, member), clock=clock, sleep=sleep)


def lock_path(settings: Settings, member_id: str) -> Path:
    """The lock that guards the token pair of one member at one WHOOP."""
    return settings.config_dir / "locks" / f"{connection_name(member_id, settings.whoop_api_base)}.lock"
