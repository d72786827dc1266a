"""Chronos-2, TiRex and TabPFN-TS behind the forecaster protocol, on stubs with the real packages' calls."""

from __future__ import annotations

import numpy as np
import pytest

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.forecaster import Forecaster
from model_training.foundation import PackageAbsent, WeightsAbsent
from model_training.foundation.chronos_2 import Chronos2
from model_training.foundation.deciles import DECILE_AT
from model_training.foundation.tabpfn_ts import TabPfnTs
from model_training.foundation.tirex import TiRex


class StubChronos:
    """The call of ``Chronos2Pipeline.predict_quantiles``: lists in, a list of [1, H, Q] and one of [1, H] out."""

    def predict_quantiles(
        self, inputs, prediction_length=None, quantile_levels=(0.1, 0.5, 0.9), **predict_kwargs
    ):
        assert not predict_kwargs and all(np.asarray(x).ndim == 1 for x in inputs)
        found = [last_values(x, quantile_levels, prediction_length)[None] for x in inputs]
        return found, [series[..., len(quantile_levels) // 2] for series in found]


class StubTiRex:
    """The call of ``ForecastModel.forecast`` of TiRex: always nine deciles."""

    def forecast(
        self,
        context,
        output_type="torch",
        batch_size=512,
        yield_per_batch=False,
        resample_strategy=None,
        **kwargs,
    ):
        assert output_type == "numpy" and set(kwargs) == {"prediction_length"}
        levels = [k / 10 for k in range(1, 10)]
        found = np.stack([last_values(x, levels, kwargs["prediction_length"]) for x in context])
        return found, found[..., 4]


class StubTabPfn:
    """The call of ``TabPFNTSPipeline.predict_df``: frames in, a frame by (item_id, timestamp) out."""

    def predict_df(self, context_df, future_df=None, prediction_length=None, quantiles=(0.1, 0.5, 0.9)):
        import pandas as pd

        assert prediction_length is None and isinstance(quantiles, list)
        assert context_df["target"].notna().all() and set(future_df) == {"item_id", "timestamp"}
        frames = []
        for item, own in context_df.groupby("item_id"):
            ahead = future_df[future_df["item_id"] == item]
            assert (ahead["timestamp"] > own["timestamp"].max()).all() and len(ahead) == 7
            values = last_values(own["target"].to_numpy(), quantiles, len(ahead))
            index = pd.MultiIndex.from_product([[item], ahead["timestamp"]], names=["item_id", "timestamp"])
            frame = pd.DataFrame(values, index=index, columns=quantiles)
            frame.insert(0, "target", values[:, len(quantiles) // 2])
            frames.append(frame)
        return pd.concat(frames[::-1])


def last_values(x, levels, steps):
    """Quantiles of the last 28 known values, a little wider each step, so that items and steps differ."""
    x = np.asarray(x, dtype=float)
    known = x[np.isfinite(x)][-28:]
    row = np.quantile(known, levels)
    return np.stack([row + (row - np.median(known)) * 0.02 * h for h in range(steps)])


def adapters():
    return [(Chronos2, StubChronos()), (TiRex, StubTiRex()), (TabPfnTs, StubTabPfn())]


@pytest.mark.parametrize(("adapter", "stub"), adapters(), ids=lambda x: getattr(x, "name", None))
def test_an_adapter_brings_the_models_quantiles_home(adapter, stub, wearer):
    if adapter.name == "tabpfn_ts":
        pytest.importorskip("pandas", reason="the package's own currency")
    fitted = adapter(stub).fit(wearer.history())
    found = fitted.predict(wearer.history())
    assert isinstance(fitted, Forecaster) and found.shape == (7, 23) and (np.diff(found, axis=-1) >= 0).all()
    values = wearer.history().hrv_series()[1]
    fitted.errors_ = {h: np.array([]) for h in HORIZONS}  # the model's own quantiles, unmoved
    plain = last_values(values, QUANTILE_LEVELS, 7)
    own = fitted.predict(wearer.history())
    np.testing.assert_allclose(own[:, DECILE_AT], plain[:, DECILE_AT], rtol=1e-5)
    assert 40 <= len(adapter(stub).fit(wearer.history()).errors_[1]) <= 60


@pytest.mark.parametrize(("adapter", "stub"), adapters(), ids=lambda x: getattr(x, "name", None))
def test_an_adapter_without_its_package_says_so(adapter, stub, wearer, monkeypatch):
    monkeypatch.setattr("model_training.foundation.adapter.find_spec", lambda name: None)
    with pytest.raises(PackageAbsent, match=rf"hrv-model-training\[{adapter.extra}\]"):
        adapter().fit(wearer.history())


@pytest.mark.parametrize(("adapter", "stub"), adapters(), ids=lambda x: getattr(x, "name", None))
def test_an_adapter_fetches_weights_only_when_prepared_and_allowed(adapter, stub, wearer, monkeypatch, tmp_path):
    import huggingface_hub

    asked = []

    def offline(repository, name, *, local_dir, token, etag_timeout):
        asked.append((repository, name, token))
        raise OSError("the hub can't be reached")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    monkeypatch.setattr("model_training.foundation.adapter.find_spec", lambda name: object())
    monkeypatch.setattr("model_training.foundation.adapter.SILENT", {})
    monkeypatch.setenv("HRV_CACHE_DIR", str(tmp_path))
    for allowed in ("false", "true"):
        monkeypatch.setenv("HRV_ALLOW_DOWNLOAD", allowed)
        with pytest.raises(WeightsAbsent, match=r"not on this machine.*yourself"):
            adapter().fit(wearer.history())
        assert asked == [], "a fit is made for every forecast, too, and a forecast asks no network"
        with pytest.raises(WeightsAbsent, match=r"not on this machine.*yourself"):
            adapter().prepare()
    may = adapter.hub_repo is not None
    assert asked == ([(adapter.hub_repo, adapter.weight_files[0], False)] if may else [])


def test_an_adapter_loads_the_wearers_own_files(wearer, monkeypatch, tmp_path):
    folder = tmp_path / "models" / "tirex"
    folder.mkdir(parents=True)
    (folder / "model.ckpt").write_bytes(b"weights")
    monkeypatch.setenv("HRV_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HRV_ALLOW_DOWNLOAD", "false")
    monkeypatch.setattr("model_training.foundation.adapter.find_spec", lambda name: object())
    monkeypatch.setattr("model_training.foundation.adapter.SILENT", {})
    monkeypatch.setattr(TiRex, "_pipelines", {})
    loaded = []
    monkeypatch.setattr(TiRex, "load", lambda self, found: loaded.append(found) or StubTiRex())
    TiRex().fit(wearer.history()).predict(wearer.history())
    assert loaded == [folder]
