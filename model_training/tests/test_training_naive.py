"""The naive rules against answers worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from hrv_shared.errors import StaleData, TooFewNights
from hrv_shared.history import make_history
from model_training.day_grid import day_grid, ewma
from model_training.forecasters.ewma_8 import Ewma8
from model_training.forecasters.last_28 import Last28
from model_training.forecasters.last_night import LastNight, empirical_laws
from model_training.forecasters.weekday import Weekday
from model_training.residual_law import empirical_law

FIRST = datetime(2026, 1, 1, 7, tzinfo=UTC)
RULES = [LastNight, Last28, Ewma8, Weekday]


@pytest.fixture
def nights(table_of):
    """Nightly values (None = not worn) -> the history on the evening of the last day."""

    def of(values, origin_after=0):
        rows = [
            dict(
                member_id="me", day=(FIRST + timedelta(days=i)).date(), known_at=FIRST + timedelta(days=i),
                basis="seen", source="x", utc_offset_min=0, state="scored" if value else "no_sleep", hrv_rmssd_ms=value,
                wake_at=FIRST + timedelta(days=i),
            )
            for i, value in enumerate(values)
        ]  # fmt: skip
        last = FIRST + timedelta(days=len(values) - 1 + origin_after)
        days, journal = table_of("days", rows), table_of("journal_facts", [])
        return make_history(days, journal, "me", last + timedelta(hours=15), last.date(), "evening")

    return of


def test_last_28_is_the_quantiles_of_the_last_28_scored_nights(nights):
    values = [500.0 / 3, *[None] * 2, *map(float, range(31, 59))]
    forecast = Last28().fit(nights(values)).predict(nights(values))
    assert forecast.shape == (7, 23)
    expected = [
        31 + level * 27 for level in QUANTILE_LEVELS
    ]  # 28 equally spaced values: linear between 31 and 58
    np.testing.assert_allclose(forecast, np.tile(expected, (7, 1)), rtol=1e-12)


def test_last_night_carries_the_last_value_and_its_own_errors(nights):
    values = [40.0, 50.0] * 20
    forecast = LastNight().fit(nights(values)).predict(nights(values), [1, 2])
    # one night ahead it was always wrong by the factor 1.25 up (20 times) or down (19 times); two nights ahead never
    assert forecast[0, 0] == pytest.approx(40.0)
    assert forecast[0, -1] == pytest.approx(62.5)
    assert forecast[0, MEDIAN_INDEX] == pytest.approx(62.5)
    np.testing.assert_allclose(forecast[1], 50.0)


def test_last_night_uses_the_last_scored_one(nights):
    values = [40.0] * 30 + [44.0, None]
    assert LastNight().fit(nights(values)).predict(nights(values), [1])[0, MEDIAN_INDEX] == pytest.approx(
        44.0
    )


def test_ewma_8_halves_in_eight_nights(nights):
    log_hrv = [3.0] * 40 + [4.0] + [3.0] * 8
    history = nights([float(np.exp(v)) for v in log_hrv])
    forecaster = Ewma8().fit(history)
    weights = 0.5 ** (np.arange(len(log_hrv))[::-1] / 8)
    level = (weights * log_hrv).sum() / weights.sum()
    median = np.log(forecaster.predict(history, [1])[0, MEDIAN_INDEX])
    before = [sum(0.5 ** ((i - j) / 8) * log_hrv[j] for j in range(i + 1)) / sum(0.5 ** (j / 8) for j in range(i + 1))
              for i in range(6, len(log_hrv) - 1)]  # fmt: skip
    errors = np.array(log_hrv[7:]) - before
    assert median == pytest.approx(level + np.median(errors))
    assert weights[40] / weights[-1] == pytest.approx(0.5)


def test_ewma_8_residuals_begin_with_the_seventh_night(nights):
    history = nights([20.0] + [60.0] * 30)
    # the first night's jump lies before the burn-in: no error of ln 3 may be in the band
    band = Ewma8().fit(history).predict(history, [1])[0]
    assert band[-1] / band[0] < 1.5


def test_weekday_knows_the_monday_of_a_wearer_with_mondays(nights):
    """20 % higher on Mondays for half a year: the forecast of a Monday lies there, and its band is narrow."""
    noise = np.random.default_rng(3).normal(0, 0.02, 180)
    values = [
        float(60 * np.exp(e) * (1.2 if (FIRST + timedelta(days=i)).weekday() == 0 else 1.0))
        for i, e in enumerate(noise)
    ]
    history = nights(values)
    median = Weekday().fit(history).predict(history)[:, MEDIAN_INDEX]
    monday = [(history.origin_day + timedelta(days=h)).weekday() == 0 for h in HORIZONS]
    assert median[monday] == pytest.approx(72, rel=0.08)
    np.testing.assert_allclose(median[np.logical_not(monday)], 60, rtol=0.04)
    blind = replace(day_grid(history), knows_weekday=False)
    flat = Weekday().path(blind, np.array([len(blind) - 1]))[0, :, MEDIAN_INDEX]
    assert np.ptp(np.log(flat)) < 0.02


def test_weekday_starts_as_a_level(nights):
    """A single high Monday among six weeks without any effect moves Mondays by a fraction of it."""
    values = [60.0] * 42
    values[25] = 90.0
    history = nights(values)
    median = Weekday().fit(history).predict(history)[:, MEDIAN_INDEX]
    assert median.max() < 60 * 1.12


@pytest.mark.parametrize("rule", RULES)
def test_a_path_is_the_forecast_of_every_evening(rule, nights):
    """The fast way through a history against the slow one, with gaps, from the first night on."""
    rng = np.random.default_rng(5)
    values = [None if rng.random() < 0.2 else float(v) for v in np.exp(rng.normal(4, 0.25, 70))]
    values[0] = 50.0
    grid = day_grid(nights(values))
    path = rule().path(grid, np.arange(len(grid)))
    for i in range(len(grid)):
        known = grid.until(i).log_hrv
        if np.isfinite(known).sum() < 3:
            assert np.isnan(path[i]).all()
        else:
            np.testing.assert_allclose(path[i], slowly(rule, grid.until(i)), rtol=1e-9)


def slowly(rule, grid):
    """What the rule says on the grid's last day, from its definition."""
    log_hrv = grid.log_hrv
    if rule is Last28:
        recent = log_hrv[np.isfinite(log_hrv)][-28:]
        if len(recent) >= 20:
            return np.tile(np.quantile(np.exp(recent), QUANTILE_LEVELS), (7, 1))
        return np.tile(np.exp(np.median(recent) + empirical_law(recent - np.median(recent))), (7, 1))
    if rule is Ewma8:
        centre = np.repeat(ewma(log_hrv, 8.0)[:, None], 7, axis=1)
    elif rule is LastNight:
        last = [log_hrv[: i + 1][np.isfinite(log_hrv[: i + 1])][-1] for i in range(len(log_hrv))]
        centre = np.repeat(np.array(last)[:, None], 7, axis=1)
    else:
        centre = Weekday().centre(grid)
    trusted = centre.copy()
    if rule is not LastNight:
        trusted[np.cumsum(np.isfinite(log_hrv)) < 7] = np.nan
    laws = [empirical_law(log_hrv[h:] - trusted[:-h, h - 1]) if len(log_hrv) > h else empirical_law(log_hrv[:0])
            for h in HORIZONS]  # fmt: skip
    return np.exp(centre[-1][:, None] + np.array(laws))


