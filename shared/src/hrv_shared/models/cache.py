"""The app's own model cache: ``<cache_dir>/models/<name>/``, each model with its ``verified.json``.

Hashing 1.1 GB at every start would cost seconds, so a verified file's size and times are remembered. A file whose
size or times differ from the remembered ones is hashed again and refused when its bytes are not the pinned ones.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hrv_shared.models.errors import ModelTampered
from hrv_shared.models.manifest import ModelFile, ModelManifest
from hrv_shared.models.progress import Progress, ProgressListener

__all__ = [
    "VERIFIED",
    "combined_sha256",
    "files_present",
    "hash_file",
    "model_dir",
    "models_root",
    "remembered_hash",
    "replace_json",
    "sync_folder",
    "verified_in_cache",
    "write_verified",
]

VERIFIED = "verified.json"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Stamp:
    """What a file looked like when its bytes were hashed; ctime because mtime can be set back at will."""

    sha256: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path, sha256: str) -> Stamp:
        stat = path.stat()
        return cls(sha256, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def models_root(cache_dir: Path) -> Path:
    """Folder that holds one folder per model."""
    return Path(cache_dir) / "models"


def model_dir(cache_dir: Path, manifest: ModelManifest) -> Path:
    """Folder of one model in the cache."""
    return models_root(cache_dir) / manifest.name


def files_present(folder: Path, manifest: ModelManifest) -> bool:
    """True when every file of the model is there, whatever its bytes are."""
    return all((folder / file.name).is_file() for file in manifest.files)


def verified_in_cache(
    cache_dir: Path, manifest: ModelManifest, *, deep: bool = False, progress: ProgressListener | None = None
) -> bool:
    """Tell whether the cache holds the model with the pinned bytes.

    Parameters
    ----------
    cache_dir : Path
        The app's cache folder.
    manifest : ModelManifest
        The model looked for.
    deep : bool
        Hash every file, even where ``verified.json`` vouches for it.

    Returns
    -------
    bool
        False when a file of the model is absent.

    Raises
    ------
    ModelTampered
        A file is there, and its bytes are not the pinned ones.
    """
    folder = model_dir(cache_dir, manifest)
    if not files_present(folder, manifest):
        return False
    stamps = {} if deep else _read_stamps(folder)
    unvouched = [
        file for file in manifest.files if stamps.get(file.name) != Stamp.of(folder / file.name, file.sha256)
    ]
    for file in unvouched:
        _refuse_wrong_bytes(folder / file.name, file, manifest, progress)
    if unvouched:
        write_verified(folder, manifest, source="found in the cache")
    return True


def write_verified(folder: Path, manifest: ModelManifest, *, source: str) -> None:
    """Remember that the files of ``folder`` were hashed and found right."""
    stamps = {file.name: vars(Stamp.of(folder / file.name, file.sha256)) for file in manifest.files}
    note = {
        "model": manifest.name,
        "source": source,
        "verified_at": datetime.now(UTC).isoformat(),
        "files": stamps,
    }
    try:
        replace_json(folder / VERIFIED, note)
    except OSError:
        pass  # a cache that can't be written is still right to read; it is only hashed again next time


def hash_file(path: Path, on_chunk: ProgressListener | None = None, model: str = "") -> str:
    """Return the sha256 of a file as lower-case hex."""
    digest = hashlib.sha256()
    total_bytes, done_bytes = path.stat().st_size, 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            done_bytes += len(chunk)
            if on_chunk:
                on_chunk(Progress(model, "verify", done_bytes, total_bytes))
    return digest.hexdigest()


def remembered_hash(path: Path, notes: Path) -> str:
    """The sha256 of a file; hashed anew only when its size or times differ from those in ``notes``, a JSON file."""
    stat = path.stat()
    stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    try:
        known = json.loads(notes.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    match known.get(str(path)):
        case {"stamp": at, "sha256": str(sha256)} if at == stamp:
            return sha256
    sha256 = hash_file(path)
    try:
        notes.parent.mkdir(parents=True, exist_ok=True)
        replace_json(notes, {**known, str(path): {"stamp": stamp, "sha256": sha256}})
    except OSError:
        pass  # only costs hashing it again
    return sha256


def combined_sha256(sha256_by_name: dict[str, str]) -> str:
    """One hash for a model: that of its only file, else of the sorted lines ``<sha256>  <name>`` (as sha256sum)."""
    if len(sha256_by_name) == 1:
        return next(iter(sha256_by_name.values()))
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(sha256_by_name.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def replace_json(path: Path, content: object) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_wrong_bytes(
    path: Path, file: ModelFile, manifest: ModelManifest, progress: ProgressListener | None
) -> None:
    size_bytes = path.stat().st_size
    found = (
        f"{size_bytes} bytes" if size_bytes != file.size_bytes else hash_file(path, progress, manifest.name)
    )
    if found != file.sha256:
        expected = f"{file.size_bytes} bytes" if size_bytes != file.size_bytes else f"sha256 {file.sha256}"
        raise ModelTampered(
            f"{path} is not the pinned file of {manifest.name}: expected {expected}, found {found}. It is not used. "
            f"Run `hrv models fetch {manifest.kind if manifest.is_default else manifest.name}` to replace it."
        )


def _read_stamps(folder: Path) -> dict[str, Stamp]:
    """Stamps of an earlier check; a damaged note only means that the files are hashed again."""
    try:
        note = json.loads((folder / VERIFIED).read_text(encoding="utf-8"))
        return {name: Stamp(**stamp) for name, stamp in note["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
