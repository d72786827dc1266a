"""Errors of this room.

HrvError
└── IntelligenceError      a summary or card can't be made
    ├── NoForecast         the ledger holds no forecast for the issue that is due
    ├── BadMoment          an ``--as-of`` or ``--slot`` that names no possible issue
    ├── ExperimentRefused  an experiment that may not start, or may not be looked at yet
    ├── NoReport           a report was asked for that was never written
    ├── NoEvidence         an evidence id that the report does not cite
    └── DamagedReport      a report in the store is not what this room writes
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = [
    "BadMoment", "DamagedReport", "ExperimentRefused", "IntelligenceError", "NoEvidence", "NoForecast", "NoReport",
]  # fmt: skip


class IntelligenceError(HrvError):
    """A summary or card can't be made."""


class NoForecast(IntelligenceError):
    """The ledger holds no forecast for the issue that is due."""


class BadMoment(IntelligenceError):
    """An ``--as-of`` or ``--slot`` that names no possible issue."""


class NoReport(IntelligenceError):
    """A report was asked for that was never written."""


class NoEvidence(IntelligenceError):
    """An evidence id that the report does not cite."""


class DamagedReport(IntelligenceError):
    """A report in the store is not what this room writes."""


class ExperimentRefused(IntelligenceError):
    """An experiment that may not start, or may not be looked at yet."""
