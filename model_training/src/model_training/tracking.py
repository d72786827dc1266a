"""MLflow on one SQLite file of the store: a run a forecaster and training, the ten best registered, the best aliased.

Local only: telemetry is switched off before MLflow is imported, tracking and registry are the same file, artifacts lie
beside it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from hrv_shared.forecaster import Forecaster
from hrv_shared.store import Store
from model_training.saved_forecaster import save_forecaster

__all__ = ["CHAMPION", "REGISTERED_MOST", "Tracking", "list_registered"]

REGISTERED_MOST = 10
"""Versions kept in the registry, the best by skill."""
CHAMPION = "champion"
REQUIREMENTS = ("scikit-learn", "numpy", "polars", "skops")


class Tracking:
    """One member's experiment and registered model in a store's MLflow."""

    def __init__(self, store: Store, member_id: str) -> None:
        self.name = f"hrv-{member_id}"
        self._mlflow = _mlflow_on(store)
        self.client = self._mlflow.MlflowClient()
        experiment = self.client.get_experiment_by_name(self.name)
        self.experiment_id = (
            self.client.create_experiment(self.name, artifact_location=store.folder("mlartifacts").as_uri())
            if experiment is None
            else experiment.experiment_id
        )

    def log_forecaster(
        self,
        forecaster: Forecaster,
        *,
        params: dict[str, Any],
        metrics: dict[str, float],
        tags: dict[str, str],
        card: str,
        table: dict[str, Any],
    ) -> str:
        """One run with parameters, metrics, card, backtest table and the fitted model; registers it.

        Returns
        -------
        str
            Number of the new registered version.
        """
        mlflow = self._mlflow
        run_name = f"{forecaster.name}-{params['origin_day']}"
        with mlflow.start_run(experiment_id=self.experiment_id, run_name=run_name) as run, _quiet():
            mlflow.set_tags(tags)
            mlflow.log_params(params)
            mlflow.log_text(card, "model_card.md")
            mlflow.log_dict(table, "backtest.json")
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "forecaster.skops"
                save_forecaster(forecaster, path)
                model = mlflow.pyfunc.log_model(
                    name=forecaster.name,
                    python_model=str(Path(__file__).with_name("served_model.py")),
                    artifacts={"forecaster": str(path)},
                    pip_requirements=[f"{name}=={installed_version(name)}" for name in REQUIREMENTS],
                    params={"version": forecaster.version},
                )
            mlflow.log_metrics(metrics, model_id=model.model_id)
        return self._register(model.model_id, run.info.run_id, forecaster, metrics, tags)

    def promote(self, version: str) -> None:
        """Alias a version as the champion and drop what is not among the ten best."""
        self.client.set_registered_model_alias(self.name, CHAMPION, version)

        def rank(candidate: Any) -> tuple[bool, float]:
            return str(candidate.version) == version, float(candidate.tags.get("skill", "-9"))

        for dropped in sorted(self.versions(), key=rank, reverse=True)[REGISTERED_MOST:]:
            self.client.delete_model_version(self.name, dropped.version)

    def versions(self) -> list[Any]:
        """All registered versions, newest first."""
        found = self.client.search_model_versions(f"name = '{self.name}'", max_results=1000)
        return sorted(found, key=lambda v: -int(v.version))

    def champion(self) -> str | None:
        """Number of the champion's version."""
        model = self.client.search_registered_models(f"name = '{self.name}'")
        return model[0].aliases.get(CHAMPION) if model else None

    def load(self, alias: str = CHAMPION) -> Forecaster:
        """The forecaster behind an alias, as it was fitted."""
        with _quiet():
            return self._mlflow.pyfunc.load_model(f"models:/{self.name}@{alias}").unwrap_python_model().forecaster

    def _register(
        self, model_id: str, run_id: str, forecaster: Forecaster, metrics: dict[str, float], tags: dict[str, str]
    ) -> str:
        if not self.client.search_registered_models(f"name = '{self.name}'"):
            self.client.create_registered_model(self.name)
        described = {"forecaster": forecaster.name, "forecaster_version": forecaster.version, **tags}
        described |= {key: f"{metrics[key]:.5f}" for key in ("skill", "crps_ms", "cover_80") if key in metrics}
        version = self.client.create_model_version(
            self.name, f"models:/{model_id}", run_id=run_id, tags=described, model_id=model_id, await_creation_for=0
        )
        return str(version.version)


def list_registered(store: Store, member_id: str) -> list[dict[str, Any]]:
    """The registered versions, best first; empty when nothing was ever trained."""
    if not (store.home / "mlflow.db").exists():
        return []
    tracking = Tracking(store, member_id)
    champion = tracking.champion()
    rows = [
        {
            "version": int(v.version), "champion": str(v.version) == str(champion),
            "forecaster": v.tags.get("forecaster"), "code": v.tags.get("forecaster_version"),
            "origin_day": v.tags.get("origin_day"), "slot": v.tags.get("slot"),
            **{key: float(v.tags[key]) if key in v.tags else None for key in ("skill", "crps_ms", "cover_80")},
        }
        for v in tracking.versions()
    ]  # fmt: skip
    return sorted(rows, key=lambda r: (not r["champion"], -(r["skill"] if r["skill"] is not None else -9)))


def _mlflow_on(store: Store) -> Any:
    """MLflow, imported with telemetry off and pointed at the store's file (WAL, made on first use)."""
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false"
    )
    path = store.home / "mlflow.db"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    path.chmod(0o600)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    uri = f"sqlite:///{path}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out MLflow's advice on type hints of ``predict``: its input is a History, which no hint of MLflow's names.

    Recorded and passed on, not filtered, because a module that MLflow imports puts a filter of its own in front.
    """
    with warnings.catch_warnings(record=True) as heard:
        yield
    for warning in heard:
        if "type hint" not in str(warning.message).lower():
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
