"""Three ways for the authorization code to come home.

A page on this machine that waits for the browser, the final address pasted by hand, or, for a simulator on this
machine, following the redirects ourselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urljoin, urlsplit

import httpx

from whoop_api_client.errors import CallbackRefused, ServerUnavailable, UnsafeAddress
from whoop_api_client.oauth import OAuthApp, StateBook, authorization_url, code_from_address
from whoop_api_client.urls import is_loopback

WAIT_S = 300.0
_DONE = "<!doctype html><meta charset=utf-8><title>hrv</title><p>Connected. You can close this page."
_REFUSED = "<!doctype html><meta charset=utf-8><title>hrv</title><p>Not accepted. The terminal says why."


def code_by_listening(
    app: OAuthApp,
    states: StateBook,
    show: Callable[[str], None],
    *,
    wait_s: float = WAIT_S,
) -> str:
    """Wait on the redirect address for the browser to come home.

    Parameters
    ----------
    show : callable
        Gets the authorization address once the page listens: print it, open a browser.

    Raises
    ------
    CallbackRefused
        Access was declined, or nobody came within `wait_s` seconds.
    UnsafeAddress
        The redirect address is not on this machine.
    ServerUnavailable
        The port is taken.
    """
    parts = urlsplit(app.redirect_uri)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise UnsafeAddress(
            f"The redirect address {app.redirect_uri} is not plain http on this machine, so it cannot be listened to. "
            "Run: hrv connect --paste"
        )
    came_home: list[str | CallbackRefused] = []
    try:
        server = _Server(("127.0.0.1", parts.port or 80), _page(app, states, came_home))
    except OSError as error:
        raise ServerUnavailable(
            f"Port {parts.port} is taken ({error.strerror}). Free it, or run: hrv connect --paste"
        ) from error
    with server:
        show(authorization_url(app, states.issue()))
        deadline = time.monotonic() + wait_s
        while not came_home and time.monotonic() < deadline:
            server.timeout = max(0.05, min(1.0, deadline - time.monotonic()))
            server.handle_request()
    if not came_home:
        raise CallbackRefused(
            f"Nobody came home within {wait_s:.0f} s. Start again, or run: hrv connect --paste"
        )
    if isinstance(came_home[0], CallbackRefused):
        raise came_home[0]
    return came_home[0]


def code_by_pasting(app: OAuthApp, states: StateBook, ask: Callable[[str], str]) -> str:
    """Let the wearer open the address anywhere and paste the one at which the browser ended.

    Parameters
    ----------
    ask : callable
        Gets the authorization address, returns what was pasted.
    """
    return code_from_address(ask(authorization_url(app, states.issue())), app, states)


def code_by_following(app: OAuthApp, states: StateBook, http: httpx.Client, *, hops: int = 8) -> str:
    """Follow the redirects of a simulator that says yes by itself.

    Raises
    ------
    UnsafeAddress
        The authorization server is not on this machine: at the real WHOOP only a person may consent.
    CallbackRefused
        It did not send us home.
    """
    if not is_loopback(urlsplit(app.auth_base).hostname or ""):
        raise UnsafeAddress(
            "--auto is for a simulator on this machine; at WHOOP a person must consent. Omit --auto."
        )
    address = authorization_url(app, states.issue())
    for _ in range(hops):
        try:
            response = http.get(address, follow_redirects=False)
        except httpx.TransportError as error:
            raise ServerUnavailable(
                f"The simulator at {app.auth_base} could not be reached ({type(error).__name__}). Run: hrv simulate"
            ) from error
        if "location" not in response.headers:
            raise CallbackRefused(
                f"The authorization server answered {response.status_code} instead of sending us home. "
                "Is the redirect address registered there? Otherwise connect without --auto."
            )
        address = urljoin(address, response.headers["location"])
        if address.split("?")[0] == app.redirect_uri.split("?")[0]:
            return code_from_address(address, app, states)
        if not is_loopback(urlsplit(address).hostname or ""):
            raise UnsafeAddress("The simulator redirected to another machine; stopped.")
    raise CallbackRefused(f"More than {hops} redirects without coming home; stopped.")


class _Server(HTTPServer):
    # a second `connect` on the same port must fail loudly instead of sharing the callbacks
    allow_reuse_port = False


def _page(app: OAuthApp, states: StateBook, came_home: list) -> type[BaseHTTPRequestHandler]:
    ours = urlsplit(app.redirect_uri)

    class Page(BaseHTTPRequestHandler):
        timeout = 5.0  # a browser's idle spare connection must not hold the line

        def do_GET(self) -> None:
            if self.headers.get("Host", "") != ours.netloc or urlsplit(self.path).path != (ours.path or "/"):
                self._say(404, _REFUSED)
                return
            query = urlsplit(self.path).query
            try:
                came_home.append(code_from_address(f"{app.redirect_uri}?{query}", app, states))
                self._say(200, _DONE)
            except CallbackRefused as refused:
                # a stranger without a valid state must not end our waiting; WHOOP's own "declined" must
                if "did not grant" in str(refused):
                    came_home.append(refused)
                self._say(400, _REFUSED)

        def _say(self, status: int, page: str) -> None:
            body = page.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the request line holds the code."""

    return Page
