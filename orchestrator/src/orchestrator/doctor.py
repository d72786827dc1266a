"""``hrv doctor``: what is in order, what is wrong, and how to mend it."""

from __future__ import annotations

from typing import Any

from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator.inspection import Inspection

__all__ = ["check_all", "doctor_text"]

_SIGN = {"ok": "ok ", "warn": "NOT", "block": "!!!"}


def check_all(settings: Settings) -> list[dict[str, Any]]:
    """Every finding as ``{"what", "ok", "level", "says", "mend"}``; none raises."""
    return [found.describe() for found in Inspection(Store.open(settings), settings).find()]


def doctor_text(checks: list[dict[str, Any]]) -> str:
    """One line a check; ``!!!`` is what blocks forecasts."""
    return "\n".join(f"{_SIGN[c['level']]}  {c['what']:14} {c['says']}" for c in checks)
