"""MLflow's view of one member: a parent run a training, a nested run a forecaster, the ten best registered.

Local only: tracking and registry are one SQLite file of the store, artifacts lie beside it
(``hrv_shared.mlflow_store``). What a killed training leaves (open runs, versions without a finished training) is
cleared by the next one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from hrv_shared.errors import HrvError
from hrv_shared.forecaster import Forecaster
from hrv_shared.mlflow_store import artifact_root, open_mlflow, quiet, remove_artifacts
from hrv_shared.record import canonical_json
from hrv_shared.store import Store
from model_training.champion_history import Seat, former_champions
from model_training.saved_forecaster import load_fits, save_fits

__all__ = ["CHALLENGER", "CHAMPION", "REGISTERED_MOST", "Tracking", "list_registered"]

REGISTERED_MOST = 10
"""Versions kept in the registry: those with an alias, then the newest fit of each forecaster, the best by skill."""
CHAMPION = "champion"
CHALLENGER = "challenger"
HISTORY_TAG = "champion_history"
HISTORY_EVENTS = 20
REQUIREMENTS = ("scikit-learn", "numpy", "polars", "skops")


class Tracking:
    """One member's experiment and registered model in a store's MLflow."""

    def __init__(self, store: Store, member_id: str) -> None:
        self.name = f"hrv-{member_id}"
        self._store = store
        self._mlflow = open_mlflow(store)
        self.client = self._mlflow.MlflowClient()
        experiment = self.client.get_experiment_by_name(self.name)
        self.experiment_id = (
            self.client.create_experiment(self.name, artifact_location=artifact_root(store).as_uri())
            if experiment is None
            else experiment.experiment_id
        )

    @contextmanager
    def session(
        self, run_name: str, *, params: dict[str, Any], tags: dict[str, str], data: Mapping[str, str],
        environment: dict[str, Any],
    ) -> Iterator[str]:  # fmt: skip
        """The parent run of one training; yields its id. It is FINISHED only when the block ends well.

        Parameters
        ----------
        data : mapping
            Name of a table -> digest of what was seen of it.
        """
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        mlflow = self._mlflow
        with mlflow.start_run(experiment_id=self.experiment_id, run_name=run_name) as run:
            mlflow.set_tags(tags)
            mlflow.log_params(params)
            mlflow.log_dict(environment, "environment.json")
            for table, digest in data.items():
                source = CodeDatasetSource(tags={"table": table, "sha256": digest})
                mlflow.log_input(MetaDataset(source, name=table, digest=digest[:36]), context="training")
            yield run.info.run_id

    def log_summary(self, metrics: dict[str, float], plots: Mapping[str, Path]) -> None:
        """Metrics and plots of the parent run, from within ``session``."""
        self._mlflow.log_metrics(metrics)
        for path in plots.values():
            self._mlflow.log_artifact(str(path))

    def log_forecaster(
        self,
        name: str,
        *,
        params: dict[str, Any],
        metrics: dict[str, float],
        tags: dict[str, str],
        card: str,
        table: dict[str, Any],
        plots: Mapping[str, Path],
        fits: Mapping[str, Forecaster] | None,
    ) -> tuple[Seat | None, str | None]:
        """One nested run with parameters, metrics, card, plots and backtest table; registers ``fits`` where given.

        Returns
        -------
        seat : Seat or None
            The new registered version.
        why_not : str or None
            Why it could not be registered: its fits can't be written without pickle, or not be read back.
        """
        mlflow = self._mlflow
        run_name = f"{name}-{params['origin_day']}"
        with (
            mlflow.start_run(nested=True, experiment_id=self.experiment_id, run_name=run_name) as run,
            quiet(),
        ):
            mlflow.set_tags(tags)
            mlflow.log_params(params)
            mlflow.log_text(card, "model_card.md")
            mlflow.log_dict(table, "backtest.json")
            for path in plots.values():
                mlflow.log_artifact(str(path))
            if fits is None:
                mlflow.log_metrics(metrics)
                return None, None
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "forecaster.skops"
                why_not = _why_not_readable(fits, path)
                if why_not is not None:
                    mlflow.log_metrics(metrics)
                    mlflow.set_tag("unregistered", why_not[:500])
                    return None, why_not
                model = mlflow.pyfunc.log_model(
                    name=name,
                    python_model=str(Path(__file__).with_name("served_model.py")),
                    artifacts={"forecaster": str(path)},
                    pip_requirements=[f"{package}=={installed_version(package)}" for package in REQUIREMENTS],
                    params={"version": params["version"]},
                )
            mlflow.log_metrics(metrics, model_id=model.model_id)
        return self._register(name, params["version"], model.model_id, run.info.run_id, metrics, tags), None

    def versions(self) -> list[Any]:
        """All registered versions, newest first."""
        found = self.client.search_model_versions(f"name = '{self.name}'", max_results=1000)
        return sorted(found, key=lambda v: -int(v.version))

    def seats(self) -> dict[int, Seat]:
        """The same as seats by number, newest first."""
        return {
            int(v.version): Seat(v.tags["forecaster"], v.tags["forecaster_version"], int(v.version))
            for v in self.versions()
        }

    def aliases(self) -> dict[str, int]:
        """Alias -> number of the version behind it."""
        model = self.client.search_registered_models(f"name = '{self.name}'")
        return {alias: int(version) for alias, version in model[0].aliases.items()} if model else {}

    def set_aliases(self, champion: Seat, challenger: Seat | None, events: list[dict[str, Any]]) -> None:
        """Point both aliases, keep the last events as a tag, and drop what is not among the ten kept."""
        held = self.aliases()
        wanted = {CHAMPION: champion, CHALLENGER: challenger}
        for alias, seat in wanted.items():
            if seat is None and alias in held:
                self.client.delete_registered_model_alias(self.name, alias)
            elif seat is not None and held.get(alias) != seat.registered_version:
                self.client.set_registered_model_alias(self.name, alias, str(seat.registered_version))
        self.client.set_registered_model_tag(self.name, HISTORY_TAG, canonical_json(events[-HISTORY_EVENTS:]))
        self._prune({seat.registered_version for seat in wanted.values() if seat is not None}, events)

    def skill(self, seat: Seat) -> float:
        """Backtest skill of a registered version over both slots."""
        tags = self.client.get_model_version(self.name, str(seat.registered_version)).tags
        return float(tags.get("skill", "-9"))

    def saved_file(self, seat: Seat) -> Path:
        """The file with the fits of a registered version."""
        source = self.client.get_model_version_download_uri(self.name, str(seat.registered_version))
        folder = self._mlflow.artifacts.download_artifacts(artifact_uri=source)
        return Path(folder) / "artifacts" / "forecaster.skops"

    def about(self, seat: Seat) -> dict[str, Any]:
        """Tags of a registered version and its run's card."""
        version = self.client.get_model_version(self.name, str(seat.registered_version))
        card = self._mlflow.artifacts.load_text(f"runs:/{version.run_id}/model_card.md")
        kept = ("origin_day", "as_of", "input_digest", "session", "skill", "crps_ms", "cover_80")
        return {key: version.tags[key] for key in kept if key in version.tags} | {"card": card}

    def load(self, alias: str = CHAMPION) -> dict[str, Forecaster]:
        """The fits behind an alias, by slot, as they were fitted."""
        with quiet():
            return self._mlflow.pyfunc.load_model(f"models:/{self.name}@{alias}").unwrap_python_model().fits

    def clear_unfinished(self) -> int:
        """Close runs that a killed training left open and drop what it registered; returns how many versions."""
        for run in self.client.search_runs(
            [self.experiment_id], "attributes.status = 'RUNNING'", max_results=1000
        ):
            self.client.set_terminated(run.info.run_id, "KILLED")
        finished: dict[str, bool] = {}
        dropped = 0
        for version in self.versions():
            session = version.tags.get("session")
            if session is not None and session not in finished:
                finished[session] = self.client.get_run(session).info.status == "FINISHED"
            if session is not None and not finished[session]:
                self._drop(version)
                dropped += 1
        return dropped

    def _prune(self, kept: set[int], events: list[dict[str, Any]]) -> None:
        """Beyond the aliased ones and the last champion's, the newest fit of each forecaster, the best by skill."""
        versions = self.versions()
        newest: dict[str, int] = {}
        for version in versions:
            newest.setdefault(version.tags["forecaster"], int(version.version))
        kept = kept | {newest[name] for name in former_champions(events)[:1] if name in newest}

        def rank(candidate: Any) -> tuple[bool, bool, float]:
            number = int(candidate.version)
            return number in kept, number in newest.values(), float(candidate.tags.get("skill", "-9"))

        for version in sorted(versions, key=rank, reverse=True)[REGISTERED_MOST:]:
            self._drop(version)

    def _drop(self, version: Any) -> None:
        """A version, its logged model and its files; its run with metrics and plots stays."""
        self.client.delete_model_version(self.name, version.version)
        model_id = version.source.removeprefix("models:/")
        address = self.client.get_logged_model(model_id).artifact_location
        self.client.delete_logged_model(model_id)
        remove_artifacts(self._store, address)

    def _register(
        self,
        name: str,
        code: str,
        model_id: str,
        run_id: str,
        metrics: dict[str, float],
        tags: dict[str, str],
    ) -> Seat:
        if not self.client.search_registered_models(f"name = '{self.name}'"):
            self.client.create_registered_model(self.name)
        described = {"forecaster": name, "forecaster_version": code, **tags}
        described |= {
            key: f"{metrics[key]:.5f}" for key in ("skill", "crps_ms", "cover_80") if key in metrics
        }
        version = self.client.create_model_version(
            self.name,
            f"models:/{model_id}",
            run_id=run_id,
            tags=described,
            model_id=model_id,
            await_creation_for=0,
        )
        return Seat(name, code, int(version.version))


