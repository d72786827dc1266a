"""torch_net: a small recurrent network of the wearer's own, for those who have PyTorch.

Assumes      the last 28 nights as a sequence, with the features and the target's calendar and journal beside it, hold a
             pattern that repeats. Everything is in personal units, so that the same network could learn from many.
Is not       better than trees on one person's few hundred nights as a rule; it is here because it can see an order in
             the nights that no table of lags holds. It knows no prior and needs a year to be of use.
Refuses      below 90 scored nights, when the last one is more than three days old, or without PyTorch (extra
             ``torch``).
Band         nine levels by pinball loss, mean of three networks, each trained without its block of days (a week's gap
             on both sides); drawn towards the law of the errors in those blocks. Seeded, one thread: the same numbers
             every time on one machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from model_training.day_grid import DayGrid, day_grid
from model_training.features import features, target_columns
from model_training.forecasters.eligibility import require_nights
from model_training.forecasters.fingerprint import code_version
from model_training.foundation.deciles import DECILES, extend_deciles
from model_training.foundation.error_band import band, unit_errors
from model_training.foundation.errors import PackageAbsent
from model_training.residual_law import to_ms

if TYPE_CHECKING:
    from torch import nn

__all__ = ["TorchNet"]

LEAST_NIGHTS = 90
TRAIN_DAYS = 540
BURN_IN = 14
FOLDS = 3
GAP_DAYS = 7
WINDOW = 28
HIDDEN = 12
STEPS = 120
LEARNING_RATE = 0.01
WEIGHT_DECAY = 0.02
DROPOUT = 0.2
SEED = 0
PRIOR_ERRORS = 20
"""Out-of-fold errors at which the law of errors weighs as much as the networks' own band."""


@dataclass(frozen=True)
class _Rows:
    """One row an origin: nights [N, 28, 2], table [N, F], target [N, 7, T], y [N, 7]; anchor and scale [N]."""

    nights: np.ndarray
    table: np.ndarray
    target: np.ndarray
    y: np.ndarray
    anchor: np.ndarray
    scale: np.ndarray


class TorchNet:
    """GRU over the last nights beside a table of features, quantiles by pinball loss."""

    name = "torch_net"
    version = code_version(
        "1.0.0", __file__, "features.py", "day_grid.py", "behaviours.py", "foundation/deciles.py",
        "foundation/error_band.py",
    )  # fmt: skip
    refit_days = 28

    def fit(self, history: History) -> Self:
        """Train a network without each block of days, and keep its errors there.

        Raises
        ------
        PackageAbsent
            PyTorch is not installed.
        """
        require_nights(history, LEAST_NIGHTS, self.name)
        _require_torch()
        rows = _rows(day_grid(history))
        learn = np.arange(max(BURN_IN, len(rows.y) - TRAIN_DAYS), len(rows.y) - 1)
        errors = np.full(rows.y.shape, np.nan)
        self.weights_: list[dict[str, np.ndarray]] = []
        for block in np.array_split(learn, FOLDS):
            far = learn[(learn < block[0] - GAP_DAYS) | (learn > block[-1] + GAP_DAYS)]
            weights = _train(rows, far)
            self.weights_.append(weights)
            quantiles = _log_quantiles(rows, block, [weights])
            for k in range(len(HORIZONS)):
                outcome = rows.anchor[block] + rows.scale[block] * rows.y[block, k]
                errors[block, k] = unit_errors(quantiles[:, k], outcome)
        self.errors_ = [errors[np.isfinite(errors[:, k]), k] for k in range(len(HORIZONS))]
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        _require_torch()
        rows = _rows(day_grid(history))
        own = _log_quantiles(rows, np.array([len(rows.y) - 1]), self.weights_)[0]
        return to_ms(np.array([band(own[h - 1], self.errors_[h - 1], PRIOR_ERRORS) for h in horizons]))


def _require_torch() -> None:
    if find_spec("torch") is None:
        raise PackageAbsent(
            "torch_net needs PyTorch, which is not installed. Install it with "
            "`pip install 'hrv-model-training[torch]'`; without it the other forecasters speak."
        )


