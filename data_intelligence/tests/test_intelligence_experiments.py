"""Experiments: only harmless habits, balanced plans, no peeking, a test of the right size, a reader for the effects."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_intelligence.errors import ExperimentRefused
from data_intelligence.experiments import finished_experiments
from data_intelligence.experiments.analysis import analyse, coin_estimates
from data_intelligence.experiments.harmless import harmless_habit, harmless_names
from data_intelligence.experiments.plans import blocks_of, draw_plan, plan_set
from data_intelligence.experiments.records import EXPERIMENT_FACT, experiments_of
from data_intelligence.experiments.running import (
    plan_experiment,
    read_result,
    start_experiment,
    status_of,
    stop_experiment,
)
from data_intelligence.experiments.simulated import measure_experiments, measure_row
from hrv_shared.ontology import behaviours
from hrv_shared.store import Store


@pytest.fixture
def live(world, synth, tmp_path):
    """A store whose clock stands in the evening of the last day; ``live.clock_at`` moves it."""
    moment = [synth.at(world.last_day, 21.5)]
    store = Store(tmp_path / "live", clock=lambda: moment[0])
    store.write_table("days", world.days)
    store.write_table("journal_facts", world.journal)
    store.move = lambda to: moment.__setitem__(0, to)
    return store


def run_through(live, world, synth, experiment, effect: float, follow: bool = True) -> None:
    """Add the nights of an experiment with a planted effect, and evenings told in the journal."""
    rng = np.random.default_rng(4)
    days, facts = [], []
    for k, coin in enumerate(experiment.plan):
        night = experiment.first_evening + timedelta(days=k + 1)
        done = coin if follow else not coin
        value = float(60 * np.exp(effect * done + rng.normal(0, 0.05)))
        days.append(synth.day_row(night, hrv_rmssd_ms=value, resting_hr_bpm=52.0))
        facts.append(synth.fact_row(night, experiment.behaviour, "yes" if done else "no", confidence=1.0))
    live.write_table("days", pl.concat([world.days, synth.days_frame(days)]))
    live.write_table("journal_facts", pl.concat([world.journal, synth.journal_frame(facts)]))
    live.move(synth.at(experiment.last_night, 12.0))


def test_only_harmless_habits_and_every_refusal_says_why():
    known = behaviours()
    assert all(harmless_habit(name).behaviour == name for name in harmless_names())
    assert not any(
        known[name].private or known[name].category in ("medication", "supplement")
        for name in harmless_names()
    )
    for name, why in (
        ("alcohol", "leaving out"), ("ibuprofen", "Expected a behaviour"), ("nsaid", "doctor"), ("fever", "illness"),
        ("melatonin", "supplements"), ("hiit", "training"), ("sexual_activity", "private"), ("cannabis", "harm"),
    ):  # fmt: skip
        with pytest.raises(ExperimentRefused, match=why):
            harmless_habit(name)
    assert harmless_habit("late_meal").leave_out and not harmless_habit("meditation").leave_out


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([10, 14, 20, 28]), st.integers(0, 6), st.integers(0, 50))
def test_plans_are_balanced_without_long_runs_and_the_drawn_one_is_of_the_set(days, weekday, seed):
    first = date(2026, 1, 5) + timedelta(days=weekday)
    plans = plan_set(days, first, seed)
    assert len(np.unique(plans, axis=0)) == len(plans) > 40
    assert (plans.sum(axis=1) == days // 2).all()
    for block in range(0, days - days % 4, 4):
        assert (plans[:, block : block + 4].sum(axis=1) == 2).all()
    weekend = np.array([(weekday + k) % 7 in (4, 5) for k in range(days)])
    assert (np.abs(2 * plans[:, weekend].sum(axis=1) - weekend.sum()) <= 2).all()
    runs = ["".join("x" if c else "." for c in plan) for plan in plans]
    assert not any("xxxx" in run or "...." in run for run in runs)
    assert (plans == draw_plan(days, first, seed)).all(axis=1).any()


def test_the_estimate_is_that_of_least_squares_with_block_means():
    rng = np.random.default_rng(0)
    plans, blocks = plan_set(14, date(2026, 1, 5), 0), blocks_of(14)
    y = rng.normal(0, 0.2, 14)
    y[3] = np.nan
    known = np.isfinite(y)
    for plan in plans[:5]:
        dummies = (blocks[:, None] == np.unique(blocks)[None, :]).astype(float)
        design = np.column_stack([plan.astype(float), dummies])[known]
        reference = np.linalg.lstsq(design, y[known], rcond=None)[0][0]
        assert coin_estimates(y, plan[None, :], blocks)[0] == pytest.approx(reference)


def test_a_p_value_is_the_share_of_plans_at_least_as_far(synth):
    plans = plan_set(14, synth.last_day, 0)
    y = np.random.default_rng(1).normal(0, 0.2, 14)
    every = np.abs(coin_estimates(y, plans, blocks_of(14)))
    p = [analyse(y, plan, plans, blocks_of(14)).p for plan in plans[:60]]
    assert p[0] == round((1 + (every >= every[0] - 1e-12).sum()) / (1 + len(plans)), 4)
    assert np.mean(np.array(p) <= 0.1) < 0.3


def test_power_is_shown_before_and_nothing_is_written_by_a_dry_run(live):
    plan = plan_experiment(live, "me", "meditation", days=14, seed=3)
    assert not experiments_of(live, "me")
    power = [row["power"] for row in plan["power"]["rows"]]
    assert power == sorted(power) and power[0] < 0.5
    assert plan["power"]["rows"][0]["nights_for_80_pct"] > 14
    assert plan == plan_experiment(live, "me", "meditation", days=14, seed=3)


def test_from_start_to_result_without_a_peek(live, world, synth):
    plan = plan_experiment(live, "me", "meditation", days=14, seed=3)
    experiment = start_experiment(live, "me", plan)
    assert experiment.first_evening == world.last_day + timedelta(days=1) and experiment.state == "running"
    with pytest.raises(ExperimentRefused, match="no running experiment"):
        plan_experiment(live, "me", "earplugs", days=14, seed=3)
    with pytest.raises(ExperimentRefused, match="--abandon"):
        read_result(live, "me")
    run_through(live, world, synth, experiment, effect=0.3)
    assert "effect" not in str(status_of(live, "me"))
    found = read_result(live, "me")
    assert found["state"] == "finished" and found["found"] and found["followed"] == 14
    assert found["by_intention"]["low90_pct"] < 100 * (np.exp(0.3) - 1) < found["by_intention"]["high90_pct"]
    assert abs(found["by_intention"]["posterior_pct"]) < found["by_intention"]["effect_pct"]
    assert read_result(live, "me") == found
    assert [f.key.rsplit(":", 1)[1] for f in live.record.facts(EXPERIMENT_FACT)] == [
        "started",
        "ended",
        "result",
    ]
    told = finished_experiments(live, "me", live.clock())["meditation"]
    assert told["effect_pct"] == found["by_intention"]["effect_pct"] and told["n"] == 14 and told["p"] <= 0.1
    assert finished_experiments(live, "me", synth.at(world.last_day, 22)) == {}


def test_leaving_out_is_turned_into_the_effect_of_doing(live, world, synth):
    experiment = start_experiment(live, "me", plan_experiment(live, "me", "late_meal", days=14, seed=5))
    run_through(
        live, world, synth, experiment, effect=-0.2, follow=False
    )  # the meal is had where the coin says not to
    found = read_result(live, "me")
    assert found["leave_out"] and found["followed"] == 0 or found["not_followed"] + found["followed"] == 14
    doing = found["effect_of_doing"]
    assert doing["low90_pct"] <= doing["effect_pct"] <= doing["high90_pct"]
    assert np.sign(doing["effect_pct"]) == -np.sign(found["by_intention"]["effect_pct"])


def test_an_abandoned_one_never_counts(live, world, synth):
    experiment = start_experiment(live, "me", plan_experiment(live, "me", "earplugs", days=10, seed=1))
    run_through(live, world, synth, experiment, effect=0.3)
    live.move(synth.at(experiment.last_night - timedelta(days=1), 6.0))
    found = read_result(live, "me", abandon=True)
    assert found["state"] == "abandoned" and finished_experiments(live, "me", live.clock()) == {}
    start_experiment(live, "me", plan_experiment(live, "me", "earplugs", days=10, seed=2))
    assert stop_experiment(live, "me").state == "abandoned"
    with pytest.raises(ExperimentRefused, match="abandoned"):
        stop_experiment(live, "me")


def test_old_data_and_few_nights_are_refused(world, synth, tmp_path, now):
    with pytest.raises(ExperimentRefused, match="keep coming"):
        plan_experiment(world.write(tmp_path / "old", now), "me", "meditation", days=14, seed=1)
    small = synth.make_world(12)
    young = small.write(tmp_path / "young", synth.at(small.last_day, 21.5))
    with pytest.raises(ExperimentRefused, match="28 scored nights"):
        plan_experiment(young, "me", "meditation", days=14, seed=1)
    with pytest.raises(ExperimentRefused, match="even number"):
        plan_experiment(young, "me", "meditation", days=13, seed=1)


def test_nulls_are_found_as_often_as_the_level_says():
    row = measure_row(np.random.default_rng(0), 200, 14, 0.0)
    assert 0.04 <= row["found_share"] <= 0.17 and row["cover90_intention"] > 0.83


@pytest.mark.slow
def test_the_whole_table_of_the_benchmark():
    rows = measure_experiments(1000, 1, lambda *_: None)["rows"]
    assert all(0.08 <= row["found_share"] <= 0.12 for row in rows if row["effect_pct"] == 0.0)