def list_registered(store: Store, member_id: str) -> list[dict[str, Any]]:
    """The registered versions, champion and challenger first, then by skill; empty when nothing was ever trained."""
    if not (store.home / "mlflow.db").exists():
        return []
    tracking = Tracking(store, member_id)
    alias_of = {version: alias for alias, version in tracking.aliases().items()}
    rows = [
        {
            "version": int(v.version), "alias": alias_of.get(int(v.version)),
            "champion": alias_of.get(int(v.version)) == CHAMPION,
            "forecaster": v.tags.get("forecaster"), "code": v.tags.get("forecaster_version"),
            "origin_day": v.tags.get("origin_day"),
            **{key: float(v.tags[key]) if key in v.tags else None for key in ("skill", "crps_ms", "cover_80")},
        }
        for v in tracking.versions()
    ]  # fmt: skip
    order = (CHAMPION, CHALLENGER, None)
    return sorted(
        rows, key=lambda r: (order.index(r["alias"]), -(r["skill"] if r["skill"] is not None else -9))
    )


def _why_not_readable(fits: Mapping[str, Forecaster], path: Path) -> str | None:
    try:
        save_fits(fits, path)
        load_fits(path)
    except HrvError as error:
        return str(error)
    except (
        Exception
    ) as error:  # a forecaster may be anybody's; what skops can't write must not end the training
        return f"its fit can't be saved without pickle ({type(error).__name__})"
    return None
