"""The model resolver: from a model's name to a file with the pinned bytes."""

from hrv_shared.models.errors import (
    DownloadFailed,
    ModelAbsent,
    ModelError,
    ModelTampered,
    NotEnoughDisk,
    UnknownModel,
)
from hrv_shared.models.inventory import ModelStatus, status
from hrv_shared.models.manifest import MANIFESTS, default_model, manifest_of
from hrv_shared.models.progress import Progress, StderrProgress
from hrv_shared.models.resolver import ResolvedModel, fetch, resolve
from hrv_shared.models.tensors import read_safetensors

__all__ = [
    "MANIFESTS",
    "DownloadFailed",
    "ModelAbsent",
    "ModelError",
    "ModelStatus",
    "ModelTampered",
    "NotEnoughDisk",
    "Progress",
    "ResolvedModel",
    "StderrProgress",
    "UnknownModel",
    "default_model",
    "fetch",
    "manifest_of",
    "read_safetensors",
    "resolve",
    "status",
]
