"""Record and ledger in; trends, effects, reliability, plots and summaries out."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "Card", "DailySummary", "card_text", "chosen_issue", "estimate_effects", "summarise_day", "today_card",
    "write_daily", "write_weekly",
]  # fmt: skip

_HOME = {
    "Card": "card", "DailySummary": "summary", "card_text": "card_print", "chosen_issue": "moment",
    "estimate_effects": "effects", "summarise_day": "daily", "today_card": "card", "write_daily": "daily",
    "write_weekly": "weekly",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a verb when it is first used, so that ``--help`` stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
