"""Errors of the orchestrator.

HrvError
└── OrchestratorError
    ├── StepFailed      a room's command failed; its own sentence is in the message
    ├── BadRange        days to back-fill that are none
    ├── UpFailed        `hrv up` can't run, or its service can't be written
    ├── NotifyFailed    a notification could not be sent, or its settings can't be used
    ├── ExportFailed    a feed can't be written
    └── DemoFailed      the demo could not be set up
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = [
    "BadRange", "DemoFailed", "ExportFailed", "NotifyFailed", "OrchestratorError", "StepFailed", "UpFailed",
]  # fmt: skip


class OrchestratorError(HrvError):
    """The rooms could not be run."""


class StepFailed(OrchestratorError):
    """A room's command failed."""


class BadRange(OrchestratorError):
    """Days to back-fill that are none, or of which nothing is known."""


class DemoFailed(OrchestratorError):
    """The demo could not be set up."""


class UpFailed(OrchestratorError):
    """The group of processes, or its service, can't be run."""


class NotifyFailed(OrchestratorError):
    """A notification could not be sent."""


class ExportFailed(OrchestratorError):
    """A feed can't be written."""
