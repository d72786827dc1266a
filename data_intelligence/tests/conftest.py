"""A synthetic member: nights with planted effects, a journal, and a ledger with replayed and live forecasts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store

NORMAL = np.array(
    [-2.326, -1.96, -1.645, -1.2816, -1.0364, -0.8416, -0.6745, -0.5244, -0.3853, -0.2533, -0.1257, 0.0]
)
Z = np.concatenate([NORMAL, -NORMAL[-2::-1]])
assert len(Z) == len(QUANTILE_LEVELS)

MEMBER = "me"
LAST_DAY = date(2026, 6, 30)


def at(day: date, hour: float) -> datetime:
    """``day`` at ``hour`` UTC (hours may pass midnight)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)


@dataclass
class World:
    """Frames of one member; ``write`` puts them into a store whose clock stands at ``now``."""

    days: pl.DataFrame
    journal: pl.DataFrame
    last_day: date = LAST_DAY
    rows: list[ForecastRow] = field(default_factory=list)

    def write(self, home: Path, now: datetime) -> Store:
        store = Store(home, clock=lambda: now)
        store.write_table("days", self.days)
        store.write_table("journal_facts", self.journal)
        return store

    def issue(self, slot: str = "evening") -> Issue:
        as_of = at(self.last_day, 21.5 if slot == "evening" else 8.0)
        return Issue(MEMBER, "replay", slot, as_of, self.last_day, 0, "Replayed for a test.")


def day_row(day: date, **values) -> dict:
    """One vintage of a day; what is not given is null."""
    row = dict.fromkeys(schemas.TABLES["days"].columns)
    row |= {
        "member_id": MEMBER, "day": day, "known_at": at(day, 7.5), "basis": "seen", "source": "whoop-api",
        "state": "scored", "utc_offset_min": 0, "sleep_onset_at": at(day, -1.0), "wake_at": at(day, 7.0),
        "asleep_min": 440.0, "sleep_efficiency_pct": 91.0, "sleep_performance_pct": 88.0, "sleep_debt_min": 20.0,
        "resting_hr_bpm": 52.0, "resp_rate_rpm": 14.5, "flags": [],
    }  # fmt: skip
    return row | values


def fact_row(night: date, behaviour: str, kind: str = "yes", **values) -> dict:
    """One accepted journal fact, spoken at nine in the evening before ``night``."""
    spoken = night - timedelta(days=1)
    return {
        "member_id": MEMBER, "fact_key": f"{night}:{behaviour}", "revision": 1, "known_at": at(spoken, 21.0),
        "basis": "seen", "source": "voice", "entry_key": f"entry:{night}", "day": spoken, "night": night,
        "behaviour": behaviour, "kind": kind, "amount": None, "unit": None, "clock_time": None, "is_plan": False,
        "quote": behaviour, "confidence": 1.0, "status": "accepted",
    } | values  # fmt: skip


def days_frame(rows: list[dict]) -> pl.DataFrame:
    return schemas.validate("days", pl.DataFrame(rows, schema=schemas.TABLES["days"].columns, orient="row"))


def journal_frame(rows: list[dict]) -> pl.DataFrame:
    columns = schemas.TABLES["journal_facts"].columns
    return schemas.validate("journal_facts", pl.DataFrame(rows, schema=columns, orient="row"))


def make_world(
    nights: int = 220,
    *,
    seed: int = 1,
    effects: dict[str, float] | None = None,
    nulls: int = 3,
    every_night_logged: bool = True,
    strain_effect: float = -0.06,
) -> World:
    """Nights with Student-t noise, AR(1), a drifting level and effects planted on ln RMSSD.

    Parameters
    ----------
    effects : dict behaviour -> effect
        On ln RMSSD for the night that follows; each is done on a fifth of the evenings, more often at weekends.
    nulls : int
        Behaviours that do nothing.
    """
    rng = np.random.default_rng(seed)
    effects = {"alcohol": -0.25, "sauna": 0.12} if effects is None else effects
    names = [*effects, *(f"null_{i}" for i in range(nulls))]
    level, carried = np.log(60.0), 0.0
    day_rows, fact_rows = [], []
    first = LAST_DAY - timedelta(days=nights - 1)
    strain = 11.0
    for i in range(nights):
        day = first + timedelta(days=i)
        level += rng.normal(0, 0.008)
        carried = 0.25 * carried + 0.13 * rng.standard_t(4)
        shift = 0.0
        weekend = day.weekday() in (5, 6)
        for name in names:
            if rng.random() < (0.32 if weekend else 0.16):
                shift += effects.get(name, 0.0)
                fact_rows.append(fact_row(day, name))
        if every_night_logged:
            fact_rows.append(fact_row(day, "free_note", "text"))
        value = float(np.exp(level + carried + shift + strain_effect * (strain - 11.0) / 5.0))
        strain = float(np.clip(rng.normal(11, 3), 2, 20))
        night = {"hrv_rmssd_ms": value, "resting_hr_bpm": 52 + float(rng.normal(0, 1.5)),
                 "resp_rate_rpm": 14.5 + float(rng.normal(0, 0.25))}  # fmt: skip
        day_rows.append(day_row(day, **night))
        closed = {"strain_0_21": strain, "strain_is_final": True, "day_closed_at": at(day, 23.0)}
        day_rows.append(day_row(day, known_at=at(day, 23.0), **night, **closed))
    return World(days_frame(day_rows), journal_frame(fact_rows))


