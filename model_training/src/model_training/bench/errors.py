"""Errors of the benchmark."""

from __future__ import annotations

from model_training.errors import TrainingError

__all__ = ["BadTable"]


class BadTable(TrainingError):
    """The benchmark's table can't be used."""
