"""A simulated WHOOP as a real HTTP server on this machine: the checklist of whoop_api.md section 10.

``create_app`` makes the ASGI app, ``running`` serves it from a thread (tests, demonstrations), ``serve``
blocks.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hrv_shared.cli import emit
from whoop_api_client.simulator.errors import SimulatorError
from whoop_api_client.simulator.faults import FaultQueue, TroubledGate
from whoop_api_client.simulator.oauth_desk import OAuthDesk
from whoop_api_client.simulator.rate_limit import RateLimit
from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.simulator_config import SimulatorConfig
from whoop_api_client.simulator.world import World, api_instant

if TYPE_CHECKING:
    from whoop_api_client.simulator.cohort import SyntheticMember

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


def create_app(world: World | SyntheticMember, config: SimulatorConfig | None = None):
    """Make the ASGI app.

    Parameters
    ----------
    world : World or SyntheticMember
        The account to serve; a synthetic member also shows its journal and true effects under ``/_sim``.
    config : SimulatorConfig, optional

    Returns
    -------
    ASGI app with ``clock`` and ``faults`` as attributes.
    """
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from whoop_api_client.simulator.control_routes import control_router
    from whoop_api_client.simulator.member_routes import member_router
    from whoop_api_client.simulator.oauth_routes import oauth_router

    config = config or SimulatorConfig()
    account, notes_at, truth = _open(world)
    clock = SimClock(account.default_now, config.clock_runs)
    desk = OAuthDesk(config, clock)
    faults = FaultQueue()
    # No generated documentation pages: they would load scripts from elsewhere.
    app = FastAPI(title="Simulated WHOOP", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(oauth_router(desk, config))
    app.include_router(member_router(account, desk, clock, config))
    app.include_router(control_router(account, clock, faults, notes_at, truth))
    guarded = TrustedHostMiddleware(app, allowed_hosts=["127.0.0.1", "localhost"])
    gate = TroubledGate(guarded, faults, RateLimit(config.rate_per_minute, config.rate_per_day))
    gate.clock, gate.faults = clock, faults
    return gate


@contextmanager
def running(
    world: World | SyntheticMember, config: SimulatorConfig | None = None, port: int = 0
) -> Iterator[RunningSimulator]:
    """Serve from a thread on a loopback port (0: any free one) until the block ends."""
    config = config or SimulatorConfig()
    app = create_app(world, config)
    listener = _listen(port)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        if not server.listening.wait(_START_TIMEOUT_S):
            raise SimulatorError(
                f"expected the simulator to listen within {_START_TIMEOUT_S} s; start it again"
            )
        yield _describe(listener.getsockname()[1], config, app)
    finally:
        server.should_exit = True
        thread.join(_START_TIMEOUT_S)
        listener.close()


def serve(
    world: World | SyntheticMember,
    config: SimulatorConfig | None = None,
    port: int = 0,
    announce: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Serve until interrupted; as soon as it listens, print one JSON line, or call ``announce`` with its content.

    Keys: ``base_url``, ``api_base``, ``auth_base``, ``auth_url``, ``token_url``, ``client_id``, ``client_secret``,
    ``now``, ``utc_offset_min`` (synthetic members, else null), ``pid``.
    """
    config = config or SimulatorConfig()
    app = create_app(world, config)
    listener = _listen(port)
    place = _describe(listener.getsockname()[1], config, app)
    ready = {name: getattr(place, name) for name in _ANNOUNCED} | {
        "now": api_instant(app.clock.now()),
        "utc_offset_min": getattr(world, "utc_offset_min", None),
        "pid": os.getpid(),
    }
    tell = announce or (lambda content: emit(content, "", as_json=True))
    try:
        _server(app, lambda: tell(ready)).run(sockets=[listener])
    finally:
        listener.close()


def _open(world: World | SyntheticMember) -> tuple[World, Callable, Callable]:
    if isinstance(world, World):
        return world, lambda at: [], lambda: None
    return world.world, world.journal_at, lambda: world.truth


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
        api_base=f"{base}/developer",
        auth_base=f"{base}/oauth/oauth2",
        auth_url=f"{base}/oauth/oauth2/auth",
        token_url=f"{base}/oauth/oauth2/token",
        client_id=config.client_id,
        client_secret=config.client_secret,
        clock=app.clock,
        faults=app.faults,
    )
