"""The registered model as MLflow loads it: this file is copied beside the forecaster's bytes ("models from code").

``mlflow.pyfunc.load_model("models:/hrv-me@champion").predict(history)`` gives quantiles [7, 23] in ms.
"""

from __future__ import annotations

from pathlib import Path

import mlflow
from mlflow.pyfunc import PythonModel

from model_training.saved_forecaster import load_forecaster


class ServedForecaster(PythonModel):
    """A forecaster behind MLflow's pyfunc interface."""

    def load_context(self, context):
        """Read the forecaster."""
        self.forecaster = load_forecaster(Path(context.artifacts["forecaster"]))

    def predict(self, context, model_input, params=None):
        """Quantiles of a ``hrv_shared.history.History``, [7, 23] ms."""
        return self.forecaster.predict(model_input)


mlflow.models.set_model(ServedForecaster())
