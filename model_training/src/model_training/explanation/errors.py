"""Errors of explaining and asking.

TrainingError
├── NothingToExplain   no forecast of that slot was issued yet
└── BadChange          the changed fact is unknown, out of range, contradicts another or is no input at that time of day
"""

from __future__ import annotations

from model_training.errors import TrainingError

__all__ = ["BadChange", "NothingToExplain"]


class NothingToExplain(TrainingError):
    """No forecast of that slot was issued yet."""


class BadChange(TrainingError):
    """The changed fact can't be asked about."""
