"""The registered model as MLflow loads it: this file is copied beside the forecaster's bytes ("models from code").

``mlflow.pyfunc.load_model("models:/hrv-me@champion").predict([history])`` gives quantiles [1, 7, 23] in ms; the slot of
each history picks the fit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.pyfunc import PythonModel

from model_training.saved_forecaster import load_fits


class ServedForecaster(PythonModel):
    """A forecaster's fits behind MLflow's pyfunc interface."""

    def load_context(self, context: Any) -> None:
        """Read the fits."""
        self.fits = load_fits(Path(context.artifacts["forecaster"]))

    def predict(self, model_input: list[Any], params: dict[str, Any] | None = None) -> Any:
        """Quantiles of a list of ``hrv_shared.history.History``, [N, 7, 23] ms."""
        return np.array([self.fits[history.slot].predict(history) for history in model_input])


mlflow.models.set_model(ServedForecaster())
