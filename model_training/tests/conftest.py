"""Synthetic wearers for this room's tests: ``days`` with vintages and ``journal_facts``, effects planted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.history import History, make_history
from hrv_shared.store import Store

LAST_DAY = date(2026, 11, 22)
NIGHT = dict(member_id="me", basis="seen", source="whoop-api", utc_offset_min=0)


@dataclass(frozen=True)
class Wearer:
    """Tables of one wearer, and what was planted."""

    days: pl.DataFrame
    journal: pl.DataFrame
    drinks: dict[date, int]

    def history(self, day: date = LAST_DAY, slot: str = "evening", as_of: datetime | None = None) -> History:
        """As of the evening (23:30 UTC, the day closed) or the morning (08:30) of a day."""
        hour = 23 if slot == "evening" else 8
        as_of = as_of or datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)
        return make_history(self.days, self.journal, "me", as_of, day, slot)


def make_wearer(
    nights: int, *, seed: int = 0, missing: float = 0.03, alcohol_effect: float = -0.1, noise: float = 0.15
) -> Wearer:
    """Nights around a drifting level; drinks of the evening before move ln RMSSD by ``alcohol_effect`` each."""
    rng = np.random.default_rng(seed)
    level, ar, drinks_before, strain = 4.1, 0.0, 0, 10.0
    days, facts, drinks = [], [], {}
    calendar = [LAST_DAY - timedelta(days=nights - 1 - k) for k in range(nights + 1)]
    wakes = [
        datetime(day.year, day.month, day.day, 6, 30, tzinfo=UTC)
        + timedelta(minutes=int(rng.integers(-30, 30)))
        for day in calendar
    ]
    for k, (day, wake) in enumerate(zip(calendar[:-1], wakes[:-1], strict=True)):
        closed = wakes[k + 1] - timedelta(hours=8)  # the day ends when the next sleep begins
        level, ar = level + rng.normal(0, 0.01), 0.25 * ar + rng.normal(0, noise)
        log_hrv = level + ar + alcohol_effect * drinks_before - 0.02 * (strain - 10)
        strain = float(np.clip(rng.normal(10, 3), 1, 20))
        drinks_before = int(rng.integers(1, 5)) if rng.random() < 0.3 else 0
        drinks[day] = drinks_before
        night = NIGHT | dict(
            day=day, state="scored", hrv_rmssd_ms=float(np.exp(log_hrv)), resting_hr_bpm=55 + rng.normal() - 8 * ar,
            resp_rate_rpm=15 + 0.3 * rng.normal(), skin_temp_c=33 + 0.3 * rng.normal(), recovery_pct=50.0,
            asleep_min=430 + 40 * rng.normal(), sleep_onset_at=wake - timedelta(hours=8), wake_at=wake, flags=[],
        )  # fmt: skip
        if k and rng.random() < missing:
            night |= dict(
                state="no_sleep", hrv_rmssd_ms=None, resting_hr_bpm=None, sleep_onset_at=None, wake_at=None
            )
        day_values = dict(
            strain_0_21=strain, strain_is_final=True, workout_count=1, workout_min=40.0, nap_min=0.0,
            day_closed_at=closed, last_workout_end_at=closed - timedelta(hours=int(rng.integers(2, 8))),
        )  # fmt: skip
        days += [
            night | dict(known_at=wake + timedelta(minutes=30)),
            night | day_values | dict(known_at=closed),
        ]
        facts.append(
            fact(f"drinks-{k}", day, known_at=closed - timedelta(hours=1), kind="amount" if drinks_before else "no",
                 amount=float(drinks_before) if drinks_before else None)
        )  # fmt: skip
    return Wearer(table("days", days), table("journal_facts", facts), drinks)


def fact(key: str, day: date, *, known_at: datetime, behaviour: str = "alcohol", **values: object) -> dict:
    """One journal fact about a day and the night after it."""
    return dict(
        member_id="me", fact_key=key, revision=1, known_at=known_at, basis="seen", source="voice", entry_key=key,
        day=day, night=day + timedelta(days=1), behaviour=behaviour, is_plan=False, quote="", confidence=0.9,
        status="accepted", kind="yes",
    ) | values  # fmt: skip


def table(name: str, rows: list[dict]) -> pl.DataFrame:
    """Rows with some columns -> a table with all of them."""
    columns = schemas.TABLES[name].columns
    return pl.DataFrame([{column: row.get(column) for column in columns} for row in rows], schema=columns)


@pytest.fixture(scope="session")
def wearer_of() -> Callable[..., Wearer]:
    """``make_wearer``, for tests that want their own."""
    return make_wearer


@pytest.fixture(scope="session")
def fact_of() -> Callable[..., dict]:
    """``fact``."""
    return fact


@pytest.fixture(scope="session")
def table_of() -> Callable[..., pl.DataFrame]:
    """``table``."""
    return table


@pytest.fixture(scope="session")
def wearer() -> Wearer:
    """140 nights."""
    return make_wearer(140)


@pytest.fixture
def clock() -> list[datetime]:
    """The time now, in a list so that a test can move it."""
    return [datetime(2026, 11, 22, 22, 45, tzinfo=UTC)]


@pytest.fixture
def store(tmp_path: Path, wearer: Wearer, clock: list[datetime]) -> Iterator[Store]:
    """A store with the wearer's tables."""
    store = Store(tmp_path / "home", clock=lambda: clock[0])
    store.write_table("days", wearer.days)
    store.write_table("journal_facts", wearer.journal)
    yield store
    store.ledger.close()
    store.record.close()


@pytest.fixture(scope="session")
def migrated_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database with all its tables; to be copied, because making one takes seconds."""
    from hrv_shared.mlflow_store import open_mlflow

    store = Store(tmp_path_factory.mktemp("mlflow-template"))
    open_mlflow(store).MlflowClient().search_experiments()
    path = store.home / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path
