"""`hrv serve` as a process: it says where it is, keeps others out, stops cleanly, and tells what a kill cut short."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from service_running import free_port, settings_in
from whoop_api_client.gate import TOKEN_HEADER
from whoop_api_client.tokens import TokenPair, open_token_store

COMMAND = [sys.executable, "-m", "whoop_api_client", "serve"]


@dataclass
class Process:
    """A running `hrv serve`, and what it said when it listened."""

    process: subprocess.Popen
    ready: dict

    @property
    def token(self) -> dict[str, str]:
        return {TOKEN_HEADER: Path(self.ready["token_file"]).read_text()}

    def end(self, how: int) -> tuple[int, str]:
        """Its exit code and all that it said on stderr."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HRV_")}
    store = {
        "HRV_HOME": str(folder / "home"),
        "HRV_CONFIG_DIR": str(folder / "config"),
        "HRV_TOKEN_STORE": "file",
    }
    app = {"HRV_WHOOP_CLIENT_ID": "id", "HRV_WHOOP_CLIENT_SECRET": "s3cret"}
    return kept | store | app | more


@contextmanager
def serving(folder: Path, port: int, *options: str, **more: str) -> Iterator[Process]:
    command = [*COMMAND, "--port", str(port), "--json", *options]
    with subprocess.Popen(
        command, env=environment(folder, **more), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield Process(process, json.loads(process.stdout.readline() or "{}"))
        finally:
            process.kill()


@contextmanager
def silent_whoop() -> Iterator[tuple[str, threading.Event]]:
    """A server that takes a request and never answers; tells when one came."""
    came, opened = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            opened.append(line)
            line.recv(1)
            came.set()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/developer", came
    for line in opened:
        line.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly(tmp_path, how):
    port = free_port()
    with serving(tmp_path, port, HRV_WHOOP_REDIRECT_URI=f"http://localhost:{port}/callback") as service:
        assert service.ready["address"] == f"http://127.0.0.1:{port}"
        assert service.ready["webhook_address"] is None
        assert httpx.get(service.ready["address"] + "/status", headers=service.token).status_code == 200
        secret = {"code": "a-code-not-to-be-logged", "state": "a-state-not-to-be-logged"}
        assert httpx.get(service.ready["address"] + "/callback", params=secret).status_code == 403
        code, said = service.end(how)
    assert code == 0
    assert said == "Stopped.\n"


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens in this way")
def test_only_loopback_listens(tmp_path):
    """Both addresses that `localhost` may mean, and none of this machine's others."""
    port = free_port()
    with serving(
        tmp_path, port, "--webhook-port", str(port), HRV_WHOOP_WEBHOOK_HOST="hooks.example.org"
    ) as service:
        assert "--webhook-port" in service.ready["error"]["message"], "one port can't be both doors"
    letter_port = free_port()
    options = ("--webhook-port", str(letter_port))
    with serving(tmp_path, port, *options, HRV_WHOOP_WEBHOOK_HOST="hooks.example.org") as service:
        assert service.ready["webhook_address"] == f"http://127.0.0.1:{letter_port}/webhooks/whoop"
        assert listening_on({port, letter_port}) <= {"127.0.0.1", "::1"}
        assert httpx.get(service.ready["address"] + "/").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{letter_port}/").status_code == 404


def listening_on(ports: set[int]) -> set[str]:
    """Addresses on which something listens at these ports, as the kernel says."""
    found = set()
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, port = address.split(":")
            if state == "0A" and int(port, 16) in ports:
                words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8)]
                found.add(socket.inet_ntop(family, b"".join(words)))
    assert found
    return found


def test_a_taken_port_and_a_taken_store_are_told(tmp_path):
    port = free_port()
    with serving(tmp_path, port) as first:
        token = first.token
        for at, word in ((port, f"Port {port}"), (free_port(), "Another service")):
            command = [*COMMAND, "--port", str(at), "--json"]
            second = subprocess.run(
                command, env=environment(tmp_path), capture_output=True, text=True, check=False
            )
            assert second.returncode == 2
            error = json.loads(second.stdout)["error"]
            assert error["code"] == "ServiceRunning"
            assert word in error["message"]
            assert first.token == token, "its token stands"


def test_a_pull_that_hangs_does_not_hold_the_stop_and_a_kill_is_told(tmp_path):
    with silent_whoop() as (address, came):
        settings = settings_in(tmp_path, whoop_api_base=address)
        open_token_store(settings).save(
            TokenPair("a", "r", datetime.now(UTC) + timedelta(hours=1), "offline")
        )
        port = free_port()
        with serving(tmp_path, port, HRV_WHOOP_API_BASE=address) as service:
            job = httpx.post(service.ready["address"] + "/pull", headers=service.token).json()
            assert came.wait(20)
            assert service.end(signal.SIGKILL)[0] == -signal.SIGKILL
        with serving(tmp_path, port, HRV_WHOOP_API_BASE=address) as service:
            told = httpx.get(service.ready["address"] + f"/jobs/{job['id']}", headers=service.token).json()
            assert (told["state"], told["error"]["code"]) == ("interrupted", "Interrupted")
            again = httpx.post(service.ready["address"] + "/pull", headers=service.token).json()
            assert again["id"] == job["id"] + 1
            code, said = service.end(signal.SIGTERM)
        assert (code, said) == (0, "Stopped.\n")


def test_help_says_what_matters():
    told = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    for word in (
        "--port",
        "--webhook-port",
        "--json",
        "X-HRV-Token",
        "HRV_WHOOP_WEBHOOK_HOST",
        "/openapi.json",
    ):
        assert word in told
