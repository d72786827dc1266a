"""A store with a synthetic member, forecasts and a daily summary, written by the rooms' real code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from hrv_shared.settings import Settings
from hrv_shared.store import Store

LAST_DAY = date(2026, 6, 30)
PORT = 8720
TOKEN = "a-token-that-the-tests-know"


def at(day: date, hour: float) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path / "home",
        config_dir=tmp_path / "config",
        cache_dir=tmp_path / "cache",
        token_store="file",
    )


@pytest.fixture
def store(settings) -> Store:
    """Sixty nights and a replayed forecast at their end; no summary yet."""
    rng = np.random.default_rng(5)
    rows = []
    for back in range(59, -1, -1):
        day = LAST_DAY - timedelta(days=back)
        row = dict.fromkeys(schemas.TABLES["days"].columns)
        row |= {
            "member_id": "me", "day": day, "known_at": at(day, 7.5), "basis": "seen", "source": "whoop-api",
            "state": "scored", "utc_offset_min": 0, "sleep_onset_at": at(day, -1.0), "wake_at": at(day, 7.0),
            "hrv_rmssd_ms": float(rng.normal(60, 8)), "resting_hr_bpm": 52.0, "asleep_min": 430.0, "flags": [],
        }  # fmt: skip
        rows.append(row)
    made = Store(settings.home)
    made.write_table("days", pl.DataFrame(rows, schema=schemas.TABLES["days"].columns, orient="row"))
    quantiles = tuple(float(60 + 9 * z) for z in np.linspace(-2.2, 2.2, len(QUANTILE_LEVELS)))
    target = [LAST_DAY + timedelta(days=h) for h in HORIZONS]
    made.ledger.issue(
        "replay",
        [
            ForecastRow(
                "me", "morning", at(LAST_DAY, 7.5), LAST_DAY, target[h - 1], h, name, "test-1", quantiles, "d"
            )
            for name in ("mix", "final")
            for h in HORIZONS
        ],
    )
    return made


@pytest.fixture
def reported(store) -> Store:
    """The same with its daily summary, written by data_intelligence."""
    rooms = pytest.importorskip("data_intelligence", reason="the card is made by the room data_intelligence")
    rooms.write_daily(store, rooms.chosen_issue(store, "me"))
    return store


@pytest.fixture
def app(settings):
    """The page behind its gate, with a token that the tests know."""
    from dashboard import create_app

    return create_app(settings, port=PORT, token=TOKEN, warm=False)


@pytest.fixture
def visit(app) -> Iterator:
    """A browser's stand-in that has come in by the printed address: ``visit(path, method=…, headers=…, json=…)``."""
    from fastapi.testclient import TestClient

    with TestClient(app, base_url=f"http://localhost:{PORT}") as client:
        client.cookies.set(f"hrv_{PORT}", TOKEN)

        def visit(path="/", method="GET", **more):
            changes = (
                {}
                if method == "GET"
                else {"origin": f"http://localhost:{PORT}", "sec-fetch-site": "same-origin"}
            )
            if method != "GET" and "files" not in more:
                more.setdefault("json", {})
            headers = changes | (more.pop("headers", None) or {})
            return client.request(method, path, headers=headers, **more)

        yield visit
