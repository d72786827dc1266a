"""Connecting and disconnecting one member: code home, pair on disk, a first question to see that it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import httpx
from filelock import FileLock

from hrv_shared.clock import Clock, system_clock
from hrv_shared.settings import Settings
from whoop_api_client.budget import open_budget
from whoop_api_client.callback import code_by_following, code_by_listening, code_by_pasting
from whoop_api_client.client import WhoopClient
from whoop_api_client.connection import app_from_settings, lock_path, open_connection
from whoop_api_client.errors import AuthorizationFailed, TokenStoreBroken, WhoopError
from whoop_api_client.exchange import RetryPolicy
from whoop_api_client.oauth import SCOPES, OAuthApp, StateBook, exchange_code
from whoop_api_client.tokens import open_token_store

Way = Literal["listen", "paste", "follow"]
_BY_HAND = "Remove the app in the WHOOP app under Settings, Integrations."


def connect(
    settings: Settings,
    way: Way = "listen",
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    show: Callable[[str], None] = lambda address: None,
    ask: Callable[[str], str] = input,
    clock: Clock = system_clock,
) -> dict[str, Any]:
    """Walk the OAuth 2.0 code flow and store the pair.

    Parameters
    ----------
    way : "listen" | "paste" | "follow"
        How the code comes home (see `callback`); ``follow`` only for a simulator on this machine.
    client_id, client_secret : str, optional
        When they are not in the settings; kept beside the tokens, because each refresh needs them.
    show, ask : callable
        For ``listen`` and ``paste``: what to do with the authorization address.

    Returns
    -------
    dict
        ``connected``, ``scope``, ``tokens_in``; never a token.
    """
    app = app_from_settings(settings, client_id, client_secret)
    states = StateBook(clock)
    with httpx.Client(timeout=30.0) as http:
        if way == "follow":
            code = code_by_following(app, states, http)
        elif way == "paste":
            code = code_by_pasting(app, states, ask)
        else:
            code = code_by_listening(app, states, show)
        return finish(settings, app, code, http, typed=bool(client_id or client_secret), clock=clock)


def finish(
    settings: Settings,
    app: OAuthApp,
    code: str,
    http: httpx.Client,
    *,
    typed: bool = False,
    clock: Clock = system_clock,
) -> dict[str, Any]:
    """Exchange a code, store the pair, ask for the profile once.

    Returns
    -------
    dict
        As `connect`.
    """
    store = open_token_store(settings)
    lock = lock_path(settings, settings.member_id)
    lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pair = exchange_code(app, code, http, clock)
    if typed:
        pair = replace(pair, client_id=app.client_id, client_secret=app.client_secret.get_secret_value())
    with FileLock(lock, timeout=60):
        store.save(pair)
    budget = open_budget(settings, app.client_id)
    with WhoopClient(
        open_connection(settings, clock=clock), settings.whoop_api_base, budget=budget
    ) as client:
        client.profile()
    granted = set(pair.scope.split())
    return {
        "connected": True,
        "member_id": settings.member_id,
        "api_base": settings.whoop_api_base,
        "tokens_in": store.place,
        "scope": sorted(granted),
        # without `offline` the connection dies within the hour, without a read scope a table stays empty
        "missing_scope": sorted(set(SCOPES) - granted) if granted else [],
    }


def disconnect(
    settings: Settings, clock: Clock = system_clock, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Withdraw the access at WHOOP and forget the pair; the records stay.

    The pair is forgotten even when WHOOP cannot be told; then ``revoked`` is false and ``note`` says what to do. The
    one question is not counted against the budget: a used-up day must not keep anybody connected.

    Returns
    -------
    dict
        ``connected`` (false), ``was_connected``, ``revoked``, ``note``.
    """
    store = open_token_store(settings)
    try:
        had, unreadable = store.load() is not None, False
    except TokenStoreBroken:
        had, unreadable = True, True
    revoked, note = False, "There was nothing to withdraw." if not had else ""
    if unreadable:
        note = f"The tokens could not be read, so WHOOP was not told. {_BY_HAND}"
    elif had:
        try:
            tokens = open_connection(settings, clock=clock, sleep=sleep)
            impatient = RetryPolicy(attempts=2, longest_wait_s=5.0, patience_s=5.0)
            with WhoopClient(tokens, settings.whoop_api_base, policy=impatient, sleep=sleep) as client:
                client.revoke()
            revoked = True
        except AuthorizationFailed:
            note = "WHOOP had ended the connection already."
        except WhoopError as error:
            note = f"WHOOP could not be told: {error} {_BY_HAND}"
    lock = lock_path(settings, settings.member_id)
    lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(lock, timeout=60):
        store.delete()
    return {"connected": False, "was_connected": had, "revoked": revoked, "note": note}


def describe_connection(settings: Settings, member_id: str | None = None) -> dict[str, Any]:
    """Whether a member is connected, without asking WHOOP and without a token in it.

    Parameters
    ----------
    member_id : str, optional
        Default: the setting.

    Returns
    -------
    dict
        ``connected``, ``lost_at``, ``access_token_expires_at``, ``tokens_in``, ``api_base``; ``token_store`` says
        which store is used and, in ``fault``, what is wrong with it (None: nothing).
    """
    pair, fault, kind, place = None, None, None, None
    try:
        store = open_token_store(settings, member_id)
        kind, place = store.kind, store.place
        pair = store.load()
    except TokenStoreBroken as error:
        fault = str(error)
    return {
        "connected": pair is not None and pair.lost_at is None,
        "lost_at": pair.lost_at.isoformat() if pair and pair.lost_at else None,
        "access_token_expires_at": pair.expires_at.isoformat() if pair and not pair.lost_at else None,
        "tokens_in": place if pair is not None else None,
        "token_store": {"kind": kind, "place": place, "fault": fault},
        "api_base": settings.whoop_api_base,
    }
