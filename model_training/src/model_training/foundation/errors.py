"""Errors of the foundation models.

HrvError
├── Refusal
│   ├── WeightsAbsent       the model's weights are not on this machine and may not or can't be fetched
│   └── PackageAbsent       the optional package that runs the model is not installed
└── TrainingError
    └── WeightsMalformed    a weights file that can't be read
"""

from __future__ import annotations

from hrv_shared.errors import Refusal
from model_training.errors import TrainingError

__all__ = ["PackageAbsent", "WeightsAbsent", "WeightsMalformed"]


class WeightsAbsent(Refusal):
    """The model's weights are not on this machine, and may not or can't be fetched."""


class PackageAbsent(Refusal):
    """The optional package that runs the model is not installed."""


class WeightsMalformed(TrainingError):
    """A weights file that can't be read."""
