"""Reports as they lie in the store, read again as plain values."""

from __future__ import annotations

import json
from typing import Any

from data_intelligence.errors import DamagedReport, NoReport
from hrv_shared.store import Store

__all__ = ["PERIODS", "read_report"]

PERIODS = ("daily", "weekly", "reliability")
_COMMAND = {"daily": "hrv report daily", "weekly": "hrv report weekly", "reliability": "hrv reliability"}


def read_report(store: Store, period: str, name: str) -> dict[str, Any]:
    """The JSON of one report.

    Parameters
    ----------
    name : str
        The issue's name, such as ``me-2026-11-23-evening``.

    Raises
    ------
    NoReport
        It was never written.
    DamagedReport
        It is not JSON.
    """
    path = store.home / "reports" / period / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise NoReport(
            f"Expected the {period} report {name}.json in the store, found none. Write it: {_COMMAND[period]}"
        ) from None
    except ValueError:
        raise DamagedReport(
            f"{path.name} is no report that this room wrote. Write it anew: {_COMMAND[period]}"
        ) from None
