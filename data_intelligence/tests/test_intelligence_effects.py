"""Effects: planted ones are found, nothing is claimed of what does nothing, and late answers stay out of evidence."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from data_intelligence import estimate_effects
from data_intelligence.regression import fit_robust
from hrv_shared.history import make_history


def history_of(world, synth, slot="evening"):
    as_of = synth.at(world.last_day, 21.5)
    return make_history(world.days, world.journal, synth.member, as_of, world.last_day, slot)


@pytest.fixture(scope="module")
def many(synth):
    """Effects of twelve members with the same truth: four behaviours that act, eight that do not."""
    true = {"alcohol": -0.25, "sauna": 0.12, "late_meal": -0.16, "sick": -0.10}
    worlds = [synth.make_world(180, seed=700 + s, effects=true, nulls=8) for s in range(12)]
    return true, [estimate_effects(history_of(w, synth)).effects for w in worlds]


def test_planted_effects_lie_in_their_intervals_and_nulls_are_not_claimed(many):
    true, members = many
    z = np.array([(true.get(e.behaviour, 0.0) - e.mean_ln) / e.sd_ln for fit in members for e in fit])
    assert len(z) == 12 * 12
    assert 0.87 <= np.mean(np.abs(z) < 1.96) <= 1.0
    claims = [e.clear for fit in members for e in fit if e.behaviour not in true]
    assert np.mean(claims) <= 0.06
    found = [e.clear for fit in members for e in fit if e.behaviour == "alcohol"]
    assert np.mean(found) > 0.9
    error_pp = [abs(e.pct(0.0) - 100 * np.expm1(true.get(e.behaviour, 0.0))) for fit in members for e in fit]
    assert np.mean(error_pp) < 3.2


def test_sauna_raises_and_alcohol_lowers(many):
    _, members = many
    for fit in members:
        signs = {e.behaviour: e.p_negative for e in fit}
        assert signs["alcohol"] > 0.99
        assert signs["sauna"] < 0.2


def test_few_nights_are_called_too_little_data(world, synth):
    four = [world.last_day - timedelta(days=d) for d in (10, 20, 30, 40)]
    journal = synth.journal_frame(
        [*world.journal.to_dicts(), *(synth.fact_row(n, "cold_shower") for n in four)]
    )
    history = make_history(
        world.days, journal, synth.member, synth.at(world.last_day, 21.5), world.last_day, "evening"
    )
    effect = next(e for e in estimate_effects(history).effects if e.behaviour == "cold_shower")
    assert effect.n_yes == 4
    assert effect.label == "too little data"
    assert not effect.clear


def test_dose_scales_the_effect_and_names_the_band(synth):
    world = synth.make_world(220, seed=4, effects={"alcohol": -0.25}, nulls=0)
    drinks = {"kind": "amount", "unit": "drinks"}
    rows = [
        row | drinks | {"amount": float(1 + i % 5)} if row["behaviour"] == "alcohol" else row
        for i, row in enumerate(world.journal.to_dicts())
    ]
    world.journal = synth.journal_frame(rows)
    fit = estimate_effects(history_of(world, synth))
    one, three, six = (fit.effect("alcohol", dose) for dose in (1.0, 3.0, 6.0))
    assert [e.text for e in (one, three, six)] == [
        "alcohol, 1 drink",
        "alcohol, 2-3 drinks",
        "alcohol, 4 or more drinks",
    ]
    assert one.mean_ln > three.mean_ln > six.mean_ln
    assert three.mean_ln == pytest.approx(3 * one.mean_ln)
    assert three.phrase.startswith(f"alcohol, 2-3 drinks: {three.ms(0.0):+.1f} ms (n={three.n_yes}, sd ")


def test_answers_given_after_the_score_are_kept_out_and_marked(synth):
    world = synth.make_world(180, seed=9, effects={"alcohol": -0.25}, nulls=0)
    late = world.journal.with_columns(
        known_at=pl.col("known_at") + pl.duration(hours=11), source=pl.lit("whoop-export")
    )
    assert late.filter(pl.col("behaviour") == "alcohol").height > 20
    world.journal = late
    history = history_of(world, synth)
    assert estimate_effects(history).effects == []
    looking_back = estimate_effects(history, with_retrospective=True).effects
    assert [e.retrospective for e in looking_back] == [True]
    assert looking_back[0].p_negative > 0.99


def test_unlogged_evenings_count_neither_way(synth):
    world = synth.make_world(180, seed=2, nulls=0, every_night_logged=False)
    effect = estimate_effects(history_of(world, synth)).effects[0]
    logged = world.journal["night"].n_unique()
    assert effect.n_yes + effect.n_no <= logged < 180


def test_plans_and_drafts_teach_nothing(world, synth):
    rows = [row | {"is_plan": True} for row in world.journal.to_dicts()]
    world = type(world)(world.days, synth.journal_frame(rows))
    assert estimate_effects(history_of(world, synth)).effects == []
    rows = [row | {"status": "draft"} for row in world.journal.to_dicts()]
    world = type(world)(world.days, synth.journal_frame(rows))
    assert estimate_effects(history_of(world, synth)).effects == []


def test_regression_without_rows_is_the_prior():
    mean, sd = np.array([-0.27, 0.0]), np.array([0.2, 0.06])
    posterior = fit_robust(np.zeros((0, 2)), np.zeros(0), mean, sd)
    np.testing.assert_allclose(posterior.mean, mean)
    np.testing.assert_allclose(np.sqrt(np.diag(posterior.cov)), sd)


def test_regression_equals_least_squares_where_priors_are_flat_and_ignores_outliers():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(400), rng.normal(size=400)])
    y = x @ np.array([1.0, -0.5]) + 0.1 * rng.normal(size=400)
    flat = np.zeros(2), np.full(2, 100.0)
    np.testing.assert_allclose(fit_robust(x, y, *flat).mean, np.linalg.lstsq(x, y, rcond=None)[0], atol=0.01)
    spoiled = y.copy()
    spoiled[:20] += 8.0
    assert abs(np.linalg.lstsq(x, spoiled, rcond=None)[0][0] - 1.0) > 0.3
    np.testing.assert_allclose(fit_robust(x, spoiled, *flat).mean, [1.0, -0.5], atol=0.03)
