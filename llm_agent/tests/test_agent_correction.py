"""Levers, usual effects and the quantiles that code makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from llm_agent.correction import average_of_samples, correct_quantiles, corrected_week, correction_of
from llm_agent.levers import LASTING, event_lever, listed_levers, shift_of_nights
from llm_agent.literature import needs_no_judgement, usual_levers, usual_pct

BASE = np.exp(np.linspace(np.log(30), np.log(80), len(QUANTILE_LEVELS)))
WEEK = dict.fromkeys(HORIZONS, BASE)
MEDIAN = BASE[MEDIAN_INDEX]


def effect(behaviour="alcohol", ms=-6.0, p_negative=0.99):
    return {
        "behaviour": behaviour, "text": behaviour, "effect_ms": ms, "low80_ms": ms - 3, "high80_ms": ms + 3,
        "p_negative": p_negative, "evidence": "E1", "fact_evidence": "E2",
    }  # fmt: skip


def fact(behaviour, kind="yes", amount=None, unit=None, clock=None):
    return {
        "behaviour": behaviour, "kind": kind, "amount": amount, "unit": unit, "clock_time": clock,
        "text": behaviour, "evidence": "E3", "quote": behaviour,
    }  # fmt: skip


@given(
    st.floats(-30, 30), st.sampled_from([0.8, 1.0, 1.5, 2.0]), st.sampled_from([0.0, 0.05, 0.25])
)
def test_the_median_goes_where_the_shift_says_and_quantiles_rise(shift, spread, hit):
    moved = correct_quantiles(BASE, shift, spread, hit)
    assert moved[MEDIAN_INDEX] == pytest.approx(max(MEDIAN + shift, 0.2 * MEDIAN))
    assert (np.diff(moved) >= 0).all() and (moved > 0).all()


def test_a_hit_night_lengthens_the_lower_tail_alone():
    plain, hit = correct_quantiles(BASE, 0.0), correct_quantiles(BASE, 0.0, 1.0, 0.2)
    assert hit[1] < 0.95 * plain[1] and hit[-2] == pytest.approx(plain[-2], rel=0.06)


def test_levers_add_up_and_their_doubt_widens_the_band():
    levers = listed_levers([effect(), effect("late_meal", -2.0)])
    made = correction_of(levers, WEEK)
    assert made.shifts_ms[1] == pytest.approx(-8.0) and made.shifts_ms[2] == 0.0
    assert made.spread[1] > 1.0 == made.spread[2]
    assert corrected_week(WEEK, made)[1][MEDIAN_INDEX] == pytest.approx(MEDIAN - 8.0)


def test_sickness_lasts_and_an_uncertain_sign_moves_nothing():
    (sick,) = listed_levers([effect("sick"), effect("caffeine", 0.2, 0.4)])
    shifts, _ = shift_of_nights([sick], MEDIAN)
    assert [round(shifts[h] / -6.0, 2) for h in (1, 2, 3, 4)] == [LASTING[1], LASTING[2], LASTING[3], 0.0]


def test_the_whole_shift_is_bounded():
    many = [event_lever(f"J{i}", "body", "ill", "lowers a lot", MEDIAN, "j") for i in range(9)]
    assert shift_of_nights(many, MEDIAN)[0][1] == pytest.approx(-0.30 * MEDIAN)


def test_samples_that_disagree_are_averaged_and_widen():
    low, high = (dict.fromkeys(HORIZONS, BASE * f) for f in (0.8, 1.0))
    same, apart = average_of_samples([low] * 4)[1], average_of_samples([low, high, low, high])[1]
    assert same == pytest.approx(BASE * 0.8)
    assert 0.8 * MEDIAN < apart[MEDIAN_INDEX] < MEDIAN
    assert np.log(apart[19] / apart[3]) > 1.05 * np.log(same[19] / same[3])


def test_the_outermost_of_five_samples_are_left_out():
    five = [dict.fromkeys(HORIZONS, BASE * f) for f in (0.5, 1.0, 1.0, 1.0, 1.6)]
    assert average_of_samples(five)[1][MEDIAN_INDEX] == pytest.approx(MEDIAN)


@pytest.mark.parametrize(("given_fact", "pct"), [
    (fact("alcohol", "amount", 4, "drinks"), -16.0), (fact("alcohol", "no"), 0.0), (fact("alcohol"), -10.0),
    (fact("alcohol", "amount", 12, "drinks"), -24.0), (fact("stress", "scale", 5, "1-5"), -3.5),
    (fact("stress", "scale", 2, "1-5"), 0.0), (fact("bedroom_temperature", "amount", 18, "C"), 0.0),
    (fact("bedroom_temperature", "amount", 30, "C"), -9.0), (fact("planned_bedtime", "time", clock="02:00"), -10.0),
    (fact("planned_bedtime", "time", clock="23:00"), 0.0), (fact("magnesium"), 0.0), (fact("workout"), None),
    (fact("sick", "no"), 0.0),
])  # fmt: skip
def test_usual_effects(given_fact, pct):
    found = usual_pct(given_fact, "23:30")
    assert found == (None if pct is None else pytest.approx(pct))
    assert needs_no_judgement(given_fact, "23:30") == (pct is not None)


def test_an_own_effect_takes_the_place_of_a_usual_one():
    facts = [fact("alcohol", "amount", 2, "drinks"), fact("sick")]
    assert [lever.behaviour for lever in usual_levers(facts, ["alcohol"], MEDIAN, None)] == ["sick"]
    first, second = usual_levers(facts, [], MEDIAN, None)
    assert (first.behaviour, second.behaviour) == ("sick", "alcohol") and first.lasts == LASTING
