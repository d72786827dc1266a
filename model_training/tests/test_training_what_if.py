"""What-if: the same models on a changed history; no change where the fact is so already; sane directions."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import time, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hrv_shared.cli import app_for
from hrv_shared.constants import HORIZONS, MEDIAN_INDEX
from hrv_shared.errors import TooFewNights
from hrv_shared.issue import Issue
from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import day_grid
from model_training.explain_cli import register
from model_training.explanation.bedtime import bedtime_scenario
from model_training.explanation.changed_facts import Change, ChangedFact, change_history
from model_training.explanation.errors import BadChange
from model_training.explanation.groups import CALIBRATION
from model_training.explanation.latest import what_if_latest
from model_training.explanation.what_if import UNTOLD, carried_calibration, what_if
from model_training.forecasters.ewma_8 import Ewma8
from model_training.forecasters.ridge import Ridge
from model_training.forecasters.state_space import StateSpace
from model_training.mix import average
from model_training.rolling import forecast_rows

WEIGHTS = {h: {"ridge": 0.5, "state_space": 0.4, "ewma_8": 0.1} for h in HORIZONS}
DOSES = {b.name: b.most for b in BEHAVIOURS}


@pytest.fixture(scope="module")
def wearer(wearer_of):
    """Ten weeks: enough for every member that is asked here."""
    return wearer_of(70)


@pytest.fixture(scope="module")
def evening(wearer):
    return wearer.history()


@pytest.fixture(scope="module")
def sober(wearer):
    """A wearer who never logged anything: only the shipped beliefs speak."""
    history = wearer.history()
    return replace(history, journal=history.journal.clear())


@pytest.fixture(scope="module")
def morning(wearer):
    history = wearer.history(slot="morning")
    return replace(history, journal=history.journal.clear())


def ask(history, **change):
    members = {m.name: m().fit(history) for m in (Ridge, StateSpace, Ewma8)}
    return what_if(history, Change(**change), members, WEIGHTS)


def test_what_is_so_already_changes_nothing_bit_for_bit(evening, wearer):
    drinks = wearer.drinks[evening.origin_day]
    today = evening.days.row(by_predicate=pl.col("day") == evening.origin_day, named=True)
    late = bool(day_grid(evening).daytime["late_workout"][-1])
    same = Change({"alcohol": float(drinks)}, strain_0_21=today["strain_0_21"], late_workout=late)
    changed, facts = change_history(evening, same)
    assert changed is evening and facts == []
    answer = ask(evening, doses=same.doses, strain_0_21=same.strain_0_21, late_workout=late)
    assert answer.after_ms.tobytes() == answer.before_ms.tobytes()
    assert not answer.shift_ms.any() and answer.parts_ms == {} and "so already" in answer.note
    resting = replace(
        evening, days=_at_origin(evening, workout_count=0, workout_min=0.0, last_workout_end_at=None)
    )
    assert change_history(resting, Change(rest_day=True))[0] is resting
    assert change_history(evening, Change())[0] is evening


@settings(max_examples=20, deadline=None)
@given(
    name=st.sampled_from(sorted(DOSES)), share=st.floats(0, 1), slot=st.sampled_from(["morning", "evening"])
)
def test_the_models_hear_exactly_the_amount_and_asking_it_again_changes_nothing(name, share, slot, wearer):
    history = wearer.history(slot=slot)
    amount = round(share * DOSES[name], 3)
    changed, facts = change_history(history, Change({name: amount}))
    column = [b.name for b in BEHAVIOURS].index(name)
    heard = day_grid(changed).dose[-1, 0, column]
    assert heard == pytest.approx(amount, abs=1e-9)
    others = np.delete(day_grid(changed).dose, column, axis=2)
    np.testing.assert_array_equal(others, np.delete(day_grid(history).dose, column, axis=2))
    assert [f.after for f in facts] in ([amount], [])
    again, nothing = change_history(changed, Change({name: amount}))
    assert again is changed and nothing == []
    assert changed.days.equals(history.days)


def test_more_drinks_never_raise_the_median(sober, morning):
    for history in (sober, morning):
        medians = [
            ask(history, doses={"alcohol": n}).after_ms[0, MEDIAN_INDEX] for n in (0.0, 1.0, 2.0, 4.0, 8.0)
        ]
        assert all(more < less for less, more in zip(medians, medians[1:], strict=False))


def test_saying_that_nothing_was_drunk_raises_it_slightly(sober, morning):
    for history in (sober, morning):
        answer = ask(history, doses={"alcohol": 0.0})
        assert 0 < answer.shift_ms[0] < 0.1 * answer.before_ms[0, MEDIAN_INDEX]
        assert answer.facts == [ChangedFact("alcohol", None, 0.0)]


def test_being_sick_lowers_it(sober, morning):
    for history in (sober, morning):
        answer = ask(history, doses={"sick": 1.0})
        assert -0.25 < answer.shift_ms[0] / answer.before_ms[0, MEDIAN_INDEX] < -0.02


def test_strain_lowers_tomorrow_in_the_evening_and_is_no_input_in_the_morning(sober, morning):
    medians = [ask(sober, strain_0_21=s).after_ms[0, MEDIAN_INDEX] for s in (4.0, 9.0, 13.0, 18.0)]
    assert all(more < less for less, more in zip(medians, medians[1:], strict=False))
    for change in (Change(strain_0_21=18.0), Change(late_workout=True)):
        with pytest.raises(BadChange, match="--slot evening"):
            change_history(morning, change)


def test_a_rest_day_takes_training_strain_and_hour_back(evening, wearer):
    rest = evening.origin_day - timedelta(days=1)
    idle = pl.col("day").dt.weekday().is_in([3, 7]) & (pl.col("day") <= rest)
    days = evening.days.with_columns(
        pl.when(idle).then(None).otherwise("last_workout_end_at").alias("last_workout_end_at"),
        pl.when(idle).then(0).otherwise("workout_count").cast(pl.Int32).alias("workout_count"),
        pl.when(idle).then(0.0).otherwise("workout_min").alias("workout_min"),
        pl.when(idle).then(4.0).otherwise("strain_0_21").alias("strain_0_21"),
    )
    history = replace(evening, days=days)
    changed, facts = change_history(history, Change(rest_day=True))
    today = changed.days.row(by_predicate=pl.col("day") == history.origin_day, named=True)
    assert (today["strain_0_21"], today["workout_min"], today["last_workout_end_at"]) == (4.0, 0.0, None)
    assert [f.name for f in facts] == ["rest_day", "strain_0_21"]
    before = pl.col("day") < history.origin_day
    assert changed.days.filter(before).equals(history.days.filter(before)) and changed.journal.equals(
        history.journal
    )
    assert ask(history, rest_day=True).shift_ms[0] > 0
    said = ask(wearer.history(slot="morning"), rest_day=True)
    assert [f.name for f in said.facts] == ["training_h"] and said.shift_ms[0] > 0


def test_a_late_workout_can_be_taken_back(sober):
    late, facts = change_history(sober, Change(late_workout=True))
    assert day_grid(late).daytime["late_workout"][-1] == 1.0
    if facts:
        assert facts == [ChangedFact("late_workout", 0.0, 1.0)]
    early, taken = change_history(late, Change(late_workout=False))
    assert day_grid(early).daytime["late_workout"][-1] == 0.0
    assert taken == [ChangedFact("late_workout", 1.0, 0.0)]


@pytest.mark.parametrize(
    "change",
    [{"doses": {"alcohol": 4.0}}, {"doses": {"alcohol": 0.0, "sick": 1.0, "caffeine": 5.0}}, {"strain_0_21": 19.0},
     {"doses": {"stress": 9.0}, "strain_0_21": 2.0, "late_workout": True}],
)  # fmt: skip
def test_parts_of_a_shift_sum_to_it_and_name_what_changed(evening, change):
    answer = ask(evening, **change)
    assert sum(answer.parts_ms.values()) == pytest.approx(answer.shift_ms, abs=1e-9)
    assert answer.shift_ms == pytest.approx((answer.after_ms - answer.before_ms)[:, MEDIAN_INDEX], abs=1e-12)
    spoken = {f"journal_{f.name}" for f in answer.facts if f.name in DOSES}
    load = {"load"} if answer.facts and {f.name for f in answer.facts} - set(DOSES) else set()
    assert set(answer.parts_ms) == spoken | load
    assert answer.kind == "association" and "not a promise" in answer.note


def test_a_member_that_does_not_tell_is_named_as_such(sober):
    class Whoever:
        name, version = "whoever", "1"

        def predict(self, history, horizons=HORIZONS):
            return np.linspace(40, 60, 23) * (0.9 if len(history.journal) else 1.0) * np.ones((7, 1))

    class Silent:
        name, version = "silent", "1"

        def predict(self, history, horizons=HORIZONS):
            raise TooFewNights("too few")

    members = {"whoever": Whoever(), "silent": Silent()}
    answer = what_if(
        sober, Change({"sauna": 1.0}), members, {h: {"whoever": 0.5, "silent": 0.5} for h in HORIZONS}
    )
    assert list(answer.parts_ms) == [UNTOLD]
    assert answer.parts_ms[UNTOLD] == pytest.approx(np.full(7, -5.0), abs=1e-9)
    with pytest.raises(TooFewNights):
        what_if(sober, Change({"sauna": 1.0}), {"silent": Silent()}, {})


def test_calibration_is_carried_over(sober):
    members = {"ridge": Ridge().fit(sober)}
    weights = {h: {"ridge": 1.0} for h in HORIZONS}
    averaged = members["ridge"].predict(sober)
    issued = averaged * np.linspace(0.9, 1.1, 23)
    assert carried_calibration(averaged, averaged)(averaged).tobytes() == averaged.tobytes()
    calibrate = carried_calibration(averaged, issued)
    answer = what_if(sober, Change({"alcohol": 6.0}), members, weights, calibrate=calibrate)
    assert answer.before_ms == pytest.approx(issued, rel=1e-12)
    assert (np.diff(answer.after_ms) >= 0).all()
    assert sum(answer.parts_ms.values()) == pytest.approx(answer.shift_ms, abs=1e-9)
    shifted = what_if(sober, Change({"alcohol": 6.0}), members, weights, calibrate=lambda q: q * 1.5)
    assert shifted.parts_ms[CALIBRATION][0] == pytest.approx(shifted.shift_ms[0] / 3, abs=1e-9)


def test_bedtime_is_a_scenario_apart(evening):
    answer = ask(evening, bedtime=time(1, 0))
    (scenario,) = answer.scenarios
    assert answer.after_ms.tobytes() == answer.before_ms.tobytes() and answer.facts == []
    assert answer.note.startswith("No model looks at that")
    median = answer.before_ms[0, MEDIAN_INDEX]
    onset = evening.scored_nights().tail(28)["sleep_onset_at"]
    usual = float(np.median([(t.hour + t.minute / 60 - 12) % 24 for t in onset]))
    later = 13.0 - usual
    assert scenario.hours_later == pytest.approx(later, abs=0.01)
    assert scenario.shift_ms == pytest.approx(median * (0.96**later - 1), abs=1e-9)
    assert scenario.low_ms < scenario.shift_ms < scenario.high_ms < 0 and "No model uses" in scenario.note
    earlier = bedtime_scenario(evening, time(22, 0), median)
    assert 0 < earlier.low_ms < earlier.shift_ms < earlier.high_ms
    with pytest.raises(BadChange, match="nothing was measured"):
        bedtime_scenario(evening, time(5, 0), median)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"doses": {"beer": 1.0}}, "alcohol"), ({"doses": {"alcohol": 11.0}}, "between 0 and 10"),
     ({"doses": {"alcohol": math.nan}}, "between"), ({"strain_0_21": 22.0}, "between 0 and 21"),
     ({"rest_day": True, "strain_0_21": 10.0}, "either"), ({"rest_day": True, "doses": {"training_h": 1.0}}, "either")],
)  # fmt: skip
def test_what_can_not_be_asked_is_said(change, says):
    with pytest.raises(BadChange, match=says):
        Change(**change)


def test_a_day_that_nothing_is_known_of_has_no_load_to_change(evening):
    gone = replace(evening, days=evening.days.filter(pl.col("day") < evening.origin_day))
    with pytest.raises(BadChange, match="hrv pull"):
        change_history(gone, Change(strain_0_21=10.0))


def test_a_changed_fact_is_known_at_the_issue_and_takes_the_place_of_what_was_said(evening):
    changed, facts = change_history(evening, Change({"alcohol": 7.0}))
    tonight = changed.journal.filter(pl.col("night") > evening.origin_day)
    assert tonight["known_at"].to_list() == [evening.as_of] and tonight["amount"].to_list() == [7.0]
    assert changed.journal.schema == evening.journal.schema
    assert facts[0].before == day_grid(evening).dose[-1, 0, 0]


def test_the_command_answers_from_the_issued_mix(store, wearer, monkeypatch):
    history = wearer.history()
    issue = Issue("me", "replay", history.slot, history.as_of, history.origin_day, 0)
    rows = [row for m in (Ridge, StateSpace) for row in forecast_rows(m().fit(history), history, issue)]
    weights, mix = {"ridge": 0.6, "state_space": 0.4}, []
    for h in HORIZONS:
        row = average(
            {r.forecaster: r for r in rows if r.horizon == h}, weights, "mix", "1", {"weights": weights}
        )
        mix.append(replace(row, quantiles_ms=tuple(q * 1.02 for q in row.quantiles_ms)))
    store.ledger.issue("replay", [*rows, *mix])
    monkeypatch.setenv("HRV_HOME", str(store.home))
    app = app_for("test", "both commands")
    register(app)
    done = CliRunner().invoke(
        app, ["what-if", "--alcohol", "8", "--no-sick", "--set", "caffeine=3", "--json"]
    )
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    first = result["nights"][0]
    assert first["before_ms"]["median"] == pytest.approx(mix[0].quantiles_ms[MEDIAN_INDEX], abs=1e-9)
    assert first["shift_ms"] == pytest.approx(sum(first["parts_ms"].values()), abs=1e-9)
    assert first["shift_ms"] < -3 and first["parts_ms"]["journal_alcohol"] < -3
    assert {f["name"] for f in result["facts"]} == {"alcohol", "sick", "caffeine"}
    assert result["kind"] == "association" and result["left_out"] == {}
    words = CliRunner().invoke(app, ["what-if", "--strain", "20", "--bedtime", "23:45"]).stdout
    assert "not a promise" in words and "No model uses a planned bedtime" in words
    for arguments in (
        [],
        ["--bedtime", "25:00"],
        ["--set", "caffeine"],
        ["--alcohol", "1", "--slot", "noon"],
    ):
        assert CliRunner().invoke(app, ["what-if", *arguments]).exit_code != 0
    store.write_table("days", wearer.days.with_columns(pl.col("hrv_rmssd_ms") * 1.1))
    assert "changed since" in what_if_latest(store, "me", Change({"alcohol": 8.0}))["note"]


def _at_origin(history, **values):
    at = pl.col("day") == history.origin_day
    return history.days.with_columns(
        pl.when(at).then(pl.lit(v, dtype=history.days.schema[c])).otherwise(pl.col(c)).alias(c)
        for c, v in values.items()
    )
