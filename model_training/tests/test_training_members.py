"""The pooled members beyond the linear ones: the mixture for hit nights, and the trees on ridge's error."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import expit, ndtr

from hrv_shared.constants import QUANTILE_LEVELS
from model_training.day_grid import DayGrid
from model_training.features import features
from model_training.forecasters.boosted import Boosted, grown_trees, predicted_by_trees, residual_rows
from model_training.forecasters.global_xgboost import GlobalXGBoost
from model_training.forecasters.hit_night import (
    FACTS,
    START,
    HitNight,
    Mixture,
    fitted_rule,
    negative_log_likelihood,
)
from model_training.forecasters.ridge import Ridge
from model_training.forecasters.state_space import StateSpace
from model_training.paths import Located
from model_training.pool import Pool
from test_training_paths import everybody

LEVELS = np.asarray(QUANTILE_LEVELS)
POOLED = [HitNight, Boosted, GlobalXGBoost]
TREES = [Boosted, GlobalXGBoost]
EVERY = {kind.name: kind for kind in (StateSpace, Ridge, *POOLED)}


@cache
def grids() -> list[DayGrid]:
    """Seven synthetic people of 110 nights, their drinks told in the evening."""
    return [person.grid("evening") for person in everybody()[:-1]]


@cache
def pool() -> Pool:
    """Fitted on five of them, and through JSON as a pool on disk is."""
    parts: dict = {}
    for name, kind in EVERY.items():
        parts[name] = kind.fit_pool(grids()[:5], parts)
    return Pool({"evening": json.loads(json.dumps(parts))}, {})


# --- all three ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", POOLED)
def test_a_path_is_a_distribution_from_its_first_night_on(kind):
    grid = grids()[-1]
    path = kind(pool()).path(grid, np.arange(len(grid)))
    silent = np.cumsum(np.isfinite(grid.log_hrv)) < kind.least_nights
    assert np.isnan(path[silent]).all()
    assert np.isfinite(path[~silent]).all() and (path[~silent] > 0).all()
    assert (np.diff(path[~silent], axis=2) >= 0).all()


@pytest.mark.parametrize("kind", POOLED)
def test_fits_the_same_part_twice_and_refuses_to_guess_what_it_builds_on(kind):
    below = pool().parts["evening"]
    needed = {name: below[name] for name in kind.builds_on}
    first, second = (json.dumps(kind.fit_pool(grids()[:2], needed), sort_keys=True) for _ in range(2))
    assert first == second
    with pytest.raises(ValueError, match=f"expected the part of {kind.builds_on[0]}"):
        kind.fit_pool(grids()[:5])


@pytest.mark.parametrize("kind", POOLED)
def test_a_hidden_calendar_stays_hidden(kind):
    """The same nights on other weekdays: all the same to a forecaster that may not look at the calendar."""
    hidden = replace(grids()[-1], knows_weekday=False)
    moved = replace(hidden, days=[day.fromordinal(day.toordinal() + 2) for day in hidden.days])
    origins = np.array([40, 80, 100])
    forecaster = kind(pool())
    np.testing.assert_array_equal(forecaster.path(hidden, origins), forecaster.path(moved, origins))
    told = replace(hidden, knows_weekday=True)
    assert np.abs(forecaster.path(told, origins) / forecaster.path(hidden, origins) - 1).max() > 1e-3


@pytest.mark.parametrize("kind", POOLED)
def test_stays_near_the_member_that_it_builds_on(kind):
    """What a member adds is a correction of a few per cent, never another forecast."""
    grid = grids()[-1]
    origins = np.arange(30, len(grid))
    own = np.log(kind(pool()).path(grid, origins)[:, :, 11])
    below = np.log(EVERY[kind.builds_on[0]](pool()).path(grid, origins)[:, :, 11])
    assert 0 < np.abs(own - below).mean() < 0.05


# --- hit_night ----------------------------------------------------------------------------------------------------


def test_the_mixture_is_inverted_to_the_last_digit():
    rng = np.random.default_rng(0)
    mixture = Mixture(rng.uniform(0, 1, 50), (rng.normal(0.3, 0.1, 50), rng.normal(-1.5, 0.3, 50)),
                      (rng.uniform(0.5, 1, 50), rng.uniform(0.8, 1.5, 50)))  # fmt: skip
    quantiles = mixture.quantiles(np.tile(LEVELS, (50, 1)))
    np.testing.assert_allclose(mixture.cdf(quantiles), np.tile(LEVELS, (50, 1)), atol=1e-8)
    only = Mixture(np.zeros(1), (np.array([0.2]), np.array([-2.0])), (np.array([0.7]), np.array([1.0])))
    assert only.cdf(np.array([0.9]))[0] == pytest.approx(ndtr(1.0))


def test_a_night_far_below_was_hit_and_one_above_was_not():
    mixture = Mixture(
        np.full(3, 0.15), (np.full(3, 0.2), np.full(3, -1.5)), (np.full(3, 0.8), np.full(3, 1.2))
    )
    low, usual, high = mixture.hit_given(np.array([-3.0, 0.2, 1.5]))
    assert low > 0.9 > 0.15 > usual > high


def test_the_gradient_is_that_of_the_likelihood():
    rng = np.random.default_rng(4)
    facts = np.column_stack([rng.normal(size=(200, len(FACTS) - 1)), np.ones(200)])
    errors, weights = rng.normal(size=200) - (rng.random(200) < 0.2) * 1.5, rng.uniform(0.5, 2, 200)
    at = np.concatenate([rng.normal(0, 0.1, len(FACTS)), START + 0.1])
    size = np.linalg.norm(negative_log_likelihood(at, facts, errors, weights)[1])
    wrong = check_grad(
        lambda p: negative_log_likelihood(p, facts, errors, weights)[0],
        lambda p: negative_log_likelihood(p, facts, errors, weights)[1], at,
    )  # fmt: skip
    assert wrong < 1e-5 * size


def test_planted_hits_are_found():
    """Drinks triple the odds of a hit of two SDs; what has no effect gets none."""
    rng = np.random.default_rng(9)
    facts = np.zeros((12_000, len(FACTS)))
    facts[:, FACTS.index("one")] = 1.0
    facts[:, FACTS.index("alcohol")] = rng.random(len(facts)) < 0.3
    facts[:, FACTS.index("rhr_z")] = rng.normal(size=len(facts))
    hit = rng.random(len(facts)) < expit(-2.0 + np.log(3) * facts[:, FACTS.index("alcohol")])
    errors = np.where(hit, rng.normal(-1.8, 1.1, len(facts)), rng.normal(0.25, 0.7, len(facts)))
    rule = fitted_rule(facts, errors, np.ones(len(facts)))
    found = dict(zip(FACTS, rule["hit"], strict=True))
    assert found["alcohol"] == pytest.approx(np.log(3), abs=0.3)
    assert found["rhr_z"] == pytest.approx(0.0, abs=0.1)
    assert found["one"] == pytest.approx(-2.0, abs=0.3)
    _, drop, ln_sd, ln_sd_hit, _ = rule["shape"]
    assert drop == pytest.approx(2.05, abs=0.25)
    assert np.exp([ln_sd, ln_sd_hit]) == pytest.approx([0.7, 1.1], abs=0.12)


def test_higher_odds_stretch_the_left_tail_more_than_the_right():
    """A pool in which drinking makes hits likely: three drinks tonight stretch the lower half of the band."""
    part = json.loads(json.dumps(pool().parts["evening"]["hit_night"]))
    for rule in part["rules"].values():
        rule["hit"] = [1.5 if name == "alcohol" else -2.5 if name == "one" else 0.0 for name in FACTS]
        rule["shape"] = [0.3, 2.0, -0.4, 0.2, 0.9]
    planted = HitNight(Pool({"evening": pool().parts["evening"] | {"hit_night": part}}, {}))
    grid = grids()[-1]
    last = np.array([len(grid) - 1])
    lower, upper = [], []
    for drinks in (0.0, 3.0):
        dose = grid.dose.copy()
        dose[-1, 0, 0] = drinks
        log_ms = np.log(planted.path(replace(grid, dose=dose), last)[0, 0])
        lower.append(log_ms[11] - log_ms[3])
        upper.append(log_ms[19] - log_ms[11])
    assert lower[1] > 1.3 * lower[0]
    assert lower[1] / lower[0] > 1.3 * upper[1] / upper[0]


def test_who_is_hit_often_gets_higher_odds():
    """The same wearer with every fifth night 40 % lower: the lower half of the band grows relative to the upper."""
    grid = grids()[-1]
    low = grid.log_hrv.copy()
    low[np.random.default_rng(1).random(len(low)) < 0.2] -= 0.5
    skews = []
    for log_hrv in (grid.log_hrv, low):
        log_ms = np.log(
            HitNight(pool()).path(replace(grid, log_hrv=log_hrv), np.array([len(grid) - 1]))[0, 0]
        )
        skews.append((log_ms[11] - log_ms[2]) / (log_ms[20] - log_ms[11]))
    assert skews[1] > skews[0] + 0.1


# --- trees on ridge's error ---------------------------------------------------------------------------------------


def test_the_trees_read_from_plain_arrays_say_what_scikit_learn_says(monkeypatch):
    from sklearn.ensemble import GradientBoostingRegressor

    rng = np.random.default_rng(2)
    x = np.column_stack([rng.normal(size=(800, 3)), rng.integers(0, 2, 800)])
    y = np.where(x[:, 0] > 0.5, -1.0, 0.2) + 0.3 * x[:, 3] + rng.normal(0, 0.3, 800)
    kept = []
    plain = GradientBoostingRegressor.fit

    def fit(self, *args, **kwargs):
        kept.append(self)
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(GradientBoostingRegressor, "fit", fit)
    forest = json.loads(json.dumps(grown_trees(x, y, np.ones(800), 0.84)))
    np.testing.assert_allclose(predicted_by_trees(forest, x), kept[0].predict(x), atol=1e-4)
    assert np.mean(y < predicted_by_trees(forest, x)) == pytest.approx(0.84, abs=0.03)


@pytest.mark.parametrize("kind", TREES)
def test_finds_what_only_a_threshold_explains(kind):
    """What is left over is lower by one spread past a threshold that no straight line has, and wider past another."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(6000, 5))
    spread = np.where(x[:, 2] > 0, 1.2, 0.4)
    y = np.where(np.abs(x[:, 0]) > 1.0, -1.0, 0.4) + spread * rng.normal(size=6000)
    held = kind.grown(x, y, np.ones(len(x)))
    new = np.array([[0.0, 0, -1, 0, 0], [2.0, 0, -1, 0, 0], [-2.0, 0, 1, 0, 0]])
    low, middle, high = np.sort(kind.quantiles(held, new), axis=1).T
    assert middle[0] > middle[1] + 0.6 and middle[0] > middle[2] + 0.6  # 1.4 planted; few rounds on purpose
    assert (high - low)[2] > 1.5 * (high - low)[1]


