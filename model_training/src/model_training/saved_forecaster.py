"""A fitted forecaster as bytes, without pickle.

skops writes the object as JSON and arrays and, on reading, builds only types that the reader names as trusted: here
those of the packages that registered forecasters come from, and scikit-learn's. So a model file can't run code of its
own, and a Python upgrade doesn't make it unreadable.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from hrv_shared.forecaster import ENTRY_POINT_GROUP, Forecaster
from model_training.errors import SavedModelMismatch

__all__ = ["load_forecaster", "save_forecaster"]

LIBRARIES = ("sklearn", "numpy", "scipy")


def save_forecaster(forecaster: Forecaster, path: Path) -> None:
    """Write a fitted forecaster."""
    import skops.io

    skops.io.dump({"name": forecaster.name, "version": forecaster.version, "forecaster": forecaster}, path)


def load_forecaster(path: Path) -> Forecaster:
    """Read a fitted forecaster; it forecasts bit for bit what it did when it was saved.

    Raises
    ------
    SavedModelMismatch
        The file holds types that are not trusted, or the installed code is of another version.
    """
    import skops.io

    packages = {point.value.split(".")[0] for point in entry_points(group=ENTRY_POINT_GROUP)} | set(LIBRARIES)
    unknown = skops.io.get_untrusted_types(file=path)
    foreign = [name for name in unknown if name.split(".")[0] not in packages]
    if foreign:
        raise SavedModelMismatch(
            f"Expected a forecaster made of {sorted(packages)}, got types {foreign}. "
            "Train anew: python -m model_training train"
        )
    saved = skops.io.load(path, trusted=unknown)
    if saved["version"] != saved["forecaster"].version:
        raise SavedModelMismatch(
            f"{saved['name']} was saved by version {saved['version']}, installed is {saved['forecaster'].version}. "
            "Train anew: python -m model_training train"
        )
    return saved["forecaster"]
