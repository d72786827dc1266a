"""Listen on loopback, and tell whether somebody does."""

from __future__ import annotations

import errno
import socket

from dashboard.desk import Desk
from dashboard.errors import PortTaken
from dashboard.gate import loopback_doors
from dashboard.page import gated, make_app

__all__ = ["LOOPBACK", "is_serving", "open_port", "serve"]

LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"


def serve(desk: Desk, listeners: list[socket.socket]) -> None:
    """Serve the page on open listeners until interrupted; requests are not logged."""
    import uvicorn

    port = listeners[0].getsockname()[1]
    # h11 hands on a target as it came, so that the gate sees an absolute address; web sockets are not served
    config = uvicorn.Config(
        gated(make_app(desk), desk, loopback_doors(port)), log_level="error", access_log=False, server_header=False,
        ws="none", http="h11", timeout_graceful_shutdown=3,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=listeners)


def open_port(port: int) -> list[socket.socket]:
    """Listeners on loopback, 127.0.0.1 and (where there is one) ::1; port 0 takes any free one.

    Raises
    ------
    PortTaken
        Somebody else listens there, or the number is not a port's.
    """
    first = _listener(socket.AF_INET, LOOPBACK, port)
    try:
        return [first, _listener(socket.AF_INET6, LOOPBACK_6, first.getsockname()[1])]
    except PortTaken as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
            first.close()
            raise
        return [first]


def is_serving(port: int) -> bool:
    """Whether something answers on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _listener(family: int, address: str, port: int) -> socket.socket:
    listener = None
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(64)
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        raise PortTaken(f"Port {port} can't be listened on ({error}). Choose another: --port 8730") from error
    return listener
