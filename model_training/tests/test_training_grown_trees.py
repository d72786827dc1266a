"""Trees read from LightGBM's and XGBoost's texts speak and explain as the libraries do."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from model_training.errors import PoolDamaged
from model_training.forecasters.grown_trees import read_lightgbm, read_xgboost

lightgbm = pytest.importorskip("lightgbm", reason="the library that grew them")


def grown(leaves: int, *, rounds: int = 12, unknown: float = 0.2, seed: int = 0):
    """A booster of a target with thresholds and interactions, and rows it has not seen; NaN and zeros among them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(800, 6)).round(1)
    y = np.where(x[:, 0] > 0.3, x[:, 1], 0.0) + (np.abs(x[:, 2]) > 1) + 0.3 * rng.normal(size=len(x))
    x[rng.random(x.shape) < unknown] = np.nan
    settings = {"objective": "quantile", "alpha": 0.4, "num_leaves": leaves, "min_data_in_leaf": 5, "verbosity": -1,
                "num_threads": 1, "seed": seed}  # fmt: skip
    booster = lightgbm.train(settings, lightgbm.Dataset(x[:500], y[:500], params={"verbosity": -1}), rounds)
    rows = x[500:].copy()
    rows[:50, 3] = np.nan  # unknown where training knew it, too
    return booster, rows


@pytest.mark.parametrize("leaves", [2, 8, 9, 31, 64])
@pytest.mark.parametrize("unknown", [0.0, 0.2])
def test_predictions_are_the_librarys_bit_for_bit(leaves, unknown):
    booster, rows = grown(leaves, unknown=unknown)
    forest = read_lightgbm(booster.model_to_string())
    np.testing.assert_array_equal(forest.predict(rows), booster.predict(rows))
    np.testing.assert_array_equal(forest.predict(rows[:1]), booster.predict(rows[:1]))


@pytest.mark.parametrize("leaves", [2, 8, 31])
def test_contributions_are_exact_treeshap(leaves):
    booster, rows = grown(leaves)
    forest = read_lightgbm(booster.model_to_string())
    found = np.array([forest.contributions(row) for row in rows[:40]])
    np.testing.assert_allclose(found, booster.predict(rows[:40], pred_contrib=True), atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), booster.predict(rows[:40]), atol=1e-12)
    assert np.abs(found[:, :-1]).max() > 0.05


def test_a_tree_that_could_not_split_is_a_constant():
    booster = lightgbm.train(
        {"verbosity": -1, "objective": "quantile", "alpha": 0.5, "num_threads": 1, "min_data_in_leaf": 500},
        lightgbm.Dataset(np.arange(20.0)[:, None], np.arange(20.0), params={"verbosity": -1}), 2,
    )  # fmt: skip
    forest, rows = read_lightgbm(booster.model_to_string()), np.array([[3.0], [np.nan]])
    np.testing.assert_array_equal(forest.predict(rows), booster.predict(rows))
    assert forest.contributions(rows[0])[0] == 0.0


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_xgboosts_quantiles_are_read_too(depth):
    xgboost = pytest.importorskip("xgboost", reason="the library that grew them")
    rng = np.random.default_rng(depth)
    x = rng.normal(size=(600, 5)).round(2)
    y = np.where(x[:, 0] > 0.3, x[:, 1], 0.0) + 0.3 * rng.normal(size=len(x))
    x[rng.random(x.shape) < 0.2] = np.nan
    settings = {"objective": "reg:quantileerror", "quantile_alpha": np.array([0.2, 0.5, 0.9]), "max_depth": depth,
                "tree_method": "hist", "nthread": 1}  # fmt: skip
    booster = xgboost.train(settings, xgboost.QuantileDMatrix(x, y, nthread=1), 9)
    forests, start = read_xgboost(bytes(booster.save_raw("json")).decode())
    rows = x.astype(np.float32)
    found = start + np.column_stack([forest.predict(rows) for forest in forests])
    np.testing.assert_allclose(found, booster.inplace_predict(x), atol=2e-6)
    added = booster.predict(xgboost.DMatrix(x[:20]), pred_contribs=True)[:, 1]
    own = np.array([forests[1].contributions(row) for row in rows[:20]])
    np.testing.assert_allclose(own[:, :-1], added[:, :-1], atol=1e-5)
    with pytest.raises(PoolDamaged, match="XGBoost"):
        read_xgboost("{}")


def test_other_texts_are_refused():
    booster, _ = grown(8)
    text = booster.model_to_string()
    for damaged in (
        "",
        "no trees",
        text.replace("leaf_value", "leaf"),
        text.replace("num_cat=0", "num_cat=1"),
    ):
        with pytest.raises(PoolDamaged, match="fit-pool"):
            read_lightgbm(damaged)
    wide, _ = grown(80)
    with pytest.raises(PoolDamaged, match="at most 64 leaves"):
        read_lightgbm(wide.model_to_string())


def test_forecasting_with_trees_imports_nothing_heavy():
    """What is imported for a morning's forecast is waited for every morning."""
    script = """
        import sys
        import model_training.issuing
        from model_training.forecasters import global_xgboost, hit_night, trees
        from model_training.pool import shipped_pool

        trees._forests(tuple(shipped_pool().part("trees", "evening")["trees"][0]))
        heavy = {"lightgbm", "xgboost", "sklearn", "pandas", "scipy.stats", "scipy.signal", "mlflow"}
        sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
