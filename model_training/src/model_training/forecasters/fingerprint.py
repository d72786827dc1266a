"""Version of a forecaster: a number for people, and a digest of the code that computes it."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["code_version", "package_digest"]

PACKAGE = Path(__file__).resolve().parents[1]


def code_version(number: str, own_file: str, *shared_files: str, also: str = "") -> str:
    """``number`` plus eight hex digits that change whenever the code or its parameters do.

    Parameters
    ----------
    own_file : str
        ``__file__`` of the forecaster.
    shared_files : str
        Files of ``model_training`` that its numbers come out of.
    also : str
        Anything else that they depend on, such as the version of a library.
    """
    sha = hashlib.sha256(also.encode())
    for path in (Path(own_file), *(PACKAGE / name for name in shared_files)):
        sha.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{number}+{sha.hexdigest()[:8]}"


def package_digest() -> str:
    """Digest of all Python files of the package: a benchmark that is kept on disk belongs to them."""
    sha = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        sha.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return sha.hexdigest()
