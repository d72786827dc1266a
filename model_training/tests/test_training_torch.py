"""torch_net: with PyTorch a real training; without it, a sentence."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from importlib.util import find_spec

import numpy as np
import pytest

from hrv_shared.constants import MEDIAN_INDEX
from hrv_shared.errors import TooFewNights
from hrv_shared.forecaster import Forecaster
from model_training.forecasters import torch_net
from model_training.forecasters.torch_net import TorchNet
from model_training.foundation import PackageAbsent

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="PyTorch is an extra and is not installed here"
)


@pytest.fixture
def quick(monkeypatch):
    """Few steps: enough to see that training does something."""
    monkeypatch.setattr(torch_net, "STEPS", 25)


def test_without_pytorch_it_says_so(wearer, monkeypatch):
    monkeypatch.setattr(torch_net, "find_spec", lambda name: None)
    with pytest.raises(PackageAbsent, match=r"hrv-model-training\[torch\]"):
        TorchNet().fit(wearer.history())


def test_it_wants_ninety_nights_first(wearer_of):
    with pytest.raises(TooFewNights, match="90"):
        TorchNet().fit(wearer_of(60).history())


def test_importing_it_does_not_import_pytorch():
    code = "import model_training.forecasters.torch_net, sys; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    )


@needs_torch
def test_it_trains_and_forecasts_the_same_every_time(wearer, quick):
    import torch

    day = wearer.history().origin_day
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    first = TorchNet().fit(wearer.history(day - timedelta(days=4)))
    torch.manual_seed(99)
    second = TorchNet().fit(wearer.history(day - timedelta(days=4)))
    found = first.predict(wearer.history())
    assert isinstance(first, Forecaster) and np.array_equal(found, second.predict(wearer.history()))
    assert found.shape == (7, 23) and (np.diff(found, axis=-1) >= 0).all() and (found > 0).all()
    assert np.array_equal(first.predict(wearer.history(), (5, 1)), found[[4, 0]])
    torch.random.set_rng_state(state)
    TorchNet().fit(wearer.history(day - timedelta(days=4)))
    assert torch.equal(torch.random.get_rng_state(), state) and torch.get_num_threads() == threads


@needs_torch
def test_its_state_is_arrays_alone(wearer, quick, tmp_path):
    from model_training.saved_forecaster import load_fits, save_fits

    fitted = TorchNet().fit(wearer.history())
    assert all(isinstance(a, np.ndarray) for weights in fitted.weights_ for a in weights.values())
    save_fits({"evening": fitted}, tmp_path / "net.skops")
    again = load_fits(tmp_path / "net.skops")["evening"]
    assert np.array_equal(again.predict(wearer.history()), fitted.predict(wearer.history()))


@needs_torch
def test_it_learns_what_was_planted(wearer_of):
    wearer = wearer_of(300, seed=5, alcohol_effect=-0.15, noise=0.08)
    day = wearer.history().origin_day
    fitted = TorchNet().fit(wearer.history(day - timedelta(days=60)))
    days, values = wearer.history().hrv_series()
    known = dict(zip(days, values, strict=True))
    errors, naive = [], []
    for back in range(60, 0, -1):
        origin = day - timedelta(days=back)
        truth = known.get(origin + timedelta(days=1), np.nan)
        if np.isfinite(truth) and np.isfinite(known.get(origin, np.nan)):
            past = np.array([known[d] for d in days if d <= origin])
            errors.append(abs(fitted.predict(wearer.history(origin), (1,))[0, MEDIAN_INDEX] - truth))
            naive.append(abs(np.median(past[np.isfinite(past)][-28:]) - truth))
    assert len(errors) > 40 and np.mean(errors) < 0.8 * np.mean(naive)


@needs_torch
def test_a_row_knows_nothing_of_later_days(wearer):
    from model_training.day_grid import day_grid

    grid = day_grid(wearer.history())
    whole, cut = torch_net._rows(grid), torch_net._rows(grid.until(len(grid) - 11))
    for part in ("nights", "table", "target", "anchor", "scale"):
        assert np.array_equal(getattr(whole, part)[:-10], getattr(cut, part)), part
