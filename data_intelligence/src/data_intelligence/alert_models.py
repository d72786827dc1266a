"""From signs to a probability: one small logistic model a kind, fitted by ``hrv bench alerts --tune``.

The weights lie in ``data/alert_models.json`` with the seeds and numbers of nights that they were fitted on. They come
from made-up members: the order of the signs is physiology, the calibration is proven for the generator alone, and the
wearer's own scored alerts (``hrv alerts --scores``) are what shows whether it holds for a person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

__all__ = ["AlertModel", "alert_models", "models_json", "models_version"]


@dataclass(frozen=True)
class AlertModel:
    """Logistic model of one kind.

    Attributes
    ----------
    weights : tuple [K]
    raise_at : float
        Probability from which the wearer is told …
    also : (int, float), optional
        … provided that the feature of this number is at least so large.
    fitted_on : str
        Seeds, members, nights, share that came true.
    """

    kind: str
    intercept: float
    weights: tuple[float, ...]
    raise_at: float
    also: tuple[int, float] | None
    fitted_on: str

    def probability(self, x: np.ndarray) -> np.ndarray:
        """``x`` [N, K] -> [N]; NaN where the signs are not known."""
        score = self.intercept + np.asarray(x, float) @ np.asarray(self.weights)
        return 1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0)))

    def speaks(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Rows on which the wearer is told, bool [N]."""
        loud = np.nan_to_num(p, nan=0.0) >= self.raise_at
        if self.also is not None:
            loud &= np.nan_to_num(x[:, self.also[0]], nan=-np.inf) >= self.also[1]
        return loud


@cache
def alert_models() -> Mapping[str, AlertModel]:
    """The models in force, by kind."""
    found = _file()["models"]
    return {
        kind: AlertModel(
            kind, row["intercept"], tuple(row["weights"]), row["raise_at"],
            None if row["also"] is None else (row["also"][0], row["also"][1]), row["fitted_on"],
        )
        for kind, row in found.items()
    }  # fmt: skip


def models_version() -> str:
    """Name of the weights in force; a change opens new scores."""
    return str(_file()["version"])


def models_json(models: Mapping[str, AlertModel], version: str) -> str:
    """The data file's text."""
    rows = {kind: asdict(model) for kind, model in models.items()}
    return json.dumps({"version": version, "models": rows}, indent=1) + "\n"


def _file() -> dict[str, Any]:
    text = (resources.files("data_intelligence") / "data" / "alert_models.json").read_text(encoding="utf-8")
    return json.loads(text)
