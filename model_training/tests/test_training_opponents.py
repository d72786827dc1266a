"""The opponents: that they look at nothing after the origin, and say what their libraries say."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from hrv_shared.constants import MEDIAN_INDEX, QUANTILE_LEVELS
from hrv_shared.errors import StaleData, TooFewNights
from model_training.forecasters.auto_arima import AutoArimaMember
from model_training.forecasters.auto_ets import AutoEtsMember
from model_training.forecasters.auto_theta import AutoThetaMember
from model_training.opponents import AutoArima, AutoEts, AutoTheta, LightGbmMlforecast, Person, SeriesOpponent
from model_training.opponents.auto_models import LEAST_NIGHTS, fill_gaps
from model_training.opponents.lightgbm_panel import _at_all_levels, _shifted
from model_training.saved_forecaster import load_fits, save_fits

SERIES = [AutoEts, AutoArima, AutoTheta]
QUICK = {"n_estimators": 4, "num_leaves": 4}


def nights(seed=0, days=75, missing=0.12):
    rng = np.random.default_rng(seed)
    log_hrv, ar = np.empty(days), 0.0
    for i in range(days):
        ar = 0.3 * ar + rng.normal(0, 0.15)
        log_hrv[i] = 4 + ar + 0.08 * (i % 7 == 1)
    values_ms = np.exp(log_hrv)
    values_ms[rng.random(days) < missing] = np.nan
    return values_ms


def test_a_gap_is_filled_with_the_level_before_it():
    filled = fill_gaps(np.array([np.nan, 2.0, 4.0, np.nan, np.nan, 5.0]), half_life_days=1.0)
    # weights 1/4 and 1/2 on day 3, halved again on day 4: the level stays
    expected = (2.0 * 0.25 + 4.0 * 0.5) / 0.75
    np.testing.assert_allclose(filled, [np.nan, 2.0, 4.0, expected, expected, 5.0])
    log_hrv = np.log(nights(1))
    np.testing.assert_array_equal(fill_gaps(log_hrv)[:40], fill_gaps(log_hrv[:40]))


@pytest.mark.parametrize("opponent", SERIES)
def test_nothing_after_the_origin_counts(opponent):
    values_ms, origins = nights(2), np.array([60, 40, 44])
    said = opponent().quantiles(values_ms, origins)
    assert isinstance(opponent(), SeriesOpponent)
    assert said.shape == (3, 7, 23) and np.isfinite(said).all() and (said > 0).all()
    assert (np.diff(said, axis=2) >= 0).all()
    for row, origin in enumerate(origins):
        cut = opponent().quantiles(values_ms[: origin + 1], np.array([origin]))
        poisoned = values_ms.copy()
        poisoned[origin + 1 :] = 399.0
        np.testing.assert_array_equal(cut[0], said[row])
        np.testing.assert_array_equal(opponent().quantiles(poisoned, np.array([origin]))[0], said[row])
    seen = values_ms.copy()
    seen[44] = 20.0
    changed = opponent().quantiles(seen, origins)
    assert not np.array_equal(changed[2], said[2]), "the origin's own night does count"
    np.testing.assert_array_equal(changed[1], said[1])


@pytest.mark.parametrize("opponent", SERIES)
def test_bands_are_the_librarys_own(opponent):
    values_ms = nights(3, missing=0.0)
    said = opponent(refit_every=1).quantiles(values_ms, np.array([len(values_ms) - 1]))[0]
    model = opponent()._model().fit(np.log(values_ms))
    own = model.predict(h=7, level=[80, 95])
    index = {level: QUANTILE_LEVELS.index(level) for level in (0.025, 0.1, 0.9, 0.975)}
    # Theta's bands are quantiles of 200 simulated paths, which do not rise strictly around the mean: sorting moves some
    tolerance = 0.03 if opponent is AutoTheta else 1e-6
    np.testing.assert_allclose(np.log(said[:, MEDIAN_INDEX]), own["mean"], atol=tolerance)
    for level, key in zip(index, ("lo-95", "lo-80", "hi-80", "hi-95"), strict=True):
        np.testing.assert_allclose(np.log(said[:, index[level]]), np.asarray(own[key]), atol=tolerance)


def test_bands_are_stretched_by_the_missing_share():
    filled = np.log(nights(4, missing=0.0))
    model, everything = AutoEts().fit_log(filled), np.ones(len(filled), bool)
    half = everything.copy()
    half[1::2] = False
    whole, sparse = (AutoEts().predict_log(model, filled, seen) for seen in (everything, half))
    share = np.sqrt(len(filled) / half.sum())
    inner = slice(6, 17)  # inside the clipped range
    deviation = (whole - whole[:, [MEDIAN_INDEX]])[:, inner]
    np.testing.assert_allclose(
        (sparse - sparse[:, [MEDIAN_INDEX]])[:, inner], share * deviation, rtol=1e-9, atol=1e-12
    )


def test_silent_before_two_weeks_and_unshaken_by_odd_series():
    values_ms = nights(5, days=40, missing=0.0)
    said = AutoTheta().quantiles(values_ms, np.arange(40))
    assert np.isnan(said[: LEAST_NIGHTS - 1]).all() and np.isfinite(said[LEAST_NIGHTS - 1 :]).all()
    assert np.isnan(AutoEts().quantiles(np.full(30, np.nan), np.array([29]))).all()
    assert AutoEts().quantiles(np.array([]), np.array([], int)).shape == (0, 7, 23)
    for opponent in SERIES:
        constant = opponent().quantiles(np.full(30, 50.0), np.array([29]))
        np.testing.assert_allclose(constant[0, :, MEDIAN_INDEX], 50.0, rtol=1e-3)
        jump = np.r_[values_ms, np.full(20, np.nan), values_ms[:20] * 4]
        wild = opponent().quantiles(jump, np.array([39, 58, 60, 62, 79]))
        assert np.isfinite(wild).all() and wild.min() >= 1 and wild.max() <= 400


class OutOfRange:
    """A fit that has gone bad, as an MA(1) term of nearly one from two weeks of real nights does."""

    def forward(self, y, h, level):
        mean = np.tile([y.min() - 1, y.max() + 1], h)[:h]
        return {"mean": mean} | {f"{end}-{band}": mean for band in level for end in ("lo", "hi")}


def test_a_fit_that_leaves_the_range_is_made_anew():
    filled = np.log(nights(6, missing=0.0))
    opponent, everything = AutoEts(), np.ones(len(filled), bool)
    fresh = opponent.predict_log(opponent.fit_log(filled), filled, everything)
    np.testing.assert_array_equal(opponent.predict_log(OutOfRange(), filled, everything), fresh)
    opponent.fit_log = lambda window: OutOfRange()
    last_resort = opponent.predict_log(OutOfRange(), filled, everything)
    np.testing.assert_allclose(last_resort[:, MEDIAN_INDEX], filled.mean())
    np.testing.assert_allclose(
        last_resort[:, 3] - last_resort[:, 11], -1.2816 * filled.std(ddof=1), rtol=1e-4
    )


def test_lightgbm_learns_the_weekday_of_the_night_itself():
    # one night in seven is low and nothing else happens: every horizon has to put it on its own day
    days = 120
    people = [
        Person(date(2026, 1, 5), 60 - 20.0 * (np.arange(days) % 7 == 2) + 0.01 * np.arange(days))
        for _ in range(2)
    ]
    said = LightGbmMlforecast(
        groups=1, refits=1, settings={"n_estimators": 60, "min_child_samples": 5}
    ).panel_quantiles(people, [np.arange(100, 108), np.arange(100, 108)])[0][:, :, MEDIAN_INDEX]
    low = (np.arange(100, 108)[:, None] + np.arange(1, 8)) % 7 == 2
    assert said[low].max() < 50 < said[~low].min()


def panel():
    people = [Person(date(2026, 1, 1 + p), nights(10 + p, days=60 + 5 * p)) for p in range(4)]
    return people, [np.arange(30, 60, 6) for _ in people]


def test_lightgbm_sees_nothing_of_its_person_after_the_origin():
    people, origins = panel()
    opponent = LightGbmMlforecast(groups=2, settings=QUICK)
    said = opponent.panel_quantiles(people, origins)
    assert [one.shape for one in said] == [(5, 7, 23)] * 4
    assert all(np.isfinite(one).all() and (np.diff(one, axis=2) >= 0).all() for one in said)
    poisoned = people[1].values_ms.copy()
    poisoned[43:] = 399.0  # after the third of five origins (30, 36, 42, 48, 54)
    again = opponent.panel_quantiles([people[0], Person(people[1].first_day, poisoned), *people[2:]], origins)
    np.testing.assert_array_equal(again[1][:3], said[1][:3])
    assert not np.array_equal(again[1][3:], said[1][3:])
    # the other person of the same group learned from it up to the cut only; those of the other group from all of it
    np.testing.assert_array_equal(again[3][:3], said[3][:3])
    assert not np.array_equal(again[0], said[0])


def test_lightgbm_is_silent_before_two_weeks_and_refuses_unpaired_lists():
    people, origins = panel()
    early = [np.array([5, 40]), *origins[1:]]
    said = LightGbmMlforecast(groups=1, refits=1, settings=QUICK).panel_quantiles(people, early)
    assert np.isnan(said[0][0]).all() and np.isfinite(said[0][1]).all()
    with pytest.raises(ValueError, match="one list of origins a person, got 3 for 4"):
        LightGbmMlforecast().panel_quantiles(people, origins[:3])


def test_filled_nights_are_no_targets_and_levels_are_joined():
    ahead = _shifted(np.array([True, False, True]))
    np.testing.assert_array_equal(ahead[:, 0], [True, False, True])
    np.testing.assert_array_equal(ahead[:, 1], [False, True, False])
    assert not ahead[:, 3:].any()
    from scipy.special import ndtri

    gaussian = 4 + 0.2 * ndtri((0.01, 0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.975, 0.99))
    np.testing.assert_allclose(
        _at_all_levels(gaussian[None])[0], 4 + 0.2 * ndtri(QUANTILE_LEVELS), atol=1e-12
    )


@pytest.mark.parametrize(("member", "opponent"), [(AutoEtsMember, AutoEts), (AutoThetaMember, AutoTheta)])
def test_members_say_what_the_opponents_say(member, opponent, wearer, tmp_path):
    history = wearer.history()
    fitted = member().fit(history)
    values_ms = history.hrv_series()[1]
    expected = opponent(refit_every=1).quantiles(values_ms, np.array([len(values_ms) - 1]))[0]
    np.testing.assert_array_equal(fitted.predict(history), expected)
    np.testing.assert_array_equal(fitted.predict(history, [3]), expected[[2]])
    save_fits({"evening": fitted}, tmp_path / "fit.skops")
    loaded = load_fits(tmp_path / "fit.skops")["evening"]
    np.testing.assert_array_equal(loaded.predict(history), expected)


def test_members_refuse(wearer_of):
    from datetime import timedelta

    wearer = wearer_of(10)
    with pytest.raises(TooFewNights, match="auto_arima needs 14 scored nights"):
        AutoArimaMember().fit(wearer.history())
    long = wearer_of(40, missing=0.0)
    last = long.days["day"].max()
    with pytest.raises(StaleData, match="auto_ets"):
        AutoEtsMember().fit(long.history(last + timedelta(days=5)))
