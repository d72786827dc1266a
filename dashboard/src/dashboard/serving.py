"""Listen on loopback, and tell whether somebody does."""

from __future__ import annotations

import socket

from dashboard.errors import PortTaken
from dashboard.page import create_app
from hrv_shared.settings import Settings

__all__ = ["LOOPBACK", "is_serving", "open_port", "serve"]

LOOPBACK = "127.0.0.1"


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve the page on an open listener until interrupted; requests are not logged."""
    import uvicorn

    port = listener.getsockname()[1]
    config = uvicorn.Config(
        create_app(settings, port=port), log_level="warning", access_log=False, server_header=False, ws="none"
    )
    uvicorn.Server(config).run(sockets=[listener])


def open_port(port: int) -> socket.socket:
    """A listener on loopback; port 0 takes any free one.

    Raises
    ------
    PortTaken
        Somebody else listens there, or the number is not a port's.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(64)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortTaken(f"Port {port} can't be listened on ({error}). Choose another: --port 8730") from None
    return listener


def is_serving(port: int) -> bool:
    """Whether something answers on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
