"""History in; forecasters, backtests, MLflow runs, registered models and model forecasts out."""

from __future__ import annotations

from typing import Any

__all__ = [
    "Change", "StandingWhatIf", "combine", "explain_latest", "issue_forecasts", "replay", "train", "what_if_latest",
]  # fmt: skip

_HOME = {
    "combine": "issuing", "issue_forecasts": "issuing", "replay": "replaying", "train": "training",
    "Change": "explanation", "StandingWhatIf": "explanation", "explain_latest": "explanation",
    "what_if_latest": "explanation",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a verb when it is first asked for, so that ``--help`` stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'model_training' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"model_training.{_HOME[name]}"), name)
