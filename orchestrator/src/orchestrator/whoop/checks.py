"""What must be in order before anything is made of the tables; what the wearer should know of the data."""

from __future__ import annotations

from orchestrator.checking import house_checks

__all__ = ["CHECKS"]

CHECKS = [
    house_checks(
        "tables", {"schema": True, "clock": True, "disk": True, "freshness": False, "revisions": False}
    )
]
