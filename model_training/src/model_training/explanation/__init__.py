"""Why a forecast is what it is, in parts that add up to it; and what it would be if one fact were another."""

from __future__ import annotations

from typing import Any

__all__ = [
    "Change",
    "StandingWhatIf",
    "explain_latest",
    "explain_rows",
    "final_with_parts",
    "mix_with_parts",
    "what_if",
    "what_if_latest",
]

_HOME = {
    "Change": "changed_facts", "StandingWhatIf": "latest", "explain_latest": "latest", "explain_rows": "explain",
    "final_with_parts": "explain", "mix_with_parts": "explain", "what_if": "what_if", "what_if_latest": "latest",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a verb when it is first asked for: a forecaster that names its parts must not load the whole package."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
