"""What was learned from other people's nights: one small artefact that every pooled forecaster starts from.

A wearer has only their own nights. The pool brings priors, laws of errors and trees that were fitted on a synthetic
cohort and on openly licensed real people (``pool_data/CARD.md``: data, licences, date, skill alone). It holds no night
of anybody, only fitted numbers.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from hrv_shared.constants import SLOTS
from hrv_shared.record import canonical_json
from model_training.errors import PoolDamaged

__all__ = ["SHIPPED_PATH", "Pool", "shipped_digest", "shipped_pool"]

SHIPPED_PATH = Path(str(files("model_training"))) / "pool_data" / "pool.json.gz"


@dataclass(frozen=True)
class Pool:
    """Fitted parts by slot and forecaster.

    Attributes
    ----------
    parts : dict
        slot -> forecaster -> numbers (JSON).
    about : dict
        What it was fitted on: people, nights, seed, digests of the people in it.
    """

    parts: Mapping[str, Mapping[str, Any]]
    about: Mapping[str, Any]

    def part(self, forecaster: str, slot: str) -> Mapping[str, Any]:
        """One forecaster's part.

        Raises
        ------
        PoolDamaged
            The pool was fitted without this forecaster.
        """
        try:
            return self.parts[slot][forecaster]
        except KeyError:
            raise PoolDamaged(
                f"Expected a pool with {forecaster!r} for the {slot}, found {sorted(self.parts.get(slot, {}))}. "
                "Fit it anew: python -m model_training fit-pool"
            ) from None

    def save(self, path: Path) -> None:
        """Write it, byte for byte the same for the same numbers."""
        text = canonical_json({"about": self.about, "parts": self.parts}).encode()
        path.write_bytes(gzip.compress(text, mtime=0))

    @classmethod
    def load(cls, path: Path) -> Pool:
        """Read one that was saved.

        Raises
        ------
        PoolDamaged
            The file is no pool.
        """
        try:
            held = json.loads(gzip.decompress(path.read_bytes()))
            if set(held["parts"]) != set(SLOTS):
                raise KeyError("parts")
        except (OSError, EOFError, ValueError, KeyError) as error:
            raise PoolDamaged(
                f"Expected a pool of fitted priors in {path.name}, could not read it: {error}"
            ) from error
        return cls(held["parts"], held["about"])

    def digest(self) -> str:
        """Digest of all that is in it."""
        return hashlib.sha256(canonical_json({"about": self.about, "parts": self.parts}).encode()).hexdigest()


@functools.cache
def shipped_pool() -> Pool:
    """The pool that comes with the package."""
    return Pool.load(SHIPPED_PATH)


@functools.cache
def shipped_digest() -> str:
    """First hex digits of the shipped file: a part of the version of whoever starts from it."""
    return hashlib.sha256(SHIPPED_PATH.read_bytes()).hexdigest()[:8] if SHIPPED_PATH.exists() else "none"
