"""The mathematics of effects against slow plain references, and the budget for false findings."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_intelligence.discoveries import within_budget
from data_intelligence.regression import fit_joint
from data_intelligence.sparse_prior import Prior, draw_coefficients


def made_up(n, seed, gaps=False):
    rng = np.random.default_rng(seed)
    day = np.arange(n)
    if gaps:
        day = np.sort(rng.choice(int(n * 1.3), n, replace=False))
    x = (rng.random((n, 4)) < 0.3).astype(float)
    noise, level, carried = np.zeros(n), np.cumsum(rng.normal(0, 0.012, n)), 0.0
    for i in range(n):
        carried = 0.25 * carried + 0.14 * rng.standard_t(4)
        noise[i] = carried
    return 4.0 + level + noise + x @ np.array([-0.2, 0.1, 0.0, 0.0]), x, day


def gibbs(y, x, day, nature, prior_sd, sweeps, rng):
    """The same model by a plain Gibbs sampler with dense matrices, for given persistence, drift and tails."""
    n, k = x.shape
    rho = np.concatenate([[0.0], nature.persistence ** np.diff(day)])
    spread = np.sqrt(
        np.concatenate([[1.0], 1 - nature.persistence ** (2 * np.diff(day))]) / (1 - nature.persistence**2)
    )
    new = np.eye(n) - np.diag(rho[1:], -1)
    steps = np.eye(n) - np.diag(np.ones(n - 1), -1)
    walk = steps.T @ np.diag(np.concatenate([[1.0], 1 / (nature.drift**2 * np.diff(day))])) @ steps
    full = new @ np.hstack([np.eye(n), x])
    prior = np.zeros((n + k, n + k))
    prior[:n, :n], prior[n:, n:] = walk, np.diag(prior_sd**-2.0)
    target = new @ (y - y.mean())
    scale, sigma2, kept = np.ones(n), 0.16**2, []
    for sweep in range(sweeps):
        weight = scale / (sigma2 * spread**2)
        precision = full.T @ (full * weight[:, None]) + prior
        lower = np.linalg.cholesky(precision)
        mean = np.linalg.solve(precision, full.T @ (weight * target))
        theta = mean + np.linalg.solve(lower.T, rng.standard_normal(n + k))
        z2 = ((target - full @ theta) / spread) ** 2
        scale = rng.gamma((nature.tails + 1) / 2, 2 / (nature.tails + z2 / sigma2))
        sigma2 = (np.sum(scale * z2) + 4 * 0.16**2) / rng.chisquare(n + 4)
        if sweep >= sweeps // 5:
            kept.append(theta[n:])
    return np.array(kept)


@pytest.mark.parametrize("gaps", [False, True])
def test_joint_fit_equals_a_plain_gibbs_sampler(gaps):
    y, x, day = made_up(80, 5, gaps)
    sd = np.full(4, 0.12)
    fit = fit_joint(y, x, day, np.zeros(4), sd)
    cov = np.linalg.inv(fit.curvature + np.diag(sd**-2.0))
    mean, width = cov @ fit.pull, np.sqrt(np.diag(cov))
    draws = gibbs(y, x, day, fit.nature, sd, 1500, np.random.default_rng(1))
    np.testing.assert_allclose(mean, draws.mean(axis=0), atol=0.35 * width.min())
    np.testing.assert_allclose(width, draws.std(axis=0), rtol=0.2)


def test_sparse_draws_equal_the_exact_mixture():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(12, 3))
    curvature = 60.0 * root.T @ root
    pull = curvature @ np.array([-0.15, 0.02, 0.05])
    priors = [Prior(0.0, 0.12, 0.2, 0.03), Prior(0.0, 0.12, 0.2, 0.03), Prior(-0.1, 0.2, 0.9, 0.03)]
    draws = draw_coefficients(curvature, pull, priors, 1e7)
    weights, means, seconds = [], [], []
    for big in product((False, True), repeat=3):
        sd = np.array([p.sd if b else p.little_sd for p, b in zip(priors, big, strict=True)])
        centre = np.array([p.mean if b else 0.0 for p, b in zip(priors, big, strict=True)])
        share = np.prod([p.p_something if b else 1 - p.p_something for p, b in zip(priors, big, strict=True)])
        whole = curvature + np.diag(sd**-2.0)
        towards = pull + centre / sd**2
        mean = np.linalg.solve(whole, towards)
        log = np.log(share) - np.log(sd).sum() - 0.5 * np.linalg.slogdet(whole)[1]
        weights.append(log + 0.5 * towards @ mean - 0.5 * np.sum((centre / sd) ** 2))
        means.append(mean)
        seconds.append(np.diag(np.linalg.inv(whole)) + mean**2)
    p = np.exp(np.array(weights) - max(weights))
    p /= p.sum()
    exact = p @ np.array(means)
    exact_sd = np.sqrt(p @ np.array(seconds) - exact**2)
    np.testing.assert_allclose(draws.mean(axis=0), exact, atol=0.05 * exact_sd.max())
    np.testing.assert_allclose(draws.std(axis=0), exact_sd, rtol=0.06)


def test_without_nights_the_prior_stays():
    fit = fit_joint(
        np.zeros(0), np.zeros((0, 2)), np.zeros(0, dtype=int), np.array([-0.27, 0.0]), np.array([0.2, 0.06])
    )
    assert not fit.curvature.any() and not fit.pull.any()
    draws = draw_coefficients(
        fit.curvature, fit.pull, [Prior(-0.27, 0.2), Prior(0.0, 0.06)], fit.scale_nights
    )
    np.testing.assert_allclose(draws.mean(axis=0), [-0.27, 0.0], atol=0.012)
    np.testing.assert_allclose(draws.std(axis=0), [0.2, 0.06], rtol=0.05)


def test_outliers_and_a_shift_of_the_level_do_not_pull():
    y, x, day = made_up(300, 8)
    wide = np.full(4, 10.0)
    clean = fit_joint(y, x, day, np.zeros(4), wide)
    spoiled = y.copy()
    hit = np.flatnonzero(x[:, 2] > 0)[::12]
    spoiled[hit] -= 2.0
    spoiled[150:] += 0.5
    fit = fit_joint(spoiled, x, day, np.zeros(4), wide)
    before, after = (np.linalg.solve(f.curvature, f.pull) for f in (clean, fit))
    plain = np.linalg.lstsq(np.column_stack([np.ones(300), x]), spoiled, rcond=None)[0][1:]
    assert abs(plain[2] - before[2]) > 0.1
    assert abs(after[2] - before[2]) < 0.05
    assert fit.level[-1] - fit.level[0] == pytest.approx(clean.level[-1] - clean.level[0] + 0.5, abs=0.15)


def test_a_run_of_nights_is_no_part_of_the_level():
    """Ten nights in a row with a behaviour: a trailing level would take half of the effect away."""
    y, x, day = made_up(150, 13)
    x[:, 3] = 0.0
    x[60:70, 3] = x[110:120, 3] = 1.0
    y = y - 0.3 * x[:, 3]
    fit = fit_joint(y, x, day, np.zeros(4), np.full(4, 0.3))
    cov = np.linalg.inv(fit.curvature + np.eye(4) / 0.09)
    mean, width = cov @ fit.pull, np.sqrt(np.diag(cov))
    assert abs(mean[3] + 0.3) < 2 * width[3] and mean[3] < -0.18


@given(st.lists(st.floats(0.0, 1.0), max_size=40))
@settings(max_examples=100, deadline=None)
def test_the_budget_holds_over_everything_shown(p_false):
    shown = within_budget(p_false)
    kept = [p for p, s in zip(p_false, shown, strict=True) if s]
    if kept:
        assert np.mean(kept) <= 0.10 + 1e-12
        assert max(kept) <= 0.20
    left = [p for p, s in zip(p_false, shown, strict=True) if not s]
    if left and min(left) <= 0.20:
        assert np.mean([*kept, min(left)]) > 0.10 - 1e-12


def test_sure_findings_do_not_pay_for_a_doubtful_one():
    assert within_budget([0.0, 0.0, 0.0, 0.0, 0.25]) == [True, True, True, True, False]
    assert within_budget([0.19, 0.01]) == [True, True]
    assert within_budget([0.19]) == [False]
