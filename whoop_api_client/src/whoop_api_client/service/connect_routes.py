"""Connecting and disconnecting.

In a browser: the address that `POST /connect` names holds a ticket; who opens it gets a cookie and is sent on to WHOOP,
and only a browser with that cookie may bring the code home. By pasting: the holder of the session token brings it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from html import escape
from urllib.parse import urlsplit

import httpx
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hrv_shared.errors import HrvError
from whoop_api_client.connecting import disconnect, finish
from whoop_api_client.connection import app_from_settings
from whoop_api_client.errors import CallbackRefused, UnusableRequest
from whoop_api_client.gate import START_PATH
from whoop_api_client.oauth import StateBook, authorization_url, code_from_address
from whoop_api_client.service.answers import (
    Connected,
    ConnectStart,
    ConnectWish,
    Disconnected,
    PastedAddress,
    errors,
    errors_of_page,
)
from whoop_api_client.service.desk import Desk
from whoop_api_client.service.pages import page

__all__ = ["Homecoming", "connect_router", "landing_router"]

COOKIE = "hrv_connect"
_REFUSED = errors_of_page(403)
_REFUSED[403]["content"]["text/html"] = {"schema": {"type": "string"}}


class Homecoming:
    """How codes come home: states, tickets, and the cookie that binds a state to a browser."""

    def __init__(self, desk: Desk, landing: str | None):
        self.desk = desk
        self.landing = landing
        self.states, self.tickets = StateBook(desk.clock), StateBook(desk.clock)
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()  # requests run in threads, and once must mean once

    def issue(self, states: StateBook) -> str:
        with self._lock:
            return states.issue()

    def redeem_ticket(self, ticket: str) -> None:
        with self._lock:
            self.tickets.redeem(ticket)

    def bind(self, state: str) -> str:
        digest = hmac.new(self._key, state.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode()

    def is_bound(self, state: str, cookie: str) -> bool:
        return hmac.compare_digest(self.bind(state).encode(), cookie.encode())

    def arrive(self, address: str) -> dict:
        """Trade the code in an address for tokens."""
        whoop_app = app_from_settings(self.desk.settings)
        with self._lock:
            code = code_from_address(address, whoop_app, self.states)
        with httpx.Client(timeout=30.0) as http:
            return finish(self.desk.settings, whoop_app, code, http, clock=self.desk.clock)


def connect_router(desk: Desk, home: Homecoming) -> APIRouter:
    router = APIRouter(tags=["connection"])

    @router.post("/connect", responses=errors(400, 409, 413, 415, 422))
    def start(wish: ConnectWish | None = None) -> ConnectStart:
        """Begin to connect: an address for a browser, good for five minutes."""
        way = wish.way if wish else "auto"
        whoop_app = app_from_settings(desk.settings)
        if way == "browser" and home.landing is None:
            raise UnusableRequest(
                f"The redirect address {desk.settings.whoop_redirect_uri} is not of this service. Take the way paste."
            )
        if way == "paste" or home.landing is None:
            told = "The browser ends at an address that may not open. Post that address to /connect/paste."
            address = authorization_url(whoop_app, home.issue(home.states))
            return ConnectStart(open=address, way="paste", next=told)
        ours = urlsplit(desk.settings.whoop_redirect_uri)
        address = f"http://{ours.netloc}{START_PATH}{home.issue(home.tickets)}"
        return ConnectStart(open=address, way="browser", next="The browser comes back here and says so.")

    @router.post("/connect/paste", responses=errors(400, 409, 413, 415, 422))
    def paste(pasted: PastedAddress) -> Connected:
        """Finish to connect with the address at which the browser ended."""
        return home.arrive(pasted.address)

    @router.post("/disconnect", responses=errors(409, 413, 415))
    def end() -> Disconnected:
        """Withdraw the access at WHOOP and forget the tokens; the records stay."""
        return disconnect(desk.settings, desk.clock)

    return router


def landing_router(desk: Desk, home: Homecoming) -> APIRouter:
    """The two pages of the code flow that a browser opens without the session token."""
    router = APIRouter(tags=["connection"])

    @router.get(
        START_PATH + "{ticket}",
        status_code=303,
        response_class=RedirectResponse,
        responses=errors_of_page(404, 409, 422),
    )
    def set_out(ticket: str) -> Response:
        """Send the browser to WHOOP; the ticket is good once."""
        try:
            home.redeem_ticket(ticket)
        except CallbackRefused:
            raise HTTPException(404, "This address was used already, or is too old. Start again.") from None
        state = home.issue(home.states)
        answer = RedirectResponse(authorization_url(app_from_settings(desk.settings), state), 303)
        # lax: WHOOP sends the browser back here from its own site
        answer.set_cookie(COOKIE, home.bind(state), 300, path=home.landing, httponly=True, samesite="lax")
        return answer

    @router.get(home.landing, response_class=HTMLResponse, responses=_REFUSED)
    def come_home(request: Request) -> HTMLResponse:
        """Where WHOOP sends the browser; its query holds code and state."""
        if not home.is_bound(request.query_params.get("state", ""), request.cookies.get(COOKIE, "")):
            return page("Not connected", "This browser did not start the connection. Start again.", 403)
        try:
            home.arrive(f"{desk.settings.whoop_redirect_uri}?{request.url.query}")
        except HrvError as error:
            return page("Not connected", escape(str(error)), 403)
        answer = page("Connected", "You can close this page.", 200)
        answer.delete_cookie(COOKIE, path=home.landing)
        return answer

    return router
