"""A model of the user's own, named by its path: looked at, hashed for the record, never compared with a pin."""

from __future__ import annotations

from pathlib import Path

from hrv_shared.models.cache import combined_sha256, models_root, remembered_hash
from hrv_shared.models.errors import ModelAbsent, UnknownModel
from hrv_shared.models.manifest import manifest_of

__all__ = ["resolve_custom"]

FOLDER_NEEDS = ("model.bin", "config.json")
HASHES = "own_models.json"


def resolve_custom(name: str, path: Path, cache_dir: Path) -> tuple[Path, str]:
    """Check that ``path`` can be such a model and return it with its sha256.

    The hash is remembered with the file's size and times, so that gigabytes are hashed once.

    Raises
    ------
    ModelAbsent
        There is no file or folder, or it has not the form of a model.
    """
    path = path.expanduser().absolute()
    notes = models_root(cache_dir) / HASHES
    if path.is_dir():
        _expect(name, "asr", path)
        lacking = [need for need in FOLDER_NEEDS if not (path / need).is_file()]
        if lacking:
            raise ModelAbsent(
                f"{path} is no speech model in CTranslate2 form: it lacks {', '.join(lacking)}."
            )
        names = sorted(
            entry.name for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")
        )
        return path, combined_sha256({entry: remembered_hash(path / entry, notes) for entry in names})
    if not path.is_file():
        raise ModelAbsent(
            f"The configured model {path} does not exist. Mend the path, or unset it to use {name}."
        )
    _expect(name, "llm", path)
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic != b"GGUF":
        raise ModelAbsent(f"{path} is no GGUF file: expected it to begin with b'GGUF', found {magic!r}.")
    return path, remembered_hash(path, notes)


def _expect(name: str, kind: str, path: Path) -> None:
    try:
        wanted = manifest_of(name).kind
    except UnknownModel:
        return  # a name of the user's own for a path of the user's own
    if wanted != kind:
        form = {"asr": "a folder in CTranslate2 form", "llm": "a GGUF file"}.get(
            wanted, "no file of your own"
        )
        raise ModelAbsent(f"The configured model {path} can't stand for {name}: expected {form}.")
