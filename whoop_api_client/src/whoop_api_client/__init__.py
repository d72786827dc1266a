"""The only room that talks to WHOOP: OAuth 2.0, pulls, export ZIPs, a simulator.

Public verbs are loaded when first used, so that ``python -m whoop_api_client --help`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# a submodule must not bear a verb's name: once imported it would hide the verb
_WHERE = {
    "AsyncWhoopClient": "client",
    "WhoopClient": "client",
    "connect": "connecting",
    "disconnect": "connecting",
    "create_app": "service",
    "import_export": "export",
    "pull": "pulling",
    "rebuild": "tables",
}

__all__ = [
    "AsyncWhoopClient",
    "WhoopClient",
    "connect",
    "create_app",
    "disconnect",
    "import_export",
    "pull",
    "rebuild",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
