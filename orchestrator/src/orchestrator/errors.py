"""Errors of the orchestrator.

HrvError
└── OrchestratorError
    ├── StepFailed      a room's command failed; its own sentence is in the message
    └── DemoFailed      the demo could not be set up
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = ["DemoFailed", "OrchestratorError", "StepFailed"]


class OrchestratorError(HrvError):
    """The rooms could not be run."""


class StepFailed(OrchestratorError):
    """A room's command failed."""


class DemoFailed(OrchestratorError):
    """The demo could not be set up."""