def _rows(grid: DayGrid) -> _Rows:
    """Sequence, table and targets of every origin, in personal units; what is unknown is 0 with a flag beside it."""
    known = features(grid)
    n = len(grid)
    deviation = np.concatenate([np.full(WINDOW - 1, np.nan), grid.log_hrv])
    at = np.arange(n)[:, None] + np.arange(WINDOW)
    nights = (deviation[at] - known.anchor[:, None]) / known.scale[:, None]
    target = np.stack([target_columns(grid, h)[1] for h in HORIZONS], axis=1)
    y = np.full((n, len(HORIZONS)), np.nan)
    for k, h in enumerate(HORIZONS):
        y[: n - h, k] = (grid.log_hrv[h:] - known.anchor[: n - h]) / known.scale[: n - h]
    return _Rows(
        _with_flags(nights[..., None]),
        _with_flags(known.x),
        _with_flags(target),
        y,
        known.anchor,
        known.scale,
    )


def _with_flags(values: np.ndarray) -> np.ndarray:
    absent = ~np.isfinite(values)
    clipped = np.clip(np.where(absent, 0.0, values), -5, 5)
    return np.concatenate([clipped, absent], axis=-1).astype(np.float32)


def _train(rows: _Rows, at: np.ndarray) -> dict[str, np.ndarray]:
    """Weights of a network trained on the rows ``at``, as arrays."""
    import torch

    with _quiet_torch():
        net = _net(rows)
        optimiser = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
        inputs = _inputs(rows, at)
        y = torch.from_numpy(np.clip(rows.y[at], -5, 5).astype(np.float32))[..., None]
        known, y = torch.isfinite(y), torch.nan_to_num(y)
        levels = torch.tensor(DECILES)
        net.train()
        for _ in range(STEPS):
            error = y - net(*inputs)
            loss = (torch.maximum(levels * error, (levels - 1) * error) * known).sum() / known.sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
        return {name: value.numpy().copy() for name, value in net.state_dict().items()}


def _log_quantiles(rows: _Rows, at: np.ndarray, networks: list[dict[str, np.ndarray]]) -> np.ndarray:
    """Mean of the networks' quantiles at the rows ``at``; ndarray [N, 7, 23], ln ms."""
    import torch

    with _quiet_torch(), torch.inference_mode():
        outputs = []
        for weights in networks:
            net = _net(rows)
            net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
            outputs.append(net.eval()(*_inputs(rows, at)).numpy())
    deciles = rows.anchor[at, None, None] + rows.scale[at, None, None] * np.mean(outputs, axis=0)
    return np.log(extend_deciles(np.exp(deciles)))


def _inputs(rows: _Rows, at: np.ndarray) -> tuple[Any, Any, Any]:
    import torch

    return tuple(torch.from_numpy(part[at]) for part in (rows.nights, rows.table, rows.target))


def _net(rows: _Rows) -> nn.Module:
    """The network for rows of these widths; called under ``_quiet_torch``, so that it begins the same every time."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.read = nn.GRU(rows.nights.shape[-1], HIDDEN, batch_first=True)
            width = HIDDEN + rows.table.shape[-1] + rows.target.shape[-1] + len(HORIZONS)
            self.drop = nn.Dropout(DROPOUT)
            self.mix = nn.Sequential(nn.Linear(width, 2 * HIDDEN), nn.SiLU(), nn.Dropout(DROPOUT))
            self.speak = nn.Linear(2 * HIDDEN, len(DECILES))
            nn.init.normal_(self.speak.weight, std=0.01)
            nn.init.constant_(self.speak.bias, -1.3)  # gaps of 0.25: the deciles of a unit spread, about
            nn.init.zeros_(self.speak.bias[:1])

        def forward(self, nights: Any, table: Any, target: Any) -> Any:
            """Deciles [N, 7, 9]: the median, and gaps that can't be negative."""
            state = self.read(nights)[1][0]
            both = torch.cat([state, self.drop(table)], dim=-1)[:, None].expand(-1, len(HORIZONS), -1)
            which = torch.eye(len(HORIZONS)).expand(len(nights), -1, -1)
            said = self.speak(self.mix(torch.cat([both, target, which], dim=-1)))
            gaps = nn.functional.softplus(said[..., 1:])
            half = len(DECILES) // 2
            below = -gaps[..., :half].cumsum(-1).flip(-1)
            above = gaps[..., half:].cumsum(-1)
            return said[..., :1] + torch.cat([below, torch.zeros_like(said[..., :1]), above], dim=-1)

    return Net()


class _quiet_torch:
    """One thread and a seed of our own; afterwards torch is as it was."""

    def __enter__(self) -> None:
        import torch

        self._threads, self._state = torch.get_num_threads(), torch.random.get_rng_state()
        torch.set_num_threads(1)
        torch.manual_seed(SEED)

    def __exit__(self, *_: object) -> None:
        import torch

        torch.set_num_threads(self._threads)
        torch.random.set_rng_state(self._state)
