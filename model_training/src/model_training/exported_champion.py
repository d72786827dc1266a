"""The champion as a file of the store, so that forecasting needs neither MLflow nor its database.

``models/champion-<member>/`` holds ``manifest.json`` and the fits that it names by their SHA-256. The manifest is
replaced last and in one step, so a reader finds the old champion or the new one.

What it is: the registered version behind the alias ``champion``, fitted on the nights known at its training. The ledger
rows of the same forecaster and code version are that champion's rows too: ``forecast`` only fits it anew, on the nights
that came since. So the gate and the watch judge the champion by the ledger rows of its forecaster and code version.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hrv_shared.forecaster import Forecaster
from hrv_shared.history import History
from hrv_shared.record import canonical_json
from hrv_shared.store import Store, write_bytes_atomic
from model_training.champion_history import Seat
from model_training.errors import NoChampion, SavedModelMismatch
from model_training.saved_forecaster import load_fits

__all__ = ["ExportedChampion", "export_champion", "exported_seat", "load_champion"]

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ExportedChampion:
    """The champion, ready to forecast.

    Attributes
    ----------
    fits : dict
        Slot -> fitted forecaster.
    """

    seat: Seat
    manifest: dict[str, Any]
    fits: dict[str, Forecaster]

    def predict(self, history: History) -> np.ndarray:
        """Quantiles [7, 23] in ms, by the fit of the history's slot.

        Raises
        ------
        Refusal
            The history does not bear a forecast.
        """
        return self.fits[history.slot].predict(history)


def export_champion(store: Store, member_id: str, seat: Seat, saved: Path, about: dict[str, Any]) -> Path:
    """Put a registered version in the champion's folder; returns the manifest.

    Parameters
    ----------
    saved : Path
        The file that ``save_fits`` wrote.
    about : dict
        What else the manifest says (card, day of training).
    """
    data = saved.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    folder = _folder(store, member_id)
    file = f"forecaster-{sha256[:12]}.skops"
    manifest = about | {
        **seat.describe(), "member_id": member_id, "file": file, "sha256": sha256, "size_bytes": len(data),
    }  # fmt: skip
    write_bytes_atomic(folder / file, data)
    write_bytes_atomic(folder / MANIFEST, canonical_json(manifest).encode())
    for old in folder.glob("forecaster-*.skops"):
        if old.name != file:
            old.unlink(missing_ok=True)
    return folder / MANIFEST


def exported_seat(store: Store, member_id: str) -> Seat | None:
    """Whose export lies in the store whole; None when there is none or its bytes are not those of the manifest."""
    try:
        manifest, _ = _verified(_folder(store, member_id))
    except (NoChampion, SavedModelMismatch):
        return None
    return _seat(manifest)


def load_champion(store: Store, member_id: str) -> ExportedChampion:
    """Read the exported champion, after its digest was found right.

    Raises
    ------
    NoChampion
        Nothing was exported yet.
    SavedModelMismatch
        The bytes are not those that were exported, or the installed code is of another version.
    """
    manifest, path = _verified(_folder(store, member_id))
    return ExportedChampion(_seat(manifest), manifest, load_fits(path))


def _verified(folder: Path) -> tuple[dict[str, Any], Path]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        path = folder / Path(manifest["file"]).name
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise NoChampion(
            f"Expected an exported champion in {folder.name}, found none. Run: python -m model_training train"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError):
        found, manifest, path = "a manifest that can't be read", {"sha256": "a manifest"}, folder
    if found != manifest["sha256"]:
        raise SavedModelMismatch(
            f"{folder.name}: expected {manifest['sha256'][:12]}, got {found[:29]}; it is not what was exported. "
            "Export it again: python -m model_training train"
        )
    return manifest, path


def _seat(manifest: dict[str, Any]) -> Seat:
    return Seat(manifest["forecaster"], manifest["code"], manifest["registered_version"])


def _folder(store: Store, member_id: str) -> Path:
    return store.folder("models", f"champion-{member_id}")
