"""Fracast-0 in numpy against a slow plain reading of it and against its published form."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fracast_plain import plain_fracast
from hrv_shared.errors import Refusal, StaleData, TooFewNights
from hrv_shared.forecaster import Forecaster
from hrv_shared.models import ModelAbsent, read_safetensors, resolve
from hrv_shared.settings import load_settings
from model_training import foundation
from model_training.day_grid import day_grid
from model_training.foundation import (
    FracastNet,
    WeightsAbsent,
    extend_deciles,
    fracast_quantiles,
    fracast_weights,
)
from model_training.foundation.deciles import DECILE_AT
from model_training.foundation.error_band import band, unit_errors
from model_training.foundation.fracast_net import CONTEXT
from model_training.foundation.fracast_periods import seasonal_fill, significant_periods

SHARED = Path(__file__).resolve().parents[3] / "shared"
D = 64


def shapes() -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the published file."""
    found: dict[str, tuple[int, ...]] = {
        "core.in_proj.weight": (D, 7), "core.norm.weight": (D,), "core.periodic.proj.weight": (D, 8),
        "core.scale.to_gb.weight": (2 * D, 8), "head.queries": (48, D), "head.summary_proj.weight": (D, 2 * D + 5),
        "head.out_proj.weight": (9, D), "head.future_conv.in_proj.weight": (D, 6),
        "head.future_conv.out_proj.weight": (D, D), "head.decoder_norms.0.weight": (D,),
    }  # fmt: skip
    for block in ("core.block.", "head.future_conv.block."):
        found |= {f"{block}dw_weight": (D, 1, 3), f"{block}dw_bias": (D,), f"{block}pw.weight": (D, D)}
        found |= {f"{block}norm{k}.weight": (D,) for k in (1, 2)}
    for ffn in ("core.block.ffn.", "head.future_conv.block.ffn.", "head.decoder_ffns.0."):
        found |= {f"{ffn}up.weight": (192, D), f"{ffn}down.weight": (D, 96)}
    for k in (0, 1):
        found |= {f"head.fc_blocks.{k}.dw_weight": (D, 1, 3), f"head.fc_blocks.{k}.dw_bias": (D,)}
        found[f"head.fc_blocks.{k}.norm.weight"] = (D,)
    matrices = [name for name, shape in found.items() if len(shape) == 2 and name != "head.queries"]
    return found | {name.replace(".weight", ".bias"): (found[name][0],) for name in matrices}