def quantiles(median_ms: float, sd_ms: float) -> tuple[float, ...]:
    return tuple(float(q) for q in np.maximum(median_ms + sd_ms * Z, 1.0) + np.arange(len(Z)) * 1e-9)


def forecast_rows(
    world: World, origin: date, slot: str, forecaster: str, *, bias_ms: float = 0.0, sd_ms: float = 9.0, reasons=None,
    as_of: datetime | None = None,
) -> list[ForecastRow]:  # fmt: skip
    """A forecaster that says the mean of the last 28 nights plus ``bias_ms``."""
    seen = world.days.filter(pl.col("day") <= origin, pl.col("state") == "scored").unique("day").sort("day")
    median = float(seen["hrv_rmssd_ms"].tail(28).mean()) + bias_ms
    moment = as_of or at(origin, 21.5 if slot == "evening" else 8.0)
    return [
        ForecastRow(
            MEMBER, slot, moment, origin, origin + timedelta(days=h), h, forecaster, "test-1",
            quantiles(median, sd_ms * (1 + 0.03 * h)), "digest", reasons,
        )
        for h in HORIZONS
    ]  # fmt: skip


def fill_ledger(world: World, store: Store, *, nights: int = 45, issue: Issue | None = None) -> None:
    """Replayed forecasts of ``nights`` origins, outcomes, and the rows of ``issue`` itself."""
    sayings = {"last_night": (14.0, 12.0), "last_28": (6.0, 10.0), "ewma_8": (5.0, 10.0), "mix": (0.0, 9.0),
               "final": (0.5, 9.0)}  # fmt: skip
    rows = []
    for back in range(nights, 0, -1):
        origin = world.last_day - timedelta(days=back)
        for name, (bias, sd) in sayings.items():
            rows += forecast_rows(world, origin, "evening", name, bias_ms=bias, sd_ms=sd)
    for name, (bias, sd) in sayings.items() if issue is not None else ():
        rows += forecast_rows(
            world, issue.origin_day, issue.slot, name, bias_ms=bias, sd_ms=sd, as_of=issue.as_of
        )
    store.ledger.issue("replay", rows)
    store.ledger.record_outcomes(world.days)


@dataclass
class Factory:
    """What the tests build worlds with."""

    make_world: Callable = make_world
    fill_ledger: Callable = fill_ledger
    forecast_rows: Callable = forecast_rows
    quantiles: Callable = quantiles
    days_frame: Callable = days_frame
    journal_frame: Callable = journal_frame
    day_row: Callable = day_row
    fact_row: Callable = fact_row
    at: Callable = at
    member: str = MEMBER
    last_day: date = LAST_DAY


@pytest.fixture(scope="session")
def synth() -> Factory:
    return Factory()


@pytest.fixture(scope="session")
def world(synth) -> World:
    """220 nights with alcohol -25 % and sauna +12 % on ln RMSSD and three behaviours that do nothing."""
    return synth.make_world()


@pytest.fixture
def now(synth) -> datetime:
    """Two weeks after the last night: the data are stale, the issue is a replay."""
    return synth.at(LAST_DAY, 24.0 * 14)


@pytest.fixture
def issue(world) -> Issue:
    return world.issue()


@pytest.fixture(scope="session")
def filled_home(world, synth, tmp_path_factory) -> Path:
    """The world in a store with a filled ledger and a daily summary; made once, copied by each test."""
    from data_intelligence import write_daily

    issue = world.issue()
    made = world.write(tmp_path_factory.mktemp("filled") / "home", synth.at(LAST_DAY, 24.0 * 14))
    synth.fill_ledger(world, made, issue=issue)
    write_daily(made, issue)
    made.ledger.close()
    return made.home


@pytest.fixture
def told(filled_home, now, tmp_path) -> Store:
    """A store of its own with ledger and summary."""
    shutil.copytree(filled_home, tmp_path / "home")
    return Store(tmp_path / "home", clock=lambda: now)


@pytest.fixture
def store(told) -> Store:
    """The same before any summary was written."""
    shutil.rmtree(told.home / "reports")
    return told
