"""A ledger that was tampered with speaks for nobody; drifting bands and lost skill are said."""

from __future__ import annotations

from orchestrator.checking import house_checks

__all__ = ["CHECKS"]

CHECKS = [house_checks("scores", {"ledger": True, "coverage drift": False, "skill decay": False})]
