"""The comparison statistics against hand calculations, independent references and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hrv_shared.comparison import (
    diebold_mariano,
    energy_score,
    energy_scores,
    model_confidence_set,
    nights_to_tell,
    pooled_skill,
)


def autocorrelated(rng, shape, phi):
    noise = rng.standard_normal((*shape[:-1], shape[-1] + 30))
    for i in range(1, noise.shape[-1]):
        noise[..., i] += phi * noise[..., i - 1]
    return noise[..., 30:]


def test_diebold_mariano_by_hand():
    difference = np.array([1.0, 3.0, 2.0, 6.0])
    # mean 3, deviations -2 0 -1 3; gamma0 = 14/4, gamma1 = (0 + 0 - 3)/4; Bartlett weight 1/2
    variance = 14 / 4 + 2 * 0.5 * (-3 / 4)
    factor = math.sqrt((4 + 1 - 4 + 2 * 1 / 4) / 4)
    statistic, p = diebold_mariano(difference + 5, np.full(4, 5.0), 2, lags=1)
    assert statistic == pytest.approx(factor * 3 / math.sqrt(variance / 4), rel=1e-12)
    # Student's law with 3 degrees of freedom in closed form
    x = statistic / math.sqrt(3)
    assert p == pytest.approx(1 - 2 / math.pi * (x / (1 + x * x) + math.atan(x)), rel=1e-10)


def test_diebold_mariano_without_lags_is_the_paired_t_test():
    from scipy.stats import ttest_rel

    rng = np.random.default_rng(1)
    a, b = rng.gamma(2, 1, (2, 200))
    statistic, p = diebold_mariano(a, b, 1, lags=0)
    expected = ttest_rel(a, b)
    assert statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert p == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("freedom", [15, 100, 5000])
def test_p_values_follow_the_t_law(freedom):
    from scipy.stats import t

    rng = np.random.default_rng(freedom)
    for shift in (0.0, 0.02, 0.3):
        losses = rng.standard_normal(freedom + 1) + shift
        statistic, p = diebold_mariano(losses, np.zeros_like(losses), 1)
        assert p == pytest.approx(2 * t.sf(abs(statistic), freedom), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize(("phi", "most"), [(0.0, 0.08), (0.3, 0.09)])
def test_diebold_mariano_keeps_its_size(phi, most):
    losses = autocorrelated(np.random.default_rng(2), (1000, 120), phi)
    rejected = np.mean([diebold_mariano(row, np.zeros(120), 1)[1] < 0.05 for row in losses])
    assert 0.025 < rejected < most
    naive = np.mean([diebold_mariano(row, np.zeros(120), 1, lags=0)[1] < 0.05 for row in losses])
    assert phi == 0.0 or naive > 0.12, "without lags the test would not keep it: the check bites"


def test_diebold_mariano_has_power_and_a_sign():
    losses = autocorrelated(np.random.default_rng(3), (300, 250), 0.3) - 0.35
    results = [diebold_mariano(row, np.zeros(250), 1) for row in losses]
    assert np.mean([p < 0.05 and statistic < 0 for statistic, p in results]) > 0.9
    statistic, p = diebold_mariano(losses[0], np.zeros(250), 7)
    back = diebold_mariano(np.zeros(250), losses[0], 7)
    assert back == (pytest.approx(-statistic), pytest.approx(p))


def test_a_strictly_alternating_difference_has_a_variance():
    # the plain sum of autocovariances is negative here; Bartlett's is not
    losses = np.tile([1.0, -1.0], 20) + 0.01
    statistic, p = diebold_mariano(losses, np.zeros(40), 1)
    assert math.isfinite(statistic) and 0 <= p <= 1


def test_diebold_mariano_drops_pairs_and_refuses():
    rng = np.random.default_rng(4)
    a, b = rng.gamma(2, 1, (2, 60))
    holes = a.copy()
    holes[[3, 30]] = np.nan
    kept = np.delete(np.arange(60), [3, 30])
    assert diebold_mariano(holes, b, 1) == diebold_mariano(a[kept], b[kept], 1)
    assert diebold_mariano(a, a, 1) == (0.0, 1.0)
    with pytest.raises(ValueError, match="at least 16 paired losses"):
        diebold_mariano(a[:15], b[:15], 1)
    with pytest.raises(ValueError, match="two paired series"):
        diebold_mariano(a, b[:-1], 1)
    with pytest.raises(ValueError, match="horizon of 1 night"):
        diebold_mariano(a, b, 0)
    with pytest.raises(ValueError, match="same difference every night"):
        diebold_mariano(np.ones(40), np.zeros(40), 1)


def cohort(rng, people=12, nights=80, better=0.9):
    scale = rng.uniform(2, 12, people)
    out = []
    for s in scale:
        reference = s * rng.gamma(4, 0.25, nights)
        out.append((better * reference * rng.gamma(40, 1 / 40, nights), reference, np.arange(nights)))
    return out


def test_pooled_skill_is_the_geometric_mean_over_people():
    per_person = [
        (np.array([1.0, 3.0]), np.array([4.0, 4.0]), np.array([1, 2])),  # ratio 1/2
        (np.array([20.0, np.nan]), np.array([10.0, 10.0]), np.array([1, 2])),  # ratio 2
        (np.array([np.nan]), np.array([1.0]), np.array([1])),
    ]
    skill = pooled_skill(per_person, seed=0, resamples=200)
    assert skill.skill_pct == pytest.approx(0.0, abs=1e-9)
    assert (skill.n_forecasts, skill.n_people, skill.people_positive) == (3, 2, 1)
    assert skill.ci_low < 0 < skill.ci_high


def test_pooled_skill_finds_an_edge_and_repeats_itself():
    per_person = cohort(np.random.default_rng(5))
    skill = pooled_skill(per_person, seed=7)
    assert 8 < skill.skill_pct < 12 and skill.ci_low < skill.skill_pct < skill.ci_high
    assert skill.p_value < 0.01 and skill.people_positive == 12
    assert pooled_skill(per_person, seed=7) == skill
    assert pooled_skill(per_person, seed=8).ci_low != skill.ci_low
    worse = pooled_skill([(r, c, d) for c, r, d in per_person], seed=7)
    assert worse.p_value > 0.99


def test_pooled_interval_covers_without_skill():
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(150):
        people = []
        for s in rng.uniform(2, 12, 15):
            own = 0.05 * rng.standard_normal() + autocorrelated(rng, (60,), 0.4) * 0.3
            people.append((s * np.exp(own), np.full(60, s) * np.exp(own.var() / 2), np.arange(60)))
        skill = pooled_skill(people, seed=0, resamples=300)
        inside += skill.ci_low <= 0 <= skill.ci_high
    assert 0.8 < inside / 150 < 0.97


def test_rows_of_a_day_stay_together_in_any_order():
    rng = np.random.default_rng(8)
    per_person = cohort(rng, people=3, nights=40)
    tripled = [tuple(np.repeat(part, 3) for part in one) for one in per_person]
    order = rng.permutation(120)
    shuffled = [tuple(part[order] for part in one) for one in tripled]
    single, triple = pooled_skill(per_person, seed=1), pooled_skill(shuffled, seed=1)
    # seeing every night three times is no more evidence
    assert triple.ci_low == pytest.approx(single.ci_low) and triple.ci_high == pytest.approx(single.ci_high)
    assert triple.n_forecasts == 3 * single.n_forecasts


def test_pooled_skill_refuses():
    with pytest.raises(ValueError, match="at least one person"):
        pooled_skill([], seed=0)
    with pytest.raises(ValueError, match="paired night by night"):
        pooled_skill([(np.ones(3), np.ones(4), np.arange(3))], seed=0)
    with pytest.raises(ValueError, match="sum to zero"):
        pooled_skill([(np.zeros(3), np.ones(3), np.arange(3))], seed=0)


def test_confidence_set_keeps_the_best_and_drops_the_worst():
    rng = np.random.default_rng(9)
    kept_best = dropped_worst = 0
    for seed in range(40):
        base = [s * rng.gamma(4, 0.25, 60) for s in rng.uniform(2, 12, 15)]
        losses = {
            name: [factor * row * rng.gamma(50, 1 / 50, 60) for row in base]
            for name, factor in {"best": 1.0, "near": 1.002, "worse": 1.08, "bad": 1.3}.items()
        }
        result = model_confidence_set(losses, seed=seed, resamples=300)
        kept_best += "best" in result.names
        dropped_worst += "bad" not in result.names and "worse" not in result.names
        assert result.p_values["bad"] <= result.p_values["worse"] <= max(result.p_values.values()) == 1.0
    assert kept_best >= 34 and dropped_worst >= 38


def test_confidence_set_of_equals_holds_all_and_of_one_itself():
    row = np.random.default_rng(10).gamma(4, 1, 50)
    assert set(model_confidence_set({"a": [row], "b": [row]}, seed=0).names) == {"a", "b"}
    assert model_confidence_set({"a": [row]}, seed=0).p_values == {"a": 1.0}
    with pytest.raises(ValueError, match="nights on which all models"):
        model_confidence_set({"a": [row], "b": [np.full(50, np.nan)]}, seed=0)


@pytest.mark.parametrize("samples", [1, 2, 51, 100])
def test_energy_score_equals_scoringrules(samples):
    from scoringrules import es_ensemble

    rng = np.random.default_rng(11)
    paths, y = 60 + 12 * rng.standard_normal((20, samples, 7)), 60 + 12 * rng.standard_normal((20, 7))
    np.testing.assert_allclose(energy_scores(paths, y), es_ensemble(y, paths), rtol=1e-9)
    assert energy_score(paths[0], y[0]) == pytest.approx(float(es_ensemble(y, paths)[0]))


def test_energy_score_leaves_missing_nights_out():
    rng = np.random.default_rng(12)
    paths, y = rng.standard_normal((3, 40, 7)), rng.standard_normal((3, 7))
    y[0, [1, 4]] = np.nan
    y[1] = np.nan
    scores = energy_scores(paths, y)
    kept = [0, 2, 3, 5, 6]
    assert scores[0] == pytest.approx(energy_score(paths[0][:, kept], y[0][kept]))
    assert np.isnan(scores[1]) and np.isfinite(scores[2])
    with pytest.raises(ValueError, match=r"expected paths \[N, S, H\]"):
        energy_scores(paths, y[:, :5])


def test_nights_to_tell_reaches_the_promised_power():
    rng = np.random.default_rng(13)
    edge = autocorrelated(rng, (4000,), 0.2) + 0.25
    more = nights_to_tell(np.zeros(400), edge[:400])
    assert more == 0
    total = 60 + nights_to_tell(np.zeros(60), (edge[:60] - edge[:60].mean()) + 0.25)
    trials = autocorrelated(rng, (800, total), 0.2) + 0.25
    told = [(s < 0 and p < 0.10) for s, p in (diebold_mariano(np.zeros(total), row, 1) for row in trials)]
    assert 0.68 < np.mean(told) < 0.92
    assert nights_to_tell(edge[:100], np.zeros(100)) is None
    with pytest.raises(ValueError, match="at least 16 paired nights"):
        nights_to_tell(edge[:10], edge[:10])
