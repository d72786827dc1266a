"""The service on its sockets: 127.0.0.1 and ::1, never another address."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import uvicorn
from fastapi import FastAPI

from hrv_shared.settings import Settings
from whoop_api_client.errors import ServiceRunning
from whoop_api_client.gate import WEBHOOK_PATH
from whoop_api_client.service.app import PORT, WEBHOOK_PORT_AFTER, create_app
from whoop_api_client.service.desk import TOKEN_FILE

__all__ = ["HOST", "announcement", "listen", "serve", "server"]

HOST = "127.0.0.1"
_LOOPBACK = ((socket.AF_INET, HOST), (socket.AF_INET6, "::1"))


def serve(
    settings: Settings,
    port: int = PORT,
    webhook_port: int | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run the service until SIGINT or SIGTERM.

    Parameters
    ----------
    webhook_port : int, optional
        Default: the port after `port`; listened to only with the setting ``whoop_webhook_host``.
    ready : callable
        Told once the sockets listen.

    Raises
    ------
    ServiceRunning
        The port is taken, or another service has the store.
    """
    ports = [port] if settings.whoop_webhook_host is None else [port, webhook_port or port + WEBHOOK_PORT_AFTER]
    if len(set(ports)) < len(ports):
        raise ServiceRunning(
            "Expected a port of its own for webhooks, got the service's. Take another --webhook-port."
        )
    with ExitStack() as stack:
        sockets = [found for p in ports for found in stack.enter_context(listen(p))]
        app = create_app(settings, port=port, webhook_port=webhook_port)
        app.state.desk.open()
        stack.callback(app.state.desk.close)
        stack.enter_context(_ends_quietly())
        ready()
        server(app).run(sockets=sockets)


def announcement(settings: Settings, port: int, webhook_port: int | None) -> dict[str, str | None]:
    """Where to find what: ``address``, ``token_file``, ``webhook_address`` (None: switched off)."""
    letter_box = f"http://{HOST}:{webhook_port or port + WEBHOOK_PORT_AFTER}{WEBHOOK_PATH}"
    return {
        "address": f"http://{HOST}:{port}",
        "token_file": str(settings.config_dir / TOKEN_FILE),
        "webhook_address": letter_box if settings.whoop_webhook_host is not None else None,
    }


def server(app: FastAPI) -> uvicorn.Server:
    """h11, because it shows the whole target of a request; no access log, because queries of the callback hold codes;
    no proxy headers, because no proxy is trusted."""
    return uvicorn.Server(
        uvicorn.Config(
            app, http="h11", ws="none", lifespan="on", log_level="warning", access_log=False, proxy_headers=False,
            server_header=False, timeout_keep_alive=5, timeout_graceful_shutdown=5, h11_max_incomplete_event_size=16384,
        )
    )  # fmt: skip


@contextmanager
def listen(port: int) -> Iterator[list[socket.socket]]:
    """Loopback sockets on one port; ::1 too where there is IPv6, so that nobody else can sit there as `localhost`."""
    with ExitStack() as stack:
        found = []
        for family, host in _LOOPBACK:
            try:
                opened = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                opened.bind((host, port))
                opened.listen(128)
            except OSError as error:
                if family == socket.AF_INET6 and error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    continue
                raise ServiceRunning(
                    f"Port {port} on {host} can't be had ({error.strerror}). Stop what has it, or take another "
                    "--port; the WHOOP app's redirect address must then name that one too."
                ) from error
            found.append(opened)
        yield found


@contextmanager
def _ends_quietly() -> Iterator[None]:
    """uvicorn stops cleanly on a signal and then raises it again; for us that is the end we wanted."""

    def enough(*_: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, enough)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, former)
