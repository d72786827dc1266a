"""`hrv bench schedule`: years of sleep, clock jumps, daylight saving, kills and double ticks.

They go through the real `due`, the real `current_issue` and the real ledger; the work itself takes microseconds.

The figures are judged by `oracle`, which knows none of our code.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hrv_shared import schemas
from hrv_shared.constants import AGENT, HORIZONS, MODEL_COMBINATION, PRODUCT
from hrv_shared.errors import HrvError
from hrv_shared.issue import Issue, current_issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator.bench.oracle import Arrival, Attempt, Verdict, judge
from orchestrator.bench.world import Life, Machine, make_life, make_machine
from orchestrator.due import Due, StoreView, due
from orchestrator.store_view import view_of

__all__ = ["Simulation", "bench_schedule"]

FIRST = date(2023, 1, 1)
STEPS = (MODEL_COMBINATION, AGENT, PRODUCT)
KEPT_DAYS = 20
QUANTILES = tuple(40.0 + k for k in range(23))
KILL_RATE = 0.04
"""Of every step of a run."""


class _Killed(Exception):
    """The process is gone between two steps."""


@dataclass
class Simulation:
    """One machine with one store, living through its ticks.

    Attributes
    ----------
    kills : float
        Chance of a kill before each step.
    ask : callable, optional
        What is started at a tick; the Dagster run of this bench puts its sensors here.
    """

    home: Path
    lives: list[Life]
    machine: Machine
    rng: np.random.Generator
    kills: float = KILL_RATE
    ask: Callable[[Simulation], list[Due]] | None = None
    true_now: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    arrivals: list[Arrival] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    ticks: list[datetime] = field(default_factory=list)
    notes: list[tuple[str, datetime, int]] = field(default_factory=list)
    writes: list[tuple[int, datetime]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("killed", "refused", "double"), 0))

    def __post_init__(self) -> None:
        self.store = Store(self.home, clock=lambda: self.machine.clock(self.true_now))
        self.settings = Settings(home=self.home, all_members=True)
        self._waiting = {
            life.member_id: [n for n in life.nights if n.ready_at is not None] for life in self.lives
        }
        self._untold = {life.member_id: list(life.notes_at) for life in self.lives}
        self._rows: dict[str, list[dict[str, Any]]] = {life.member_id: [] for life in self.lives}
        self._view: StoreView | None = None

    def live(self, advance: Callable[[float], None] = lambda _amount: None) -> None:
        """Every tick in its order; a double tick asks twice before it does anything."""
        ticks = self.machine.ticks
        for k, tick in enumerate(ticks):
            advance(1.0)
            if tick < self.true_now:  # a run is still going on
                continue
            self.true_now = tick
            self._hear_and_pull()
            self.ticks.append(self.store.clock())
            wanted = self._ask()
            if k + 1 < len(ticks) and ticks[k + 1] == tick:
                self.counts["double"] += 1
                wanted = wanted + self._ask()
            for item in wanted:
                self._run(item)

    def due_now(self) -> list[Due]:
        """The real decision on the real store."""
        self._view = self._view or view_of(
            self.store, self.settings, members=[life.member_id for life in self.lives]
        )
        return due(self._view, self.store.clock())

    def _ask(self) -> list[Due]:
        return self.due_now() if self.ask is None else self.ask(self)

    def _run(self, item: Due) -> None:
        outcome, started_at = "done", self.store.clock()
        try:
            for step in STEPS:
                if self.rng.random() < self.kills:
                    raise _Killed
                self.true_now += timedelta(
                    minutes=float(self.rng.choice([0.2, 1.5, 45.0], p=[0.7, 0.25, 0.05]))
                )
                issue = current_issue(self.store, item.member_id, asked=item.choice)
                done = self.store.ledger.issue(
                    "live", _rows(issue, step), utc_offset_min=issue.utc_offset_min
                )
                if done.written:
                    self._view = None
                    self.writes.append((len(self.ticks) - 1, self.store.ledger.last_issued_at()))
        except _Killed:
            outcome = "killed"
            self.counts["killed"] += 1
        except HrvError as error:
            outcome = error.code
            self.counts["refused"] += 1
        tick = len(self.ticks) - 1
        ended_at = self.store.clock()
        self.attempts.append(
            Attempt(tick, item.member_id, item.day, item.slot, outcome, started_at, ended_at)
        )

    def _hear_and_pull(self) -> None:
        now, tick = self.store.clock(), len(self.ticks)
        for life in self.lives:
            told = [at for at in self._untold[life.member_id] if at <= self.true_now]
            for at in told:
                self.store.record.append(
                    life.member_id,
                    "journal_entry",
                    at.isoformat(),
                    {},
                    known_at=at,
                    basis="seen",
                    source="bench",
                )
                self.notes.append((life.member_id, at, tick))
                self._view = None
            self._untold[life.member_id] = self._untold[life.member_id][len(told) :]
            waiting = self._waiting[life.member_id]
            if not waiting or not self.machine.is_online(self.true_now):
                continue
            new = [n for n in waiting[:KEPT_DAYS] if n.ready_at <= self.true_now]
            if new:
                self._waiting[life.member_id] = [n for n in waiting if n not in new]
                for night in new:
                    self._rows[life.member_id].append(
                        {"member_id": life.member_id, "day": night.day, "known_at": now, "state": "scored",
                         "utc_offset_min": night.utc_offset_min, "hrv_rmssd_ms": 50.0, "wake_at": night.woke_at}
                    )  # fmt: skip
                    self.arrivals.append(Arrival(tick, life.member_id, night.day, night.utc_offset_min, now))
                self._write_days()

    def _write_days(self) -> None:
        kept = [
            row for rows in self._rows.values() for row in sorted(rows, key=lambda r: r["day"])[-KEPT_DAYS:]
        ]
        columns = schemas.TABLES["days"].columns
        own = {name: columns[name] for name in kept[0]}
        table = pl.concat([schemas.empty("days"), pl.DataFrame(kept, schema=own)], how="diagonal")
        self.store.write_table(
            "days",
            table.with_columns(revision=pl.lit(1, pl.Int32), basis=pl.lit("seen"), source=pl.lit("bench")),
        )
        self._view = None


def bench_schedule(
    *,
    days: int = 1096,
    members: int = 2,
    seed: int = 0,
    advance: Callable[[float], None] = lambda _amount: None,
) -> dict[str, Any]:
    """Live through ``days`` and hold what the ledger says against the oracle."""
    began = time.monotonic()
    rng = np.random.default_rng(seed)
    lives = [make_life(f"m{k}", FIRST, days, rng) for k in range(members)]
    machine = make_machine(FIRST, days, rng)
    with tempfile.TemporaryDirectory(prefix="hrv-bench-") as folder:
        simulation = Simulation(Path(folder) / "home", lives, machine, rng)
        simulation.live(lambda _: advance(1 / len(machine.ticks)))
        verdict = judged(simulation)
        faults = simulation.store.ledger.verify()
    return {
        "days": days, "members": members, "seed": seed, **verdict.counts(), "ledger_faults": len(faults),
        "ticks": len(simulation.ticks), "double_ticks": simulation.counts["double"],
        "clock_jumps": len(machine.errors), "offset_changes": sum(map(_offset_changes, lives)),
        "kills": simulation.counts["killed"], "refused_by_the_ledger_or_the_clock": simulation.counts["refused"],
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def judged(simulation: Simulation) -> Verdict:
    """The oracle's word on a finished simulation."""
    written = simulation.store.ledger.forecasts("live", forecaster=PRODUCT)
    issued = list(written.select("member_id", "origin_day", "slot", "horizon", "issued_at").iter_rows())
    return judge(
        simulation.ticks, simulation.arrivals, simulation.notes, simulation.attempts, issued, simulation.writes,
        evening_hour=simulation.settings.evening_hour,
    )  # fmt: skip


def _offset_changes(life: Life) -> int:
    offsets = [night.utc_offset_min for night in life.nights]
    return sum(a != b for a, b in zip(offsets, offsets[1:], strict=False))


def _rows(issue: Issue, forecaster: str) -> list[ForecastRow]:
    return [
        ForecastRow(issue.member_id, issue.slot, issue.as_of, issue.origin_day, issue.origin_day + timedelta(days=h), h,
                    forecaster, "bench", QUANTILES, "bench")
        for h in HORIZONS
    ]  # fmt: skip
