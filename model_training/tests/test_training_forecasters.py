"""What holds for every forecaster on any history, and what the two models must learn."""

from __future__ import annotations

import re
import sys
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.errors import Refusal, TooFewNights
from hrv_shared.forecaster import Forecaster, find_forecasters
from model_training.forecasters.boosted import Boosted
from model_training.forecasters.ridge import Ridge, solve
from model_training.residual_law import PRIOR_LAW, log_quantiles

FORECASTERS = find_forecasters()
QUICK = [name for name in sorted(FORECASTERS) if name != "boosted"]


def test_ours_are_found_by_entry_point():
    assert {"last_night", "last_28", "ewma_8", "ridge", "boosted"} <= set(FORECASTERS)


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_keeps_the_protocol_and_opens_with_its_card(name):
    forecaster = FORECASTERS[name]()
    assert isinstance(forecaster, Forecaster)
    assert forecaster.name == name
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{8}", forecaster.version)
    card = sys.modules[FORECASTERS[name].__module__].__doc__
    assert all(f"\n{part}" in card for part in ("Assumes", "Is not", "Refuses", "Band"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    seed=st.integers(0, 10_000), nights=st.integers(1, 120), missing=st.floats(0, 0.6), noise=st.floats(0.0, 0.6),
    slot=st.sampled_from(["morning", "evening"]),
)  # fmt: skip
def test_quantiles_are_a_distribution_or_a_refusal(wearer_of, seed, nights, missing, noise, slot):
    history = wearer_of(nights, seed=seed, missing=missing, noise=noise).history(slot=slot)
    for name in QUICK:
        try:
            quantiles = FORECASTERS[name]().fit(history).predict(history)
        except Refusal:
            continue
        check_distribution(quantiles)


@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_boosted_is_a_distribution_even_with_gaps(wearer_of, missing):
    history = wearer_of(150, seed=3, missing=missing).history()
    check_distribution(Boosted().fit(history).predict(history))


def check_distribution(quantiles):
    assert quantiles.shape == (len(HORIZONS), len(QUANTILE_LEVELS))
    assert np.isfinite(quantiles).all() and (quantiles > 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize(("name", "least"), [("ridge", 30), ("boosted", 60)])
def test_models_refuse_too_few_nights(name, least, wearer_of):
    enough = wearer_of(least, missing=0.0)
    FORECASTERS[name]().fit(enough.history())
    with pytest.raises(TooFewNights, match=f"{name} needs {least} scored nights, {least - 1} are known"):
        FORECASTERS[name]().fit(wearer_of(least - 1, missing=0.0).history())


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_the_same_history_gives_the_same_bits(name, wearer):
    first, second = (FORECASTERS[name]().fit(wearer.history()).predict(wearer.history()) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_some_horizons_are_those_rows_of_all(wearer):
    for forecaster in FORECASTERS.values():
        history = wearer.history()
        fitted = forecaster().fit(history)
        np.testing.assert_array_equal(fitted.predict(history, [2, 7]), fitted.predict(history)[[1, 6]])


def test_ridge_recovers_a_planted_alcohol_effect(wearer_of):
    """150 nights, -10 % a drink, prior -7.5 %: the posterior must follow the wearer, for strong and for no effect."""
    found = {
        planted: Ridge().fit(wearer_of(200, seed=5, alcohol_effect=planted).history()).effects()["dose_alcohol"]
        for planted in (-0.16, -0.1, 0.0)
    }
    for planted, effect in found.items():
        assert effect == pytest.approx(planted, abs=0.025)


def test_ridge_starts_from_what_is_known_about_people(wearer_of, table_of, fact_of):
    """Nothing was ever logged; a first "six drinks" lowers the coming night by the prior, "none" raises it a little."""
    history = wearer_of(60, seed=2, alcohol_effect=0.0).history()

    def median(*facts):
        journal = table_of("journal_facts", list(facts))
        told = type(history)(**{**vars(history), "journal": journal})
        return Ridge().fit(told).predict(told)[:, 11]

    heard = history.as_of - timedelta(hours=1)
    unknown = median()
    six = median(fact_of("six", history.origin_day, known_at=heard, kind="amount", amount=6.0))
    none = median(fact_of("none", history.origin_day, known_at=heard, kind="no"))
    assert six[0] / unknown[0] == pytest.approx(np.exp(-0.075 * (6 - 0.7)), rel=0.05)
    assert 1.02 < none[0] / unknown[0] < 1.12
    np.testing.assert_allclose(six[1:], unknown[1:], rtol=1e-9)


def test_ridge_residuals_are_those_of_leaving_each_row_out():
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(40), rng.normal(size=(40, 3))])
    y = x @ [0.0, 0.1, -0.1, 0.0] + rng.uniform(-0.1, 0.1, 40)
    mean, sd = np.zeros(4), np.full(4, 0.05)
    _, sigma, residuals = solve(x, y, mean, sd)

    def fit(rows):
        precision = x[rows].T @ x[rows] / sigma**2 + np.diag(sd**-2.0)
        return np.linalg.solve(precision, x[rows].T @ y[rows] / sigma**2)

    left_out = [y[i] - x[i] @ fit(np.arange(40) != i) for i in range(40)]
    np.testing.assert_allclose(residuals, left_out, rtol=0.05, atol=2e-3)


def test_boosted_finds_what_only_a_threshold_explains(wearer_of):
    """Nights after strain above 12 are 40 % lower: trees must say so, whatever else they say."""
    wearer = wearer_of(200, seed=4, missing=0.0, alcohol_effect=0.0, noise=0.08)
    hard = wearer.days.filter(pl.col("strain_0_21") > 12)["day"].to_list()
    after = {day + timedelta(days=1) for day in hard}
    days = wearer.days.with_columns(
        hrv_rmssd_ms=pl.col("hrv_rmssd_ms") * pl.when(pl.col("day").is_in(list(after))).then(0.6).otherwise(1.0)
    )
    planted = type(wearer)(days, wearer.journal, wearer.drinks)
    fitted = Boosted().fit(planted.history())
    medians = {True: [], False: []}
    for back in range(1, 40):
        day = date(2026, 11, 22) - timedelta(days=back)
        medians[day in hard].append(fitted.predict(planted.history(day), [1])[0, 11])
    assert np.mean(medians[True]) < 0.9 * np.mean(medians[False])


def test_residual_law_is_empirical_once_there_is_enough():
    residuals = np.linspace(-1, 1, 41)
    np.testing.assert_allclose(log_quantiles(residuals), np.quantile(residuals, QUANTILE_LEVELS))
    np.testing.assert_allclose(log_quantiles(np.array([np.nan])), PRIOR_LAW)
    half = log_quantiles(np.zeros(10))
    np.testing.assert_allclose(half, PRIOR_LAW / 2)


def test_the_prior_law_is_that_of_the_reference():
    """SD 0.24 and skew about -0.85 of ln RMSSD (forecasting.md 2.3), by integrating its quantile function."""
    sample = np.interp(np.linspace(0.005, 0.995, 5000), QUANTILE_LEVELS, PRIOR_LAW)
    assert sample.mean() == pytest.approx(0, abs=0.03)
    assert sample.std() == pytest.approx(0.24, abs=0.03)
    assert ((sample - sample.mean()) ** 3).mean() / sample.std() ** 3 == pytest.approx(-0.85, abs=0.3)
