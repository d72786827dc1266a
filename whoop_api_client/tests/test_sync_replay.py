"""The same sync a hundred times, pages shuffled, doubled, missing: the record's state is the same every time."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from hrv_shared.store import Store
from simulator_login import settings_for
from whoop_api_client.client import WhoopClient
from whoop_api_client.connecting import connect
from whoop_api_client.connection import Connection, open_connection
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.simulator import RunningSimulator, SimulatorConfig, make_member, running
from whoop_api_client.sync import PullResult, synchronise

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
REPLAYS = 100
FIRST_PULLS = 6


class Disordered(httpx.BaseTransport):
    """The real simulator's collections, dealt out anew: shuffled over all pages, some pages twice, some never."""

    def __init__(self, seed: int, *, missing: float = 0.0):
        self.dropped = 0
        self._rng = random.Random(seed)
        self._missing = missing
        self._behind = httpx.HTTPTransport()
        self._dealt: dict[str, list[list[dict]]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        paths = {c.path for c in COLLECTIONS.values()}
        path = request.url.path.removeprefix("/developer")
        if path not in paths or request.url.params.get("limit") == "1":
            return self._behind.handle_request(request)
        whose, _, place = request.url.params.get("nextToken", "").partition("/")
        if not whose:
            whose, place = f"{len(self._dealt)}-{path.strip('/').replace('/', '-')}", "0"
            self._dealt[whose] = self._deal(self._all(request))
        pages = self._dealt[whose]
        after = int(place) + 1
        mark = f"{whose}/{after}" if after < len(pages) else None
        return httpx.Response(200, json={"records": pages[int(place)], "next_token": mark})

    def close(self) -> None:
        self._behind.close()

    def _all(self, request: httpx.Request) -> list[dict]:
        records, mark = [], None
        while True:
            url = request.url.copy_set_param("nextToken", mark) if mark else request.url
            answer = self._behind.handle_request(httpx.Request("GET", url, headers=request.headers))
            body = json.loads(answer.read())
            records += body["records"]
            mark = body["next_token"]
            if not mark:
                return records

    def _deal(self, records: list[dict]) -> list[list[dict]]:
        self._rng.shuffle(records)
        pages = [records[i : i + 25] for i in range(0, len(records), 25)]
        dealt = []
        for page in pages:
            if self._rng.random() < self._missing:
                self.dropped += len(page)
                continue
            dealt += [page] * self._rng.choice([1, 1, 2, 3])
        self._rng.shuffle(dealt)
        return dealt or [[]]


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    member = make_member(5, now=NOW, n_nights=55, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False)) as place:
        yield place


@pytest.fixture(scope="module")
def tokens(simulator, tmp_path_factory) -> Connection:
    folder = tmp_path_factory.mktemp("replay")
    settings = settings_for(simulator, folder)
    connect(settings, "follow")
    return open_connection(settings)


class Replayed:
    """A store, and pulls into it through a transport."""

    def __init__(self, home: Path, simulator: RunningSimulator, tokens: Connection):
        self.store = Store(home, clock=lambda: NOW)
        self._simulator, self._tokens = simulator, tokens

    def pull(self, transport: httpx.BaseTransport | None = None, **more) -> PullResult:
        client = WhoopClient(
            self._tokens, self._simulator.api_base, transport=transport, sleep=lambda s: None
        )
        with client:
            return synchronise(self.store, client, member_id="me", connection="sim", **more)

    def state_hash(self, *, whole: bool = False) -> str:
        """Over what is in force of every key; `whole`: over every revision, with when and how it became known."""
        kinds = (*COLLECTIONS, "gone", "profile", "body")
        if whole:
            facts = list(self.store.record.facts(kinds, "me"))
        else:
            facts = [f for kind in kinds for f in self.store.record.latest(kind, "me").values()]
        rows = sorted((f.kind, f.key, f.revision, f.known_at.isoformat(), f.basis, f.sha256) for f in facts)
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def test_a_hundred_pulls_over_the_same_store(simulator, tokens, tmp_path):
    held = Replayed(tmp_path / "home", simulator, tokens)
    held.pull()
    state, everything = held.state_hash(), held.state_hash(whole=True)
    dropped = 0
    for seed in range(REPLAYS):
        if seed % 2:  # the thirty days' look back each second time
            held.store.record.set_cursor("whoop:sim:last_long_at", "")
        transport = Disordered(seed, missing=0.3)
        result = held.pull(transport, full=seed % 10 == 0)
        dropped += transport.dropped
        assert result.quarantined == []
        assert held.state_hash() == state, seed
    assert held.state_hash(whole=True) == everything
    assert dropped > 500
    held.store.record.close()


def test_first_pulls_into_new_stores(simulator, tokens, tmp_path):
    """Shuffled and doubled pages make the same record, to the last revision; so do missing ones, after `--full`."""
    plain = Replayed(tmp_path / "plain", simulator, tokens)
    plain.pull()
    state = plain.state_hash(whole=True)
    plain.store.record.close()
    for seed in range(FIRST_PULLS):
        held = Replayed(tmp_path / f"home{seed}", simulator, tokens)
        lossy = seed % 3 == 2
        held.pull(Disordered(seed, missing=0.3 if lossy else 0.0))
        if (
            lossy
        ):  # cycles, nights and recoveries hang together, so their holes were seen; workouts hang on nothing
            held.pull(full=True)
        assert held.state_hash(whole=True) == state, seed
        held.store.record.close()


@pytest.mark.parametrize("kind", ["cycle", "sleep", "recovery"])
def test_a_page_that_the_first_pull_was_not_given_is_asked_for(simulator, tokens, tmp_path, kind):
    plain = Replayed(tmp_path / "plain", simulator, tokens)
    plain.pull()
    held = Replayed(tmp_path / "home", simulator, tokens)
    lossy = LeavesOut(COLLECTIONS[kind].path)
    held.pull(lossy)
    assert lossy.left_out == 25
    assert held.state_hash() == plain.state_hash()
    for replayed in (plain, held):
        replayed.store.record.close()


class LeavesOut(httpx.BaseTransport):
    """The real simulator, but the second page of one collection comes empty, once."""

    def __init__(self, path: str):
        self.left_out = 0
        self._path = path
        self._pages = 0
        self._behind = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._behind.handle_request(request)
        if not request.url.path.endswith(self._path) or request.url.params.get("limit") == "1":
            return answer
        body = json.loads(answer.read())
        self._pages += 1
        if self._pages == 2:
            self.left_out, body["records"] = len(body["records"]), []
        return httpx.Response(200, json=body)

    def close(self) -> None:
        self._behind.close()
