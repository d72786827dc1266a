"""The online combination: late as life, better than its parts, calibrated, and blind to what has not come true."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.scoring import covered, crps_from_quantiles
from model_training.combination import combine
from model_training.week_paths import fit_correlation, sample_paths

LEVELS = np.array(QUANTILE_LEVELS)
Z = norm.ppf(LEVELS)


def world(n: int = 400, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A level that two members know half of each, with bands that are too narrow and too wide."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 0.12, (2, n))
    outcomes = np.exp(4 + a + b + rng.normal(0, 0.15, n))
    members = {}
    for name, known, sd in (("ridge", a, 0.12), ("trees", b, 0.3)):
        said = np.full((n, 7, 23), np.nan)
        for k, h in enumerate(HORIZONS):
            said[:-h, k] = np.exp(4 + known[h:, None] + sd * Z)
            said[-h:, k] = np.exp(4 + sd * Z)
        members[name] = said
    return members, outcomes


def mean_crps(said: np.ndarray, outcomes: np.ndarray, horizon: int, since: int = 100) -> float:
    return float(crps_from_quantiles(said[since:-horizon, horizon - 1], outcomes[since + horizon :]).mean())


@pytest.mark.parametrize("horizon", [1, 4, 7])
def test_the_combination_beats_each_member_and_holds_what_it_says(horizon):
    members, outcomes = world()
    combined = combine(members, outcomes).quantiles_ms
    ours = mean_crps(combined, outcomes, horizon)
    assert ours < min(mean_crps(said, outcomes, horizon) for said in members.values())
    plain = combine(members, outcomes).averaged_ms
    inside, before = (
        covered(said[100:-horizon, horizon - 1], outcomes[100 + horizon :], 0.8).mean() for said in (combined, plain)
    )
    assert before < 0.62 and inside > before + 0.04


def test_an_outcome_counts_no_earlier_than_its_horizon():
    members, outcomes = world(120)
    before = combine(members, outcomes)
    changed = outcomes.copy()
    changed[80] = 5.0
    after = combine(members, changed)
    for k in range(7):
        np.testing.assert_array_equal(before.quantiles_ms[:80, k], after.quantiles_ms[:80, k])
        assert not np.array_equal(before.weights[80, k], after.weights[80, k])
    cut = combine({name: said[:80] for name, said in members.items()}, outcomes[:80])
    np.testing.assert_array_equal(before.quantiles_ms[:80], cut.quantiles_ms)
    assert before.scored[6, 6] == 0 and before.scored[7, 6] == 1


def test_quantiles_rise_and_the_median_is_the_members_own():
    members, outcomes = world(300, seed=5)
    combined = combine(members, outcomes)
    assert np.all(np.diff(combined.quantiles_ms, axis=2) >= 0)
    np.testing.assert_allclose(combined.quantiles_ms[:, :, 11], combined.averaged_ms[:, :, 11], rtol=1e-12)
    np.testing.assert_allclose(combined.weights.sum(axis=2), 1.0)


def test_gaps_silence_and_a_month_without_nights():
    members, outcomes = world(200)
    members["ridge"][:50] = np.nan
    outcomes[90:120] = np.nan
    combined = combine(members, outcomes)
    assert combined.weights[10, 0].tolist() == [0.0, 1.0]
    assert np.isfinite(combined.quantiles_ms).all()
    silent = combine({"ridge": np.full((10, 7, 23), np.nan)}, outcomes[:10])
    assert np.isnan(silent.quantiles_ms).all()


def test_a_new_device_level_is_weathered():
    """All bands suddenly lie 30 % too low: coverage of the last nights comes back."""
    rng = np.random.default_rng(1)
    outcomes = np.exp(4 + rng.normal(0, 0.2, 500) + 0.3 * (np.arange(500) >= 250))
    level = np.array([np.mean(np.log(outcomes[max(0, i - 20) : i + 1])) for i in range(500)])
    said = np.exp(level[:, None, None] + 0.2 * Z[None, None, :] + np.zeros((500, 7, 23)))
    combined = combine({"ridge": said}, outcomes).quantiles_ms
    inside = covered(combined[320:-1, 0], outcomes[321:], 0.8).mean()
    assert 0.74 < inside < 0.9


def test_paths_keep_each_nights_band_and_tie_the_nights():
    quantiles = np.exp(4 + 0.25 * Z) * np.ones((7, 1))
    correlation = 0.4 ** np.abs(np.subtract.outer(np.arange(7), np.arange(7)))
    paths = sample_paths(quantiles, correlation, 4000, seed=1)
    np.testing.assert_allclose(np.quantile(paths, LEVELS, axis=0).T, quantiles, rtol=0.02)
    assert np.corrcoef(np.log(paths[:, 0]), np.log(paths[:, 1]))[0, 1] == pytest.approx(0.4, abs=0.05)
    np.testing.assert_array_equal(paths, sample_paths(quantiles, correlation, 4000, seed=1))


def test_the_correlation_of_nights_is_found():
    rng = np.random.default_rng(2)
    people = []
    for _ in range(6):
        shared = rng.normal(0, 0.7, 400)
        errors = np.full((400, 7), np.nan)
        for k, h in enumerate(HORIZONS):
            errors[h:, k] = shared[:-h] + rng.normal(0, 0.7, 400 - h)
        people.append(errors)
    found = fit_correlation(people)
    assert found[0, 1] == pytest.approx(0.5, abs=0.08) and np.linalg.eigvalsh(found).min() > 0
