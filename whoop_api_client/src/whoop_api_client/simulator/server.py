"""A simulated WHOOP as a real HTTP server on this machine: the checklist of whoop_api.md section 10.

``create_app`` makes the ASGI app, ``running`` serves it from a thread (tests, demonstrations), ``serve``
blocks.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hrv_shared.cli import emit
from whoop_api_client.simulator.accounts import Accounts
from whoop_api_client.simulator.errors import SimulatorError
from whoop_api_client.simulator.faults import FaultQueue
from whoop_api_client.simulator.oauth_desk import OAuthDesk
from whoop_api_client.simulator.rate_limit import RateLimit
from whoop_api_client.simulator.request_log import RequestLog
from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.simulator_config import SimulatorConfig
from whoop_api_client.simulator.timeline import api_instant
from whoop_api_client.simulator.troubled_gate import TroubledGate
from whoop_api_client.simulator.webhook_courier import Courier

if TYPE_CHECKING:
    from whoop_api_client.simulator.accounts import Worlds

__all__ = ["RunningSimulator", "create_app", "running", "serve"]

_START_TIMEOUT_S = 15
_ANNOUNCED = ("base_url", "api_base", "auth_base", "auth_url", "token_url", "client_id", "client_secret")


@dataclass(frozen=True)
class RunningSimulator:
    """Where a simulator listens, and who may come in.

    ``api_base`` and ``auth_base`` are what the client's settings ``whoop_api_base`` and
    ``whoop_auth_base`` take.
    """

    base_url: str
    api_base: str
    auth_base: str
    auth_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    clock: SimClock | None = field(default=None, repr=False)
    faults: FaultQueue | None = field(default=None, repr=False)
    requests: RequestLog | None = field(default=None, repr=False)
    courier: Courier | None = field(default=None, repr=False)


def create_app(worlds: Worlds, config: SimulatorConfig | None = None):
    """Make the ASGI app.

    Parameters
    ----------
    worlds : World or SyntheticMember, or several
        The accounts to serve; a synthetic member also shows its journal and the truth under ``/_sim``.
    config : SimulatorConfig, optional

    Returns
    -------
    ASGI app with ``clock``, ``faults``, ``requests`` and ``courier`` as attributes.
    """
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from whoop_api_client.simulator.control_routes import Controls, control_router
    from whoop_api_client.simulator.member_routes import member_router
    from whoop_api_client.simulator.oauth_routes import oauth_router

    config = config or SimulatorConfig()
    accounts = Accounts(worlds)
    clock = SimClock(accounts.get(None).world.default_now, config.clock_runs, pace=config.pace)
    desk = OAuthDesk(config, clock)
    faults = FaultQueue(clock.now, config.fault_seed)
    for fault in config.faults:
        faults.add(replace(fault))
    requests, courier = RequestLog(clock.now), Courier(accounts, desk, clock, config)
    # No generated documentation pages: they would load scripts from elsewhere.
    app = FastAPI(title="Simulated WHOOP", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(oauth_router(desk, config, accounts))
    app.include_router(member_router(accounts, desk, clock, config))
    app.include_router(control_router(Controls(accounts, clock, faults, requests, courier, config)))
    guarded = TrustedHostMiddleware(app, allowed_hosts=["127.0.0.1", "localhost"])
    seconds = (lambda: clock.now().timestamp()) if config.limits_follow_clock else time.monotonic
    limit = RateLimit(config.rate_per_minute, config.rate_per_day, seconds)
    gate = TroubledGate(guarded, faults, limit, requests, config.api_prefix, config.retry_after)
    gate.clock, gate.faults, gate.requests, gate.courier = clock, faults, requests, courier
    gate.accounts = accounts
    return gate


@contextmanager
def running(
    worlds: Worlds, config: SimulatorConfig | None = None, port: int = 0
) -> Iterator[RunningSimulator]:
    """Serve from a thread on a loopback port (0: any free one) until the block ends."""
    config = config or SimulatorConfig()
    app = create_app(worlds, config)
    listener = _listen(port)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        if not server.listening.wait(_START_TIMEOUT_S):
            raise SimulatorError(
                f"expected the simulator to listen within {_START_TIMEOUT_S} s; start it again"
            )
        app.courier.start()
        yield _describe(listener.getsockname()[1], config, app)
    finally:
        app.courier.stop()
        server.should_exit = True
        thread.join(_START_TIMEOUT_S)
        listener.close()


def serve(
    worlds: Worlds,
    config: SimulatorConfig | None = None,
    port: int = 0,
    announce: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Serve until interrupted; as soon as it listens, print one JSON line, or call ``announce`` with its content.

    Keys: ``base_url``, ``api_base``, ``auth_base``, ``auth_url``, ``token_url``, ``client_id``, ``client_secret``,
    ``now``, ``utc_offset_min`` (of the first synthetic member, else null), ``members`` (``user_id``, ``email``),
    ``pid``.
    """
    config = config or SimulatorConfig()
    app = create_app(worlds, config)
    listener = _listen(port)
    place = _describe(listener.getsockname()[1], config, app)
    ready = {name: getattr(place, name) for name in _ANNOUNCED} | {
        "now": api_instant(app.clock.now()),
        "utc_offset_min": getattr(app.accounts.get(None).member, "utc_offset_min", None),
        "members": [
            {"user_id": account.user_id, "email": account.world.profile["email"]} for account in app.accounts
        ],
        "pid": os.getpid(),
    }
    tell = announce or (lambda content: emit(content, "", as_json=True))
    app.courier.start()
    try:
        _server(app, lambda: tell(ready)).run(sockets=[listener])
    finally:
        app.courier.stop()
        listener.close()


def _listen(port: int) -> socket.socket:
    """Loopback only: health data, real or not, is not offered to the network."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise SimulatorError(
            f"expected a free port, could not listen on {port}: {error}; take --port 0"
        ) from error
    listener.listen(128)
    return listener


def _server(app, on_ready: Callable[[], None] | None = None):
    import uvicorn

    class Announced(uvicorn.Server):
        """Tells when it listens; uvicorn itself only sets a flag to poll."""

        listening = threading.Event()

        async def startup(self, sockets=None) -> None:
            await super().startup(sockets=sockets)
            self.listening.set()
            if on_ready is not None:
                on_ready()

    # Faults break the protocol on purpose; the server's own complaints about that would be noise.
    return Announced(
        uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )
    )


def _describe(port: int, config: SimulatorConfig, app) -> RunningSimulator:
    base = f"http://127.0.0.1:{port}"
    return RunningSimulator(
        base_url=base,
        api_base=f"{base}{config.api_prefix}",
        auth_base=f"{base}{config.oauth_prefix}",
        auth_url=f"{base}{config.oauth_prefix}/auth",
        token_url=f"{base}{config.oauth_prefix}/token",
        client_id=config.client_id,
        client_secret=config.client_secret,
        clock=app.clock,
        faults=app.faults,
        requests=app.requests,
        courier=app.courier,
    )
