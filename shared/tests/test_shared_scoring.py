"""Scores against scoringrules and against plain loops."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hrv_shared import scoring
from hrv_shared.constants import QUANTILE_LEVELS

LEVELS = np.array(QUANTILE_LEVELS)
forecasts = arrays(float, (5, 23), elements=st.floats(1, 300)).map(lambda a: np.sort(a, axis=1))
truths = arrays(float, (5,), elements=st.floats(1, 300))


@settings(deadline=None)
@given(forecasts, truths)
def test_crps_equals_scoringrules(q_pred, y):
    assert np.allclose(
        scoring.crps_from_quantiles(q_pred, y), scoringrules.crps_quantile(y, q_pred, LEVELS), rtol=1e-9
    )


@settings(deadline=None)
@given(forecasts, truths)
def test_pinball_equals_scoringrules(q_pred, y):
    expected = np.column_stack([scoringrules.quantile_score(y, q_pred[:, i], LEVELS[i]) for i in range(23)])
    assert np.allclose(scoring.pinball_loss(q_pred, y), expected)


@settings(deadline=None)
@given(forecasts, truths)
def test_pit_agrees_with_coverage(q_pred, y):
    inside = scoring.covered(q_pred, y, 0.8)
    strictly = (scoring.pit(q_pred, y) > 0.1) & (scoring.pit(q_pred, y) < 0.9)
    assert (inside | ~strictly).all()
    assert ((scoring.pit(q_pred, y) >= 0) & (scoring.pit(q_pred, y) <= 1)).all()


def test_a_calibrated_forecast_has_a_flat_pit_and_its_nominal_coverage():
    rng = np.random.default_rng(7)
    from scipy.stats import norm

    mean = rng.normal(60, 8, 20_000)
    q_pred = mean[:, None] + 9 * norm.ppf(LEVELS)
    y = rng.normal(mean, 9)
    for mass in (0.5, 0.8, 0.95):
        assert scoring.covered(q_pred, y, mass).mean() == pytest.approx(mass, abs=0.012)
    counts, _ = np.histogram(scoring.pit(q_pred, y), bins=10, range=(0, 1))
    assert counts / 20_000 == pytest.approx(np.full(10, 0.1), abs=0.012)


def test_a_band_between_levels_is_refused():
    with pytest.raises(ValueError, match="quantile levels"):
        scoring.covered(np.zeros((1, 23)), np.zeros(1), 0.77)


def make_scores(n=60, better=0.8, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        origin = date(2026, 1, 1) + timedelta(days=i)
        base = rng.gamma(4, 1.5)
        for name, crps in (("last_28", base), ("last_night", 1.3 * base), ("ridge", better * base)):
            rows.append({
                "member_id": "me", "book": "replay", "slot": "evening", "origin_day": origin,
                "target_day": origin + timedelta(days=1), "horizon": 1, "forecaster": name,
                "version": "1", "n": len(rows) + 1,
                "as_of": datetime(2026, 1, 1, tzinfo=UTC), "issued_at": datetime(2026, 1, 1, tzinfo=UTC),
                "known_at": datetime(2026, 1, 1, tzinfo=UTC), "hrv_rmssd_ms": 50.0, "median_ms": 50.0, "crps_ms": crps,
                "abs_error_ms": crps, "pit": 0.5, "in_50": True, "in_80": True, "in_95": True, "void": False,
            })  # fmt: skip
    from hrv_shared.schemas import SCORES

    return pl.DataFrame(rows, schema=SCORES.columns)


def test_skill_is_against_the_best_naive_rule_on_the_same_nights():
    card = scoring.scorecard(make_scores())
    ridge = card.filter(pl.col("forecaster") == "ridge").row(0, named=True)
    assert ridge["reference"] == "last_28"
    assert ridge["skill"] == pytest.approx(0.2)
    assert ridge["skill_low"] <= 0.2 + 1e-9 and ridge["skill_high"] >= 0.2 - 1e-9


def test_void_rows_never_count():
    scores = make_scores()
    spoiled = scores.with_columns(
        void=pl.col("origin_day") >= date(2026, 2, 1),
        crps_ms=pl.when(pl.col("origin_day") >= date(2026, 2, 1)).then(1e6).otherwise(pl.col("crps_ms")),
    )
    row = scoring.scorecard(spoiled).filter(pl.col("forecaster") == "ridge").row(0, named=True)
    assert row["n"] == 31 and row["crps_ms"] < 100


def test_the_interval_covers_the_truth_at_its_nominal_rate():
    inside = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        reference = rng.gamma(4, 1.5, 120)
        crps = reference * rng.normal(0.9, 0.3, 120).clip(0.05)
        low, high = scoring.skill_interval(crps, reference, seed=seed, resamples=300)
        inside += low <= 0.1 <= high
    assert 0.80 <= inside / 120 <= 0.97


def test_the_newest_version_s_word_counts_whatever_its_name():
    scores = make_scores()
    ridge = scores.filter(pl.col("forecaster") == "ridge")
    newer = ridge.with_columns(version=pl.lit("0"), n=pl.col("n") + 1000, crps_ms=pl.col("crps_ms") / 2)
    row = scoring.scorecard(pl.concat([scores, newer])).filter(pl.col("forecaster") == "ridge").row(0, named=True)
    assert row["n"] == 60 and row["skill"] == pytest.approx(0.6)
