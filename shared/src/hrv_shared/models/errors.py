"""Errors of the model resolver.

HrvError
└── ModelError
    ├── UnknownModel      no manifest of that name
    ├── ModelAbsent       not on this machine, and a download was not allowed
    ├── ModelTampered     the bytes are not the pinned ones
    ├── NotEnoughDisk     the download or its assembly would not fit
    └── DownloadFailed    no route delivered the model
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = ["DownloadFailed", "ModelAbsent", "ModelError", "ModelTampered", "NotEnoughDisk", "UnknownModel"]


class ModelError(HrvError):
    """Base of everything that can go wrong between a model's name and its file."""


class UnknownModel(ModelError):
    """There is no manifest of that name."""


class ModelAbsent(ModelError):
    """The model is not on this machine, and a download was not allowed."""


class ModelTampered(ModelError):
    """The bytes of a model file are not the pinned ones."""


class NotEnoughDisk(ModelError):
    """The download and its assembly would not fit on the disk of the cache."""


class DownloadFailed(ModelError):
    """No route delivered the model."""
