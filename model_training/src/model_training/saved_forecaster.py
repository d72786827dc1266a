"""Fitted forecasters as bytes, without pickle: one file holds the fits of one forecaster, one a slot.

skops writes the objects as JSON and arrays and, on reading, builds only types that the reader names as trusted: here
those of the packages that registered forecasters come from, and the libraries they compute with. So a model file can't
run code of its own, and a Python upgrade doesn't make it unreadable.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from hrv_shared.forecaster import ENTRY_POINT_GROUP, Forecaster
from model_training.errors import SavedModelMismatch

__all__ = ["load_fits", "save_fits"]

LIBRARIES = ("sklearn", "numpy", "scipy")


def save_fits(fits: Mapping[str, Forecaster], path: Path) -> None:
    """Write the fits of one forecaster, by slot."""
    import skops.io

    first = next(iter(fits.values()))
    skops.io.dump({"name": first.name, "version": first.version, "fits": dict(fits)}, path)


def load_fits(path: Path) -> dict[str, Forecaster]:
    """Read the fits of one forecaster, by slot; each forecasts bit for bit what it did when it was saved.

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
    for fitted in saved["fits"].values():
        if saved["version"] != fitted.version:
            raise SavedModelMismatch(
                f"{saved['name']} was saved by version {saved['version']}, installed is {fitted.version}. "
                "Train anew: python -m model_training train"
            )
    return saved["fits"]
