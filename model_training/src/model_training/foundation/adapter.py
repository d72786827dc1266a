"""What the adapters to other people's foundation models share: one class, one model each in a file of its own.

A model file names its package, its extra and its weights, and turns windows into quantiles. Everything else is here:
refusing without the package or the weights, keeping libraries from phoning home, the band from past errors.

Weights lie in ``<cache_dir>/models/<name>/``, put there by the wearer or fetched from the hub by ``prepare``,
which only training calls, with ``allow_download`` only; forecasting reads what is there. They are large (0.1 to
0.5 GB) and not pinned by us. No history leaves the machine: every one of these models runs here.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from hrv_shared.constants import HORIZONS
from hrv_shared.history import History
from hrv_shared.settings import load_settings
from model_training.forecasters.eligibility import require_nights
from model_training.foundation.error_band import band, unit_errors
from model_training.foundation.errors import PackageAbsent, WeightsAbsent
from model_training.residual_law import to_ms

__all__ = ["FoundationAdapter"]

LEAST_NIGHTS = 30
ERROR_ORIGINS = 60
CONTEXT_DAYS = 1024
SILENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TABPFN_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class FoundationAdapter(ABC):
    """A pretrained model of another package behind the forecaster protocol.

    Parameters
    ----------
    pipeline : object, optional
        The loaded model; by default it is loaded at first use.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    refit_days: ClassVar[int] = 28
    module: ClassVar[str]
    """Importable name of the package."""
    extra: ClassVar[str]
    weight_files: ClassVar[tuple[str, ...]]
    hub_repo: ClassVar[str | None] = None
    """Where the files are public; None: the wearer has to fetch them."""
    _pipelines: ClassVar[dict[str, Any]] = {}

    def __init__(self, pipeline: Any = None) -> None:
        self._given = pipeline

    def prepare(self) -> None:
        """Fetch the weights where they are absent and downloads are allowed; only training asks for it."""
        self._pipeline(may_download=True)

    def fit(self, history: History) -> Self:
        """Forecast the last 60 origins and collect the errors per horizon."""
        require_nights(history, LEAST_NIGHTS, self.name)
        pipeline = self._pipeline(may_download=False)
        days, values = history.hrv_series()
        first = int(np.flatnonzero(np.cumsum(np.isfinite(values)) >= LEAST_NIGHTS // 2)[0])
        origins = np.arange(max(first, len(values) - 1 - ERROR_ORIGINS), len(values) - 1)
        quantiles = np.log(self._windows(pipeline, values, days, origins))
        log_hrv = np.log(values)
        self.errors_ = {}
        for h in HORIZONS:
            known = origins + h < len(values)
            errors = unit_errors(quantiles[known, h - 1], log_hrv[origins[known] + h])
            self.errors_[h] = errors[np.isfinite(errors)]
        return self

    def predict(self, history: History, horizons: Sequence[int] = HORIZONS) -> np.ndarray:
        """Quantiles [H, 23] in ms."""
        require_nights(history, LEAST_NIGHTS, self.name)
        days, values = history.hrv_series()
        last = np.array([len(values) - 1])
        own = np.log(self._windows(self._pipeline(may_download=False), values, days, last)[0])
        return to_ms(np.array([band(own[h - 1], self.errors_[h]) for h in horizons]))

    @abstractmethod
    def load(self, folder: Path) -> Any:
        """Load the pipeline from the folder that holds ``weight_files``."""

    @abstractmethod
    def quantiles(self, pipeline: Any, windows: list[np.ndarray], last_days: list[date]) -> np.ndarray:
        """Quantiles of the seven days after each window.

        Parameters
        ----------
        windows : list of ndarray [T], ms
            One value a day, the last one on the origin day; NaN where there is none.
        last_days : list of date

        Returns
        -------
        ndarray [B, 7, 23], ms
        """

    def _windows(
        self, pipeline: Any, values: np.ndarray, days: list[date], origins: np.ndarray
    ) -> np.ndarray:
        windows = [values[max(0, o + 1 - CONTEXT_DAYS) : o + 1].astype(np.float32) for o in origins]
        found = np.asarray(self.quantiles(pipeline, windows, [days[o] for o in origins]), dtype=float)
        return to_ms(np.log(np.maximum(np.sort(found, axis=-1), 1e-3)))

    def _pipeline(self, *, may_download: bool) -> Any:
        if self._given is not None:
            return self._given
        if self.name not in self._pipelines:
            os.environ.update(SILENT)
            if find_spec(self.module) is None:
                raise PackageAbsent(
                    f"{self.name} needs a package that is not installed. Install it with "
                    f"`pip install 'hrv-model-training[{self.extra}]'`; without it the other forecasters speak."
                )
            self._pipelines[self.name] = self.load(self._weights(may_download))
        return self._pipelines[self.name]

    def _weights(self, may_download: bool) -> Path:
        settings = load_settings()
        folder = settings.cache_dir / "models" / self.name
        if all((folder / file).is_file() for file in self.weight_files):
            return folder
        if self.hub_repo is None:
            why = "their owner wants them to be asked for"
        elif not settings.allow_download:
            why = "downloads are switched off (HRV_ALLOW_DOWNLOAD)"
        elif not may_download:
            why = "only training fetches them (python -m model_training train)"
        else:
            why = _fetch(self.hub_repo, self.weight_files, folder)
        if why:
            files = ", ".join(self.weight_files)
            raise WeightsAbsent(
                f"The weights of {self.name} are not on this machine: {why}. Or put {files} into {folder} yourself."
            )
        return folder


def _fetch(repository: str, names: tuple[str, ...], folder: Path) -> str:
    """Fetch public files of the hub; an empty text, or why it did not work."""
    from huggingface_hub import hf_hub_download

    for name in names:
        try:
            # public files: a token of the wearer's must not be sent along
            hf_hub_download(repository, name, local_dir=folder, token=False, etag_timeout=10)
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()
            return f"{repository} did not deliver {name} ({reason[0] if reason else type(error).__name__})"
    return ""
