"""Trends: the band leaves out its own week, a step is dated and seen late, rhythm is shrunk, sleep's regularity."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
import ruptures
from hypothesis import given, settings
from hypothesis import strategies as st

from data_intelligence import summarise_day
from data_intelligence.evidence import EvidenceBook
from data_intelligence.level_shifts import latest_step, usual_level
from data_intelligence.medians import median
from data_intelligence.nightly_channels import CHANNELS, NightlyChannels
from data_intelligence.one_cut import one_cut
from data_intelligence.sleep_regularity import sleep_regularity_index
from data_intelligence.strap_steps import BODY_PATTERN, strap_steps
from data_intelligence.trends import POOLED_WEEK_LN, weekly_rhythm


def channels(ln_hrv: np.ndarray, **others: np.ndarray) -> NightlyChannels:
    n = len(ln_hrv)
    unknown = np.full(n, np.nan)
    values = {name: others.get(name, unknown) for name in CHANNELS} | {"ln_hrv": ln_hrv}
    days = tuple(date(2026, 1, 5) + timedelta(days=i) for i in range(n))
    return NightlyChannels(days, values, unknown, unknown, unknown, unknown, np.full(n, 10.0))


def test_the_band_leaves_out_the_week_that_it_judges():
    x = np.concatenate([np.full(60, 4.0), np.full(7, 5.0)])
    assert usual_level(x, 66) == (4.0, 0.0, 60)


@given(
    st.integers(0, 2**32 - 1), st.integers(18, 75), st.integers(1, 5), st.sampled_from([4, 7]), st.booleans()
)
@settings(max_examples=150, deadline=None)
def test_the_cut_is_that_of_ruptures(seed, n, channels_n, min_size, coarse):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, channels_n))
    z[rng.integers(min_size, n - min_size) :] += rng.normal(0.0, 1.5, channels_n)
    z = np.round(z) if coarse else z
    theirs = ruptures.KernelCPD(kernel="linear", min_size=min_size).fit(z).predict(n_bkps=1)[0]
    own = one_cut(z, min_size)
    left_over = [sum(((part - part.mean(axis=0)) ** 2).sum() for part in (z[:at], z[at:])) for at in (own, theirs)]
    assert left_over[0] == pytest.approx(left_over[1], rel=1e-9)
    assert own == theirs or coarse  # of two cuts that leave the same, the last digit decides


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_the_median_is_that_of_numpy(values, channels_n):
    x = np.array(values)
    assert median(x) == np.median(x)
    table = np.column_stack([np.roll(x, k) * (k + 1) for k in range(channels_n)])
    np.testing.assert_array_equal(median(table), np.median(table, axis=0))


def test_a_step_is_dated_right_and_nothing_is_found_in_noise():
    rng = np.random.default_rng(3)
    x = 4.0 + rng.normal(0, 0.15, 90)
    assert latest_step(x) is None or latest_step(x).t < 3.5
    x[70:] += 0.3
    step = latest_step(x)
    assert abs(step.row - 70) <= 2 and step.after - step.before == pytest.approx(0.3, abs=0.1) and step.t > 4
    early = latest_step(x[:74])  # four nights can't show it yet
    assert early is None or early.t < 2.5


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(40, 80))
def test_a_step_never_sees_what_follows(seed, count):
    x = 4.0 + np.random.default_rng(seed).normal(0, 0.2, 100)
    poisoned = x.copy()
    poisoned[count:] = 9.0
    assert latest_step(x[:count]) == latest_step(poisoned[:count])


def test_a_strap_steps_in_many_channels_and_unlike_a_body():
    rng = np.random.default_rng(1)
    n, new = 60, np.arange(60) >= 50
    nights = channels(
        4.0 + rng.normal(0, 0.15, n) + 0.1 * new, resting_hr_bpm=52 + rng.normal(0, 1, n) + 3 * new,
        resp_rate_rpm=14 + rng.normal(0, 0.3, n) - 1.5 * new, skin_temp_c=34 + rng.normal(0, 0.2, n) - 1.2 * new,
    )  # fmt: skip
    step = strap_steps(nights)[-1]
    assert step.row == 50 and sum(t > 3 for t in step.t.values()) >= 3
    assert step.unlike(BODY_PATTERN) > 0.15 and step.sharp > 0.6
    assert strap_steps(nights)[52] is None or strap_steps(nights)[52].row != 50


def test_the_rhythm_is_the_pooled_one_without_nights_and_ones_own_with_many():
    few = weekly_rhythm(channels(np.full(12, 4.0)), EvidenceBook())
    assert [row.n for row in few] == [2, 2, 2, 2, 2, 1, 1]
    rng = np.random.default_rng(2)
    week = np.array([-0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1])  # the opposite of the pooled one
    x = 4.0 + rng.normal(0, 0.15, 350) + week[np.arange(350) % 7]
    monday, sunday = (weekly_rhythm(channels(x), EvidenceBook())[k] for k in (0, 6))
    assert monday.effect_pct < -5 and monday.clear and sunday.effect_pct > 5 and sunday.clear
    assert monday.low90_pct < monday.effect_pct < monday.high90_pct
    empty = weekly_rhythm(channels(np.full(9, np.nan)), EvidenceBook())
    assert empty[0].effect_pct == pytest.approx(100 * (np.exp(POOLED_WEEK_LN[0]) - 1), abs=0.06)


def test_sleep_regularity_index_at_its_ends():
    onset, wake = np.full(28, 11.0), np.full(28, 7.0)
    assert sleep_regularity_index(onset, wake) == 100.0
    shifted = np.where(np.arange(28) % 2, onset, onset + 2.0)
    later = np.where(np.arange(28) % 2, wake, wake + 2.0)
    assert sleep_regularity_index(shifted, later) == pytest.approx(100 - 200 * 4 / 24, abs=1)
    assert sleep_regularity_index(onset[:5], wake[:5]) is None


def test_trends_stand_in_the_summary_and_every_number_resolves(world, issue, tmp_path, now):
    summary = summarise_day(world.write(tmp_path, now), issue).summary
    trends = summary.trends
    assert trends.band.position in ("below", "inside", "above") and trends.band.low_ms < trends.band.usual_ms
    assert (
        trends.load.ratio == pytest.approx(1.0, abs=0.4) and trends.sleep_regularity.regularity_index == 100
    )
    cited = [trends.band, trends.load, trends.sleep_regularity, *trends.weekly_rhythm, *trends.level_shifts]
    assert all(block.evidence in summary.evidence for block in cited)


def test_ten_nights_say_what_is_missing(synth, tmp_path, now):
    small = synth.make_world(10)
    summary = summarise_day(small.write(tmp_path, now), small.issue()).summary
    assert summary.trends.band.position == "unknown" and "28 nights" in summary.trends.band.sentence
    assert summary.trends.level_shifts == () and summary.alerts == ()
