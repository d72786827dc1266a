"""Errors of the training room.

HrvError
└── TrainingError
    ├── NothingToTrain      no forecaster is registered, or none could speak
    ├── NothingToCombine    there is no row of ``mix`` to make ``final`` of
    ├── NoChampion          no model was registered or exported yet
    ├── TrainingBusy        another process is training or promoting for the same member
    ├── PoolDamaged         the file of shipped priors can't be read, or lacks a part
    ├── SavedModelMismatch  a saved model belongs to other code than this
    ├── BadTable            the benchmark's table can't be used                       (bench/errors.py)
    ├── BadChange           a what-if asks for something that can't be                (explanation/errors.py)
    ├── NothingToExplain    there is no forecast to take apart                        (explanation/errors.py)
    └── MissingLibrary      an opponent's library is not installed                    (opponents/protocol.py)

Refusals to forecast (``TooFewNights``, ``StaleData``) are those of ``hrv_shared``; ``WeightsAbsent`` and
``PackageAbsent`` (foundation/errors.py) are the only ones of this room.
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = [
    "NoChampion",
    "NothingToCombine",
    "NothingToTrain",
    "PoolDamaged",
    "SavedModelMismatch",
    "TrainingBusy",
    "TrainingError",
]


class TrainingError(HrvError):
    """Base of this room's errors."""


class NothingToTrain(TrainingError):
    """No forecaster is registered, or none of them could speak in the backtest."""


class NothingToCombine(TrainingError):
    """There is no row of ``mix`` for this issue."""


class NoChampion(TrainingError):
    """No model was registered or exported yet."""


class TrainingBusy(TrainingError):
    """Another process is training or promoting for the same member."""


class PoolDamaged(TrainingError):
    """The file of what was learned from other people can't be read, or lacks a part."""


class SavedModelMismatch(TrainingError):
    """A saved model was made by another version of the code."""
