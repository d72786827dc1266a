"""Errors of the foundation models.

HrvError
└── Refusal
    ├── WeightsAbsent       the model's weights are not on this machine and may not or can't be fetched
    └── PackageAbsent       the optional package that runs the model is not installed
"""

from __future__ import annotations

from hrv_shared.errors import Refusal

__all__ = ["PackageAbsent", "WeightsAbsent"]


class WeightsAbsent(Refusal):
    """The model's weights are not on this machine, and may not or can't be fetched."""


class PackageAbsent(Refusal):
    """The optional package that runs the model is not installed."""
