"""History in; forecasters, backtests, MLflow runs, registered models and model forecasts out."""

from __future__ import annotations

from typing import Any

__all__ = ["combine", "issue_forecasts", "replay", "train"]

_HOME = {
    "combine": "issuing", "issue_forecasts": "issuing", "replay": "replaying", "train": "training",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a verb when it is first asked for, so that ``--help`` stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'model_training' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"model_training.{_HOME[name]}"), name)
