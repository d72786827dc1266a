"""What holds for every forecaster on any history, and what the linear members must learn."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from hrv_shared.errors import Refusal, TooFewNights
from hrv_shared.forecaster import Forecaster, find_forecasters
from model_training.behaviours import BEHAVIOURS
from model_training.forecasters import fracast
from model_training.forecasters.ridge import Ridge
from model_training.forecasters.state_space import StateSpace
from model_training.foundation.fracast_net import FracastNet
from model_training.residual_law import USUAL_LAW, empirical_law
from test_training_foundation import shapes

FORECASTERS = find_forecasters()
QUICK = ("ewma_8", "last_28", "last_night", "ridge", "state_space", "weekday")
ALCOHOL = next(b for b in BEHAVIOURS if b.name == "alcohol")


@pytest.fixture(autouse=True)
def random_fracast(monkeypatch):
    """Fracast's network with random weights, so that nothing is fetched; its law of errors makes up for them."""
    rng = np.random.default_rng(7)
    weights = {
        n: (("norm" in n) + rng.standard_normal(s) / np.sqrt(s[-1])).astype(np.float32)
        for n, s in shapes().items()
    }
    net = FracastNet(weights)
    monkeypatch.setattr(fracast, "loaded_net", lambda **_: net)


def test_ours_are_found_by_entry_point():
    assert set(QUICK) <= set(FORECASTERS)


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_keeps_the_protocol_and_opens_with_its_card(name):
    forecaster = FORECASTERS[name]()
    assert isinstance(forecaster, Forecaster)
    assert forecaster.name == name
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{8}", forecaster.version)
    card = sys.modules[FORECASTERS[name].__module__].__doc__
    assert all(f"\n{part}" in card for part in ("Assumes", "Is not", "Refuses", "Band"))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
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


@pytest.mark.parametrize("name", sorted(set(FORECASTERS) - set(QUICK)))
@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_the_slower_ones_are_a_distribution_even_with_gaps(name, missing, wearer_of):
    history = wearer_of(150, seed=3, missing=missing).history()
    check_distribution(FORECASTERS[name]().fit(history).predict(history))


def check_distribution(quantiles):
    assert quantiles.shape == (len(HORIZONS), len(QUANTILE_LEVELS))
    assert np.isfinite(quantiles).all() and (quantiles > 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_refuses_one_night_too_few_and_speaks_from_there(name, wearer_of):
    forecaster = FORECASTERS[name]
    least = forecaster.least_nights
    enough = wearer_of(least, missing=0.0).history()
    check_distribution(forecaster().fit(enough).predict(enough))
    with pytest.raises(TooFewNights, match=f"{name} needs {least} scored nights, {least - 1} are known"):
        forecaster().fit(wearer_of(least - 1, missing=0.0).history())


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_the_same_history_gives_the_same_bits(name, wearer):
    first, second = (FORECASTERS[name]().fit(wearer.history()).predict(wearer.history()) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_some_horizons_are_those_rows_of_all(name, wearer):
    history = wearer.history()
    fitted = FORECASTERS[name]().fit(history)
    np.testing.assert_array_equal(fitted.predict(history, [2, 7]), fitted.predict(history)[[1, 6]])


@pytest.mark.parametrize("forecaster", [Ridge, StateSpace])
def test_an_alcohol_effect_becomes_the_wearers_own(forecaster, wearer_of, table_of, fact_of):
    """200 nights, drinks logged; three drinks tonight against none. The answer has to follow the wearer.

    It is drawn to what is usual in people, more so by ridge; so the three wearers' answers are compared.
    """
    answers = []
    for planted in (-0.16, -0.08, 0.0):
        history = wearer_of(200, seed=5, alcohol_effect=planted).history()
        past = history.journal.filter(pl.col("day") < history.origin_day)
        tonights = [table_of("journal_facts", [tonight(fact_of, history, drinks)]) for drinks in (0, 3)]
        medians = [told(forecaster, history, past, fact.select(past.columns)) for fact in tonights]
        answers.append(np.log(medians[1][0] / medians[0][0]) / 3)
    strong, middle, none = answers
    assert strong < middle - 0.015 < none - 0.03
    assert none == pytest.approx(0.0, abs=0.035)
    assert strong == pytest.approx(-0.16, abs=0.06)


@pytest.mark.parametrize("forecaster", [Ridge, StateSpace])
def test_starts_from_what_is_known_about_people(forecaster, wearer_of, table_of, fact_of):
    """Nothing was ever logged; a first "six drinks" lowers the coming night by about what it does to people."""
    history = wearer_of(60, seed=2, alcohol_effect=0.0).history()
    nothing = table_of("journal_facts", [])
    unknown = told(forecaster, history, nothing)
    six, none = (
        told(forecaster, history, nothing, table_of("journal_facts", [tonight(fact_of, history, drinks)]))
        for drinks in (6, 0)
    )
    said = np.exp(ALCOHOL.effect * (6 - ALCOHOL.usual_dose))
    assert said * 0.8 < six[0] / unknown[0] < said * 1.25
    assert 1.0 < none[0] / unknown[0] < 1.12
    np.testing.assert_allclose(six[1:], unknown[1:], rtol=1e-9)


def tonight(fact_of, history, drinks):
    """A fact about the coming night, heard an hour ago."""
    said = {"kind": "amount", "amount": float(drinks)} if drinks else {"kind": "no"}
    return fact_of("tonight", history.origin_day, known_at=history.as_of - timedelta(hours=1), **said)


def told(forecaster, history, past, *facts):
    """Medians [7] with the journal ``past`` and these facts about tonight."""
    journal = pl.concat([past, *facts])
    informed = replace(history, journal=journal)
    return forecaster().fit(informed).predict(informed)[:, MEDIAN_INDEX]


def test_the_plain_law_is_empirical_once_there_is_enough():
    residuals = np.linspace(-1, 1, 41)
    np.testing.assert_allclose(empirical_law(residuals), np.quantile(residuals, QUANTILE_LEVELS))
    np.testing.assert_allclose(empirical_law(np.array([np.nan])), USUAL_LAW)
    np.testing.assert_allclose(empirical_law(np.zeros(10)), USUAL_LAW / 2)


def test_the_usual_law_is_that_of_the_reference():
    """SD 0.24 and skew about -0.85 of ln RMSSD (forecasting.md 2.3), by integrating its quantile function."""
    sample = np.interp(np.linspace(0.005, 0.995, 5000), QUANTILE_LEVELS, USUAL_LAW)
    assert sample.mean() == pytest.approx(0, abs=0.03)
    assert sample.std() == pytest.approx(0.24, abs=0.03)
    assert ((sample - sample.mean()) ** 3).mean() / sample.std() ** 3 == pytest.approx(-0.85, abs=0.3)
