"""The weights of Fracast-0, found by the model resolver."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hrv_shared.models import ModelError, read_safetensors, resolve
from model_training.foundation.errors import WeightsAbsent
from model_training.foundation.fracast_net import FracastNet

if TYPE_CHECKING:
    from hrv_shared.settings import Settings

__all__ = ["MODEL", "load_weights", "loaded_net"]

MODEL = "fracast-0"


def loaded_net(*, may_download: bool = False) -> FracastNet:
    """The network under the settings in force, built once in a process.

    Raises
    ------
    WeightsAbsent
    """
    from hrv_shared.settings import load_settings

    settings = load_settings()
    return _net(settings.cache_dir, may_download and settings.allow_download)


def load_weights(settings: Settings) -> dict[str, np.ndarray]:
    """The tensors of Fracast-0 by name; fetched at first use when ``settings.allow_download``.

    Raises
    ------
    WeightsAbsent
        Not on this machine, and not to be had; the sentence names the command that fetches them.
    """
    return read_safetensors(_path(settings.cache_dir, settings.allow_download))


_nets: dict[Path, FracastNet] = {}
_failed: dict[Path, str] = {}
"""Downloads that failed in this process: tried once, because without a network each try costs a minute."""


def _net(cache_dir: Path, may_download: bool) -> FracastNet:
    if cache_dir not in _nets:
        try:
            path = _path(cache_dir, may_download and cache_dir not in _failed)
        except WeightsAbsent as refusal:
            if may_download:
                _failed.setdefault(cache_dir, str(refusal))
            raise WeightsAbsent(_failed.get(cache_dir, str(refusal))) from None
        _nets[cache_dir] = FracastNet(read_safetensors(path))
    return _nets[cache_dir]


def _path(cache_dir: Path, may_download: bool) -> Path:
    try:
        return resolve(MODEL, cache_dir=cache_dir, allow_download=may_download).path
    except ModelError as error:
        raise WeightsAbsent(f"fracast can't speak without its weights. {error}") from error
