"""The local web page."""

from __future__ import annotations

from typing import Any

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Load the page when it is first asked for, so that ``--help`` stays quick."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dashboard.page import create_app

    return create_app
