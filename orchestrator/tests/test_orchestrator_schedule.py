"""Two simulated months of sleep, clock jumps, kills and double ticks, judged by an oracle that shares no code."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from hrv_shared.errors import SlotNotOpen
from orchestrator.bench.schedule import FIRST, Simulation, bench_schedule, judged
from orchestrator.bench.world import make_life, make_machine

NONE = (
    "issued_twice", "skipped", "issued_without_cause", "issued_late", "not_at_the_first_chance", "issued_backwards",
    "ledger_faults",
)  # fmt: skip


def a_simulation(folder, *, days=30, seed=3, **how) -> Simulation:
    rng = np.random.default_rng(seed)
    life = make_life("me", FIRST, days, rng)
    return Simulation(folder / "home", [life], make_machine(FIRST, days, rng), rng, **how)


def test_each_slot_is_issued_once_and_none_is_missed():
    found = bench_schedule(days=60, members=1, seed=1)
    assert {name: found[name] for name in NONE} == dict.fromkeys(NONE, 0)
    assert found["slots_issued"] > 60 and found["slots_issued"] <= found["slots_possible"]
    assert min(found[name] for name in ("kills", "double_ticks", "clock_jumps", "ticks")) > 0


def test_the_oracle_sees_a_scheduler_that_only_looks_at_two_times_a_day(tmp_path):
    """As a plain cron of 09:30 and 22:00 would: what was asleep then is lost."""

    def cron(simulation):
        local = simulation.store.clock() + timedelta(hours=1)
        return simulation.due_now() if (local.hour, local.minute // 20) in ((9, 1), (22, 0)) else []

    lazy = a_simulation(tmp_path, ask=cron)
    lazy.live()
    verdict = judged(lazy)
    assert verdict.skipped and not verdict.is_sound


def test_the_oracle_sees_a_scheduler_that_forgets_what_was_killed(tmp_path):
    asked = set()

    def once(simulation):
        new = [item for item in simulation.due_now() if item.name not in asked]
        asked.update(item.name for item in new)
        return new

    forgetful = a_simulation(tmp_path, ask=once, kills=0.2, days=15)
    forgetful.live()
    assert judged(forgetful).skipped


def test_what_a_wrong_scheduler_asks_for_too_late_is_refused_and_never_stands(tmp_path):
    """The ledger and the issue refuse by themselves, whoever asks."""

    def yesterday(simulation):
        return [replace(item, day=item.day - timedelta(days=1)) for item in simulation.due_now()]

    late = a_simulation(tmp_path, ask=yesterday, kills=0.0, days=5)
    late.live()
    assert {attempt.outcome for attempt in late.attempts} <= {SlotNotOpen.__name__, "NightHasBegun"}
    assert late.attempts and late.store.ledger.forecasts("live").is_empty()


def test_twice_at_the_same_time_writes_once(tmp_path):
    eager = a_simulation(tmp_path, ask=lambda simulation: 3 * simulation.due_now(), kills=0.0, days=8)
    eager.live()
    verdict = judged(eager)
    assert verdict.is_sound and verdict.issued > 5
    written = eager.store.ledger.forecasts("live")
    assert len(written) == 3 * 7 * verdict.issued


def test_the_life_that_is_lived_has_everything_in_it():
    rng = np.random.default_rng(0)
    life = make_life("me", date(2023, 1, 1), 400, rng)
    late = [n for n in life.nights if n.ready_at and n.ready_at - n.woke_at > timedelta(hours=9)]
    assert (
        late
        and any(n.ready_at is None for n in life.nights)
        and len({n.utc_offset_min for n in life.nights}) > 2
    )
    machine = make_machine(date(2023, 1, 1), 400, rng)
    gaps = [b - a for a, b in zip(machine.ticks, machine.ticks[1:], strict=False)]
    assert max(gaps) > timedelta(days=4) and min(gaps) == timedelta(0)
    jumps = [error for _, error in machine.errors]
    assert min(jumps) < timedelta(days=-1) and max(jumps) > timedelta(days=1)
    assert machine.clock(machine.errors[0][0]) != machine.errors[0][0]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_three_years():
    found = bench_schedule(days=1096, members=2, seed=0)
    assert {name: found[name] for name in NONE} == dict.fromkeys(NONE, 0)
