"""MLflow on one SQLite file of the store: opened without telemetry, following the store when it was moved.

MLflow keeps absolute artifact addresses in its database. When the store lies elsewhere than they say, they are
rewritten before MLflow opens it, so that a moved or copied store keeps its models. The file also holds what the agent
was asked and answered, journal words included; it never leaves the store (mode 0600, no telemetry).
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hrv_shared.store import Store

__all__ = ["artifact_root", "open_mlflow", "quiet", "remove_artifacts"]

ADDRESSES = (
    ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"), ("model_versions", "source"), ("trace_tags", "value"),
)  # fmt: skip


def open_mlflow(store: Store) -> Any:
    """MLflow, imported with telemetry off and pointed at the store's file (WAL, made on first use)."""
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false"
    )
    path = store.home / "mlflow.db"
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        _follow_the_store(connection, artifact_root(store).as_uri())
    path.chmod(0o600)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    uri = f"sqlite:///{path}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


def artifact_root(store: Store) -> Path:
    """Where the runs' files and the models lie."""
    return store.folder("mlartifacts").absolute()


def remove_artifacts(store: Store, address: str) -> None:
    """Delete a logged model's folder; anything outside the store's own artifacts is left alone."""
    root = artifact_root(store)
    if not address.startswith(root.as_uri() + "/models/"):
        return
    folder = root / "models" / address.removeprefix(root.as_uri() + "/models/").split("/")[0]
    if folder.parent == root / "models":
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out MLflow's advice on type hints of ``predict``: its input is a History, which no hint of MLflow's names.

    Recorded and passed on, not filtered, because a module that MLflow imports puts a filter of its own in front.
    """
    with warnings.catch_warnings(record=True) as heard:
        yield
    for warning in heard:
        if "type hint" not in str(warning.message).lower():
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _follow_the_store(connection: sqlite3.Connection, root: str) -> None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
        return
    roots = connection.execute(
        "SELECT DISTINCT artifact_location FROM experiments WHERE name LIKE 'hrv-%'"
    ).fetchall()
    with connection:
        for (old,) in roots:
            if old == root:
                continue
            for table, column in ADDRESSES:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
                    f" WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (root, len(old) + 1, old, len(old) + 1, f"{old}/"),
                )
