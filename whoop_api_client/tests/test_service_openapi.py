"""A stranger reads the service's OpenAPI document and tries everything: no 5xx, no answer that is not declared."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from service_running import PUBLIC_NAME, TOKEN, Served, served, settings_at
from whoop_api_client.connecting import connect
from whoop_api_client.gate import TOKEN_HEADER, WEBHOOK_PATH
from whoop_api_client.pulling import pull
from whoop_api_client.simulator import SimulatorConfig, make_member, running

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
SCHEMATHESIS = "from schemathesis.cli import schemathesis; schemathesis()"
OPEN = {("get", "/"), ("get", "/callback"), ("get", "/connect/{ticket}"), ("post", WEBHOOK_PATH)}


@pytest.fixture
def service(tmp_path) -> Iterator[Served]:
    """Connected to a simulator, with nights in the store."""
    member = make_member(8, now=NOW, n_nights=20, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        settings = settings_at(place, tmp_path, whoop_webhook_host=PUBLIC_NAME)
        connect(settings, "follow", clock=place.clock.now)
        pull(settings, clock=place.clock.now)
        with served(settings, clock=place.clock.now) as running_service:
            yield running_service


def test_schemathesis_finds_nothing(service, tmp_path):
    house = ["--exclude-path", WEBHOOK_PATH]
    assert try_out(service, tmp_path, 10, "coverage,fuzzing", *house) >= 300
    assert try_out(service, tmp_path, 10, "coverage,fuzzing", *at_letter_box(service)) >= 50


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_schemathesis_finds_nothing_in_a_long_search(service, tmp_path):
    house = ["--exclude-path", WEBHOOK_PATH]
    assert try_out(service, tmp_path, 500, "examples,coverage,fuzzing,stateful", *house) >= 3_000
    assert try_out(service, tmp_path, 2_000, "coverage,fuzzing", *at_letter_box(service)) >= 1_000


def at_letter_box(service: Served) -> list[str]:
    return ["--include-path", WEBHOOK_PATH, "--url", f"http://127.0.0.1:{service.letter_port}"]


def try_out(service: Served, folder: Path, examples: int, phases: str, *more: str) -> int:
    """Run schemathesis with all its checks; how many requests it made."""
    command = [
        sys.executable, "-c", SCHEMATHESIS, "run", service.address + "/openapi.json", "--checks", "all", "--seed", "1",
        "-H", f"{TOKEN_HEADER}:{TOKEN}", "--max-examples", str(examples), "--phases", phases, *more,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return int(re.search(r"([\d,]+) generated", done.stdout)[1].replace(",", ""))


def test_every_route_declares_its_refusals_and_its_token(service):
    document = httpx.get(service.address + "/openapi.json").json()
    for path, verbs in document["paths"].items():
        for method, verb in verbs.items():
            assert verb["description"], (method, path)
            secured = [{"session token": []}] if (method, path) not in OPEN else None
            assert verb.get("security") == secured, (method, path)
            refusals = {"403", "421"} | ({"401"} if secured else set())
            refusals |= {"409", "413", "415"} if method == "post" else set()
            assert verb["responses"].keys() >= refusals, (method, path)
            for status, answer in verb["responses"].items():
                if status >= "400" and status != "403":
                    form = answer["content"]["application/json"]["schema"]["$ref"]
                    assert form.endswith("/ErrorAnswer"), (method, path, status)
