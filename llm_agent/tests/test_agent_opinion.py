"""The checks on a reply, and the arithmetic that makes quantiles of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrv_shared.constants import MEDIAN_INDEX
from llm_agent.briefing import Briefing
from llm_agent.correction import carry_over, correct_quantiles
from llm_agent.errors import UngroundedOpinion
from llm_agent.opinion import check_opinion

REPORT = (
    "60-day baseline: mean 52.0, sd 8.6. Last 7 days mean 48.7. ENSEMBLE 50.5\n"
    "- alcohol, 2-3 drinks: -6.3 ms (n=17, sd 5.2)\n"
    'Journal: "Two glasses of wine with dinner, the last one at half past nine. Stress two."\n'
)
WINE = {
    "behaviour": "alcohol",
    "effect_ms": -6.3,
    "phrase": "alcohol, 2-3 drinks: -6.3 ms (n=17, sd 5.2)",
    "evidence": "E9",
}


def briefing(*matched):
    return Briefing(REPORT, 50.5, matched, has_journal=True)


def reply(**changes):
    base = {
        "evidence": ["Two glasses of wine with dinner"],
        "rationale": "Wine has lowered your RMSSD by about 6 ms on 17 earlier days. I expect less than the ensemble.",
        "shift_ms": -6, "sd_scale": 1.2, "p_above_baseline": 0.3,
    }  # fmt: skip
    return {**base, **changes}


def test_a_sound_reply_stands_as_it_is():
    opinion = check_opinion(reply(), briefing(WINE))
    assert (opinion.shift_ms, opinion.sd_scale, opinion.rationale_by, opinion.dropped) == (
        -6.0,
        1.2,
        "model",
        (),
    )


def test_an_overstated_effect_is_clipped_to_what_the_effects_bear():
    assert check_opinion(reply(shift_ms=-15), briefing(WINE)).shift_ms == pytest.approx(-7.9)
    assert check_opinion(reply(shift_ms=9), briefing(WINE)).shift_ms == 0.0
    assert check_opinion(reply(shift_ms=-15), briefing()).shift_ms == -6.0


def test_an_invented_figure_takes_its_sentence_with_it():
    said = "Wine lowers it. It was lowered by about 5.9 ms on 30 earlier days."
    opinion = check_opinion(reply(rationale=said), briefing(WINE))
    assert opinion.rationale == "Wine lowers it." and "5.9, 30" in opinion.dropped[0]


def test_a_rationale_against_its_own_shift_is_replaced_by_a_template():
    opinion = check_opinion(reply(rationale="Wine raises your RMSSD."), briefing(WINE))
    assert opinion.rationale_by == "template" and "-6.3 ms (n=17" in opinion.rationale


def test_a_quote_that_nobody_said_is_dropped_and_a_shift_needs_one():
    opinion = check_opinion(reply(evidence=["two glasses of wine", "four shots of vodka"]), briefing(WINE))
    assert opinion.evidence == ("two glasses of wine",) and "vodka" in opinion.dropped[0]
    with pytest.raises(UngroundedOpinion):
        check_opinion(reply(evidence=["four shots of vodka"]), briefing(WINE))
    assert (
        check_opinion(
            reply(evidence=["four shots"], shift_ms=0, rationale="Nothing new."), briefing()
        ).shift_ms
        == 0
    )


def test_a_glued_quote_is_cut_to_what_was_really_said():
    glued = "alcohol: 2 glasses of wine with dinner, the last one at half past nine"
    opinion = check_opinion(reply(evidence=[glued]), briefing(WINE))
    assert opinion.evidence == ("glasses of wine with dinner the last one at half past nine",)
    with pytest.raises(UngroundedOpinion):
        check_opinion(
            reply(evidence=["six glasses of whisky with dinner and no sleep at all"]), briefing(WINE)
        )


def test_a_word_against_its_figure_and_a_cut_off_end_go():
    said = "Wine has lowered it by about 6 ms, and training raised it by about -6.3 ms. Wine lowers it. I expect a val"
    opinion = check_opinion(reply(rationale=said), briefing(WINE))
    assert opinion.rationale == "Wine lowers it." and len(opinion.dropped) == 2


def test_nothing_is_said_of_a_journal_that_nobody_gave():
    silent = Briefing(REPORT, 50.5, (), has_journal=False)
    said = "Nothing in the journal differs from your usual days. I keep the ensemble forecast as it is."
    opinion = check_opinion(reply(rationale=said, shift_ms=0), silent)
    assert opinion.rationale == "I keep the ensemble forecast as it is."


rising = st.lists(st.floats(5, 200), min_size=23, max_size=23).map(lambda v: np.sort(np.array(v)))


@given(rising, st.floats(-15, 15), st.sampled_from([0.8, 1.0, 1.2, 1.5, 2.0]))
def test_corrected_quantiles_are_a_distribution_with_the_wanted_median(base, shift, scale):
    moved = correct_quantiles(base, shift, scale)
    assert (moved > 0).all() and (np.diff(moved) >= -1e-9).all()
    assert moved[MEDIAN_INDEX] == pytest.approx(max(base[MEDIAN_INDEX] + shift, 0.2 * base[MEDIAN_INDEX]))
    log_width = np.log(moved[-1] / moved[0])
    assert log_width == pytest.approx(scale * np.log(base[-1] / base[0]), abs=1e-9)


def test_no_shift_and_no_widening_change_nothing():
    base = np.linspace(30, 90, 23)
    assert np.allclose(correct_quantiles(base, 0.0, 1.0), base)


def test_alcohol_ends_after_one_night_and_illness_fades_over_three():
    ill = {"behaviour": "sick", "effect_ms": -6.3}
    assert carry_over(-6.0, (WINE,)) == {1: -6.0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0}
    faded = carry_over(-6.0, (ill,))
    assert (faded[2], faded[3], faded[4]) == (pytest.approx(-4.2), pytest.approx(-2.4), 0)
    assert carry_over(-6.0, (ill, WINE))[2] == pytest.approx(-2.1)
