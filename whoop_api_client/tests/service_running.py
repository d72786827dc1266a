"""What the service's tests share: settings, a client in the process, and the service on real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hrv_shared.settings import Settings, load_settings
from whoop_api_client.gate import TOKEN_HEADER
from whoop_api_client.service.app import create_app
from whoop_api_client.service.listening import listen, server
from whoop_api_client.simulator import RunningSimulator

PORT, LETTER_PORT = 8721, 8723
TOKEN = "session-token-of-the-tests"
WITH_TOKEN = {TOKEN_HEADER: TOKEN}
PUBLIC_NAME = "hooks.example.org"


def settings_in(folder: Path, **more: Any) -> Settings:
    return load_settings({}, home=folder / "home", config_dir=folder / "config", token_store="file", **more)


def settings_at(place: RunningSimulator, folder: Path, **more: Any) -> Settings:
    """Settings of an app that the simulator knows."""
    return settings_in(
        folder,
        whoop_api_base=place.api_base,
        whoop_auth_base=place.auth_base,
        whoop_client_id=place.client_id,
        whoop_client_secret=place.client_secret,
        **more,
    )


def client_of(settings: Settings, port: int = PORT, **more: Any) -> TestClient:
    """The service in this process, asked at one of its ports."""
    app = create_app(settings, port=PORT, token=TOKEN, **more)
    return TestClient(app, base_url=f"http://127.0.0.1:{port}", follow_redirects=False)


def at_letter_box(service: TestClient) -> TestClient:
    """Another client of the same, already started app, at the webhooks' port."""
    return TestClient(service.app, base_url=f"http://127.0.0.1:{LETTER_PORT}", follow_redirects=False)


def connect(service: TestClient) -> httpx.Response:
    """Walk the browser's way from the start address to WHOOP's simulator and home."""
    start = service.post("/connect", headers=WITH_TOKEN).json()["open"]
    to_whoop = service.get(httpx.URL(start).raw_path.decode(), headers={"Host": f"localhost:{PORT}"})
    home = httpx.URL(httpx.get(to_whoop.headers["location"]).headers["location"])
    from_whoop = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    return service.get("/callback", params=dict(home.params), headers=from_whoop)


def pull_now(service: TestClient, **wish: Any) -> dict[str, Any]:
    """Pull and wait; the job as it ended."""
    job = service.post("/pull", headers=WITH_TOKEN, json=wish).json()
    assert service.app.state.desk.worker.settle(60)
    return service.get(f"/jobs/{job['id']}", headers=WITH_TOKEN).json()


@dataclass(frozen=True)
class Served:
    """A service that listens."""

    app: FastAPI
    port: int
    letter_port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send_raw(self, data: bytes, port: int | None = None) -> bytes:
        """Send bytes and read all that comes until the service closes."""
        with socket.create_connection(("127.0.0.1", port or self.port), timeout=20) as line:
            line.sendall(data)
            came = bytearray()
            while chunk := line.recv(65536):
                came += chunk
        return bytes(came)


@contextmanager
def served(settings: Settings, *, letter_port: int | None = None, **more: Any) -> Iterator[Served]:
    """The service as `hrv serve` runs it, on free ports; the redirect address is its own."""
    port, letter_port = free_port(), letter_port or free_port()
    settings = settings.model_copy(update={"whoop_redirect_uri": f"http://localhost:{port}/callback"})
    app = create_app(settings, port=port, webhook_port=letter_port, token=TOKEN, **more)
    running = server(app)
    with listen(port) as house, listen(letter_port) as letter_box:
        thread = threading.Thread(target=running.run, kwargs={"sockets": house + letter_box}, daemon=True)
        thread.start()
        try:
            yield Served(app, port, letter_port)
        finally:
            running.should_exit = True
            thread.join(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status_of(answer: bytes) -> int:
    """0: the service closed without a word."""
    head = answer.split(b"\r\n", 1)[0].split(b" ")
    return int(head[1]) if len(head) > 1 else 0