def test_growing_laws_are_the_laws_of_what_is_known():
    rng = np.random.default_rng(2)
    errors = np.where(rng.random((60, 7)) < 0.3, np.nan, rng.normal(size=(60, 7)))
    laws = empirical_laws(errors, np.array([0, 7, 31, 59, 31]))
    for row, end in enumerate([0, 7, 31, 59, 31]):
        for k in range(7):
            np.testing.assert_allclose(laws[row, k], empirical_law(errors[: end + 1, k]), atol=1e-12)


@pytest.mark.parametrize("forecaster", RULES)
def test_refuses_two_nights_and_a_stale_history(forecaster, nights):
    with pytest.raises(TooFewNights, match="needs 3 scored nights, 2 are known"):
        forecaster().fit(nights([50.0, 60.0]))
    forecaster().fit(nights([50.0, 60.0, 55.0], origin_after=3))
    with pytest.raises(StaleData, match="4 days old"):
        forecaster().fit(nights([50.0, 60.0, 55.0], origin_after=4))


@pytest.mark.parametrize("forecaster", RULES)
def test_three_nights_give_a_band_of_usable_width(forecaster, nights):
    forecast = forecaster().fit(nights([50.0, 50.0, 50.0])).predict(nights([50.0, 50.0, 50.0]))
    width = forecast[:, 19] / forecast[:, 3]
    assert (width > 1.4).all() and (width < 2.2).all()