@pytest.mark.parametrize("kind", TREES)
def test_its_part_is_small_and_pays_attention_to_unknown_values(kind):
    part = pool().parts["evening"][kind.name]
    assert len(json.dumps(part)) < 400_000
    grid = grids()[-1]
    nothing = replace(grid, daytime={name: np.full(len(grid), np.nan) for name in grid.daytime})
    origins = np.array([90])
    forecaster = kind(pool())
    assert np.isfinite(forecaster.path(nothing, origins)).all()
    assert np.abs(forecaster.path(nothing, origins) / forecaster.path(grid, origins) - 1).max() > 1e-3


def test_rows_hold_the_error_of_ridge_and_nothing_of_the_future():
    grid = grids()[0]
    below = Ridge(pool()).locate(grid)
    x, y = residual_rows(grid, below, (1, 3))
    n = len(grid)
    assert x.shape[0] == y.shape[0] == 2 * n
    day = next(i for i in range(50, n - 3) if np.isfinite(grid.log_hrv[i + 3]))
    missed = (grid.log_hrv[day + 3] - below.mean[day, 2]) / features(grid).scale[day]
    assert y[n + day] == pytest.approx(missed, rel=1e-9)
    assert np.isnan(y[2 * n - 3 :]).all()
    cut = grid.until(day)
    early, _ = residual_rows(cut, Located(below.mean[: day + 1], below.sd[: day + 1]), (1, 3))
    np.testing.assert_allclose(early[: day + 1], x[: day + 1], rtol=1e-12)
