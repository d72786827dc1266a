"""What is known about every model on this machine, without using the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hrv_shared.models.assemble import InstalledPackages
from hrv_shared.models.cache import (
    VERIFIED,
    files_present,
    model_dir,
    verified_in_cache,
)
from hrv_shared.models.errors import ModelTampered
from hrv_shared.models.manifest import MANIFESTS, ModelManifest

__all__ = ["ModelStatus", "status"]

State = Literal["ready", "unchecked", "tampered", "installed", "absent"]


@dataclass(frozen=True)
class ModelStatus:
    """One model: ``ready`` (verified in the cache), ``unchecked`` (in the cache, not hashed yet), ``tampered``,
    ``installed`` (its packages are here, to be joined at first use) or ``absent``."""

    name: str
    kind: str
    is_default: bool
    state: State
    path: str
    size_bytes: int
    download_bytes: int
    licence: str
    note: str


def status(
    *, cache_dir: Path, deep: bool = False, installed: InstalledPackages | None = None
) -> list[ModelStatus]:
    """Return the state of every known model; ``deep`` hashes what is in the cache (seconds per GB)."""
    installed = installed or InstalledPackages()
    return [_status_of(manifest, cache_dir, deep, installed) for manifest in MANIFESTS]


def _status_of(
    manifest: ModelManifest, cache_dir: Path, deep: bool, installed: InstalledPackages
) -> ModelStatus:
    state, note = _state(manifest, cache_dir, deep, installed)
    folder = model_dir(cache_dir, manifest)
    return ModelStatus(
        name=manifest.name,
        kind=manifest.kind,
        is_default=manifest.is_default,
        state=state,
        path=str(folder if manifest.is_folder else folder / manifest.files[0].name),
        size_bytes=manifest.size_bytes,
        download_bytes=manifest.download_bytes,
        licence=manifest.licence,
        note=note or manifest.note,
    )


def _state(
    manifest: ModelManifest, cache_dir: Path, deep: bool, installed: InstalledPackages
) -> tuple[State, str]:
    folder = model_dir(cache_dir, manifest)
    if files_present(folder, manifest):
        if not deep and not (folder / VERIFIED).is_file():
            return "unchecked", "its bytes are checked at first use"
        try:
            verified_in_cache(cache_dir, manifest, deep=deep)
        except ModelTampered as tampered:
            return "tampered", str(tampered)
        return "ready", ""
    return ("installed", "") if not installed.missing(manifest) else ("absent", "")
