"""``hrv bench scale``: how much computing one day of a whole cohort takes, on one process or spread over many."""

from __future__ import annotations

from typing import Any

__all__ = ["render", "run_scale"]


def __getattr__(name: str) -> Any:
    """Load a verb when it is first asked for."""
    if name == "run_scale":
        from model_training.scale.measuring import run_scale

        return run_scale
    if name == "render":
        from model_training.scale.rendering import render

        return render
    raise AttributeError(f"module 'model_training.scale' has no attribute {name!r}")