@pytest.fixture(scope="module")
def random_weights() -> dict[str, np.ndarray]:
    """A network of the right form that knows nothing."""
    rng = np.random.default_rng(7)
    made = {}
    for name, shape in shapes().items():
        centre = 1.0 if "norm" in name else 0.0
        made[name] = (centre + rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
    return made


@pytest.fixture(scope="module")
def net(random_weights) -> FracastNet:
    return FracastNet(random_weights)


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """The published weights, where they have been fetched."""
    cache_dir = load_settings({}).cache_dir
    try:
        path = resolve("fracast-0", cache_dir=cache_dir).path
    except ModelAbsent:
        pytest.skip(f"fracast-0 is not in {cache_dir}; fetch it with: hrv models fetch forecast")
    return read_safetensors(path)


def series(days: int, seed: int = 0, missing: float = 0.1) -> np.ndarray:
    """Nights around a drifting level with a week's rhythm and gaps, ms."""
    rng = np.random.default_rng(seed)
    level = 60 + np.cumsum(rng.normal(0, 0.5, days)) + 8 * np.sin(2 * np.pi * np.arange(days) / 7)
    values = np.maximum(level + rng.normal(0, 8, days), 5.0)
    values[rng.random(days) < missing] = np.nan
    return values


# --- the array function -----------------------------------------------------------------------------------------


def test_the_fast_network_equals_the_plain_one(random_weights, net):
    values = series(260)
    origins = np.array([20, 90, 91, 259])
    fast = fracast_quantiles(values, origins, net)
    slow = np.array([plain_fracast(values[: origin + 1], random_weights) for origin in origins])
    np.testing.assert_allclose(fast, slow, atol=2e-3, rtol=2e-5)
    assert np.ptp(fast[:, 0, 4]) > 1.0  # ms: it says something else of each


@pytest.mark.parametrize("days", [30, 90, 200, 400, 2300])
def test_it_equals_the_published_network(weights, days):
    onnxruntime = pytest.importorskip(
        "onnxruntime", reason="onnxruntime comes with the speech model's package"
    )
    model = SHARED / "data" / "fracast0" / "fracast0.onnx"
    if not model.is_file():
        pytest.skip("the published network as ONNX is not in ../shared")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options)
    values = series(days, seed=days)
    origins = np.array([days // 2, days - 1])
    ours = fracast_quantiles(values, origins, weights)
    for origin, mine in zip(origins, ours, strict=True):
        tail = values[: origin + 1][-CONTEXT:].astype(np.float32)
        valid = np.isfinite(tail)
        low, span = np.nanmin(tail), np.nanmax(tail) - np.nanmin(tail)
        inputs = {"values": np.zeros((1, 1, CONTEXT), np.float32), "valid": np.zeros((1, 1, CONTEXT), bool)}
        inputs["values"][0, 0, -len(tail) :] = np.where(valid, (tail - low) / span, 0)
        inputs["valid"][0, 0, -len(tail) :] = valid
        theirs = np.sort(session.run(None, inputs)[0][0, :7] * span + low, axis=-1)
        np.testing.assert_allclose(mine, theirs, atol=1e-4 * span)


def test_an_origin_sees_nothing_after_itself(net):
    values = series(150)
    origins = np.arange(30, 120, 7)
    whole = fracast_quantiles(values, origins, net)
    cut = np.array([fracast_quantiles(values[: origin + 1], [origin], net)[0] for origin in origins])
    np.testing.assert_allclose(whole, cut, atol=2e-3)
    poisoned = values.copy()
    poisoned[origins[-1] + 1 :] = 1e6
    assert np.array_equal(fracast_quantiles(poisoned, origins, net), whole)
    poisoned[origins[3]] = 1e6
    # Not to the bit: a poisoned series may leave its batch, and some processors round another batch size otherwise.
    changed = ~np.isclose(fracast_quantiles(poisoned, origins, net), whole, rtol=1e-3).all(axis=(1, 2))
    assert changed.tolist() == [k >= 3 for k in range(len(origins))]


def test_batches_do_not_change_a_forecast(net):
    values = series(140)
    origins = np.array([139, 40, 100, 41, 40])
    together = fracast_quantiles(values, origins, net)
    alone = np.array([fracast_quantiles(values, [origin], net)[0] for origin in origins])
    np.testing.assert_allclose(together, alone, atol=2e-3)
    assert (np.diff(together, axis=-1) >= 0).all()


def test_what_came_before_the_series_is_nothing(net):
    values = series(80)
    later = np.concatenate([np.full(100, np.nan), values])
    a, b = fracast_quantiles(values, [79], net), fracast_quantiles(later, [179], net)
    np.testing.assert_allclose(a, b, atol=2e-3)


def test_too_short_a_series_is_left_open_and_bad_origins_are_refused(net):
    values = np.full(20, 50.0) + np.arange(20)
    values[:5] = np.nan
    found = fracast_quantiles(values, [3, 11, 12], net)
    assert np.isnan(found[:2]).all() and np.isfinite(found[2]).all()
    with pytest.raises(ValueError, match="expected origins within a series"):
        fracast_quantiles(values, [20], net)
    with pytest.raises(ValueError, match="expected origins within a series"):
        fracast_quantiles(values[None], [0], net)


def test_a_flat_series_is_finite(net):
    assert np.isfinite(fracast_quantiles(np.full(40, 55.0), [39], net)).all()


def test_the_published_weights_forecast_sensibly(weights):
    values = series(300, missing=0.0)
    found = fracast_quantiles(values, np.arange(150, 292), weights)
    outcomes = np.array([values[o + 1 : o + 8] for o in range(150, 292)])
    inside = (outcomes >= found[..., 0]) & (outcomes <= found[..., 8])
    assert 0.65 < inside.mean() < 0.92
    flat = np.abs(outcomes - np.mean(values[:150])).mean()
    assert np.abs(outcomes - found[..., 4]).mean() < flat


# --- its parts ---------------------------------------------------------------------------------------------------


def test_a_week_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    t = np.arange(200)
    values = np.stack([np.sin(2 * np.pi * t / 7), rng.standard_normal(200)]).astype(np.float32)
    found = significant_periods(values, np.ones(values.shape, bool), CONTEXT)
    assert found[0, 0] == 7 and found[1].tolist() == [0, 0, 0, 0]


def test_the_seasonal_guess_repeats_the_week():
    t = np.arange(210)
    values = (t % 7).astype(np.float32)[None]
    fill = seasonal_fill(values, np.ones(values.shape, bool), np.array([[7, 0, 0, 0]]), CONTEXT, 7)
    assert np.allclose(fill[0], np.arange(210, 217) % 7)
    mean = seasonal_fill(values, np.ones(values.shape, bool), np.zeros((1, 4), int), CONTEXT, 7)
    assert np.allclose(mean, values.mean())


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(float, (3, 9), elements=st.floats(-50, 500)))
def test_extended_deciles_are_quantiles(deciles):
    found = extend_deciles(deciles)
    assert found.shape == (3, 23) and (np.diff(found, axis=-1) >= -1e-9).all() and (found >= 1.0 - 1e-9).all()
    np.testing.assert_allclose(found[..., DECILE_AT], np.clip(np.sort(deciles), 1, 400), rtol=1e-9)


def test_the_left_tail_is_longer_than_a_gaussians():
    z = np.array([-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816])
    found = np.log(extend_deciles(np.exp(4 + 0.2 * z)))
    assert found[0] < 4 - 0.2 * 2.4 and found[-1] == pytest.approx(4 + 0.2 * 2.33, abs=0.1)
    with pytest.raises(ValueError, match="nine deciles"):
        extend_deciles(np.ones((2, 8)))


def test_the_band_learns_from_errors():
    own = np.log(extend_deciles(np.linspace(50, 70, 9)))
    rng = np.random.default_rng(1)
    assert np.array_equal(band(own, np.array([])), own)
    wide = band(own, rng.normal(0, 2.0, 3000))
    assert wide[3] < own[3] - 0.02 and wide[19] > own[19] + 0.02 and (np.diff(wide) >= 0).all()
    below, above = own[3], own[19]
    np.testing.assert_allclose(unit_errors(np.stack([own, own]), np.array([below, above])), [-1, 1])


# --- the forecaster -----------------------------------------------------------------------------------------------


@pytest.fixture
def with_random_weights(monkeypatch, net):
    """The forecaster on the network that knows nothing: its bookkeeping can be tested without a download."""
    from model_training.forecasters import fracast

    monkeypatch.setattr(fracast, "loaded_net", lambda **_: net)
    return fracast.Fracast


def test_the_member_forecasts_and_obeys_the_protocol(with_random_weights, wearer):
    fitted = with_random_weights().fit(wearer.history(wearer.history().origin_day - timedelta(days=3)))
    found = fitted.predict(wearer.history())
    assert isinstance(fitted, Forecaster) and found.shape == (7, 23)
    assert (np.diff(found, axis=-1) >= 0).all() and (found > 0).all()
    assert np.array_equal(fitted.predict(wearer.history(), (3, 1)), found[[2, 0]])
    path = fitted.path(day_grid(wearer.history()), np.arange(40))
    few = np.cumsum(np.isfinite(day_grid(wearer.history()).log_hrv))[:40] < fitted.least_nights
    assert np.isnan(path[few]).all() and np.isfinite(path[~few]).all() and 10 < few.sum() < 20


def test_the_member_refuses_short_and_stale_histories(with_random_weights, wearer, wearer_of):
    with pytest.raises(TooFewNights, match="14"):
        with_random_weights().fit(wearer_of(10).history())
    with pytest.raises(StaleData):
        with_random_weights().fit(wearer.history(wearer.history().origin_day + timedelta(days=9)))


def test_absent_weights_are_a_sentence(monkeypatch, tmp_path, wearer):
    from model_training.forecasters.fracast import Fracast

    monkeypatch.setenv("HRV_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HRV_ALLOW_DOWNLOAD", "false")
    with pytest.raises(Refusal, match=r"hrv models fetch forecast`") as refusal:
        Fracast().fit(wearer.history())
    assert isinstance(refusal.value, WeightsAbsent)


def test_a_failed_download_is_not_tried_twice(monkeypatch, tmp_path):
    tried = []

    def absent(name, *, cache_dir, allow_download):
        tried.append(allow_download)
        raise ModelAbsent("no network")

    monkeypatch.setenv("HRV_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HRV_ALLOW_DOWNLOAD", "true")
    monkeypatch.setattr(fracast_weights, "resolve", absent)
    for may_download in (False, True, True):
        with pytest.raises(WeightsAbsent, match="no network"):
            fracast_weights.loaded_net(may_download=may_download)
    assert tried == [False, True, False]


def test_the_form_of_the_published_weights_is_the_expected_one(weights):
    assert {name: tensor.shape for name, tensor in weights.items()} == shapes()
    assert sum(tensor.size for tensor in weights.values()) == 85_001


def test_the_public_names_exist():
    assert sorted(foundation.__all__) == foundation.__all__ and all(
        hasattr(foundation, n) for n in foundation.__all__
    )
