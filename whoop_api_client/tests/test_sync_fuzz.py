"""A thousand damaged answers (``PAYLOADS=100000 HRV_SLOW=1`` for more): no crash, no hang, no bad row."""

from __future__ import annotations

import math
import os
import random
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hrv_shared.record import canonical_json
from hrv_shared.store import Store
from payload_mutations import mutated
from whoop_api_client.client import WhoopClient
from whoop_api_client.day import summary
from whoop_api_client.errors import WhoopError
from whoop_api_client.exchange import RetryPolicy
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.notebook import Notebook
from whoop_api_client.received import Quarantined, examine
from whoop_api_client.simulator import World, make_member
from whoop_api_client.tables.rebuild import derive

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
PAYLOADS = 1000
BY_HAND = int(os.environ.get("PAYLOADS", "20000"))
PER_STORE = 100
LONGEST_S = 5.0


@pytest.fixture(scope="module")
def world() -> World:
    return make_member(5, now=NOW, n_nights=60, utc_offset_min=0).world


class _Tokens:
    def access_token(self) -> str:
        return "token"

    def renewed(self, rejected: str) -> str:
        return "token"


def feed(world: World, folder: Path, count: int, seed: int) -> Counter[str]:
    """Damaged pages through client, border, record and tables; returns what became of them."""
    ends: Counter[str] = Counter()
    pages = {kind: world.records(kind, NOW) for kind in COLLECTIONS}
    for first in range(0, count, PER_STORE):
        store = Store(folder / str(first), clock=lambda: NOW)
        book = Notebook(store, "me", "sim")
        for number in range(first, min(first + PER_STORE, count)):
            rng = random.Random(f"{seed}/{number}")
            kind = rng.choice(list(COLLECTIONS))
            start = rng.randrange(len(pages[kind]))
            records = pages[kind][start : start + rng.choice((1, 2, 3))]
            data = mutated({"records": records, "next_token": None}, rng)
            began = time.monotonic()
            try:
                ends[take(book, kind, data)] += 1
            except Exception as error:
                raise AssertionError(f"payload {seed}/{number} of {kind}: {data[:2000]!r}") from error
            assert time.monotonic() - began < LONGEST_S, f"payload {seed}/{number}"
        check_record(store)
        check_tables(store)
        store.record.close()
    return ends


def take(book: Notebook, kind: str, data: bytes) -> str:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=data))
    policy = RetryPolicy(attempts=1)
    with WhoopClient(
        _Tokens(), "https://w.example", transport=transport, policy=policy, sleep=lambda s: None
    ) as client:
        try:
            page = next(client.pages(kind))
        except WhoopError as error:
            assert len(str(error)) < 1000
            return "refused"
        before = len(book.held(kind))
        summary(date(2026, 5, 20), {k: page.records if k == kind else [] for k in COLLECTIONS}, {}, NOW)
        book.write_page(kind, page.records)
        return "written" if len(book.held(kind)) > before else "known or quarantined"


def check_record(store: Store) -> None:
    """What is in the record could be written again, and would be accepted again."""
    for fact in store.record.facts(tuple(COLLECTIONS)):
        canonical_json(fact.payload).encode()
        assert not isinstance(examine(fact.kind, fact.payload, NOW), Quarantined), fact
        assert fact.known_at <= NOW + timedelta(minutes=10)
        assert "\x00" not in fact.key and len(fact.key) <= 64


def check_tables(store: Store) -> None:
    """No row that a body, a clock or a calendar could not have made."""
    facts = list(store.record.facts())
    frames = derive(facts)
    for name, frame in frames.items():
        for row in frame.iter_rows(named=True):
            check_row(name, row)
    # what was kept is also shown: nothing is lost between record and tables
    for kind, name in (
        ("cycle", "cycles"),
        ("sleep", "sleeps"),
        ("recovery", "recoveries"),
        ("workout", "workouts"),
    ):
        assert frames[name].height == len({fact.key for fact in facts if fact.kind == kind})


_RANGES = {
    "hrv_rmssd_ms": (0, 1000), "resting_hr_bpm": (0, 400), "recovery_pct": (0, 200), "strain_0_21": (0, 30),
    "spo2_pct": (0, 200), "skin_temp_c": (-50, 100), "resp_rate_rpm": (0, 200), "asleep_min": (0, 7 * 1440),
    "in_bed_min": (0, 7 * 1440), "utc_offset_min": (-720, 840),
}  # fmt: skip


def check_row(table: str, row: dict[str, Any]) -> None:
    for column, value in row.items():
        if isinstance(value, float):
            assert math.isfinite(value), (table, column)
        if isinstance(value, datetime):
            assert 2010 <= value.year <= 2026, (table, column, value)
        if value is not None and column in _RANGES:
            low, high = _RANGES[column]
            assert low <= value <= high, (table, column, value)
    if table == "days" and row["state"] == "scored":
        assert row["hrv_rmssd_ms"] > 0
    if table in ("sleeps", "workouts"):
        assert row["start_at"] <= row["end_at"]


def test_a_thousand_damaged_payloads(world, tmp_path):
    ends = feed(world, tmp_path, PAYLOADS, seed=20261128)
    # the damage is neither so heavy nor so light that one way is never taken
    assert min(ends["refused"], ends["written"], ends["known or quarantined"]) > PAYLOADS / 20, ends


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_many_damaged_payloads(world, tmp_path):
    ends = feed(world, tmp_path, BY_HAND, seed=1)
    print(dict(ends))
    assert sum(ends.values()) == BY_HAND
