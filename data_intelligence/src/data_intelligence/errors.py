"""Errors of this room.

HrvError
└── IntelligenceError      a summary or card can't be made
    ├── NoForecast         the ledger holds no forecast for the issue that is due
    ├── BadMoment          an ``--as-of`` or ``--slot`` that names no possible issue
    └── DamagedReport      a report in the store is not what this room writes
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = ["BadMoment", "DamagedReport", "IntelligenceError", "NoForecast"]


class IntelligenceError(HrvError):
    """A summary or card can't be made."""


class NoForecast(IntelligenceError):
    """The ledger holds no forecast for the issue that is due."""


class BadMoment(IntelligenceError):
    """An ``--as-of`` or ``--slot`` that names no possible issue."""


class DamagedReport(IntelligenceError):
    """A report in the store is not what this room writes."""
