"""Errors of the scale benchmark.

HrvError
└── TrainingError
    ├── EngineAbsent    the package that spreads the work is not installed
    ├── BadScale        a size, an engine or a number of workers that can't be
    └── OtherCode       a worker's forecasters are not those of the process that gave the work
"""

from __future__ import annotations

from model_training.errors import TrainingError

__all__ = ["BadScale", "EngineAbsent", "OtherCode"]


class EngineAbsent(TrainingError):
    """The optional package that spreads the work is not installed."""


class BadScale(TrainingError):
    """A size, an engine or a number of workers that can't be."""


class OtherCode(TrainingError):
    """A worker's forecasters are not those of the process that gave the work."""
