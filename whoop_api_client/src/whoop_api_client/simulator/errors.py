"""Errors of the simulator.

HrvError
└── SimulatorError          the simulated WHOOP can't be set up or started
    ├── BadPersonFile       a file given as a real person's records is missing or not in its form
    ├── BadOption           a switch, preset or fault that does not exist, or a value that it does not take
    └── BadMemberRequest    a synthetic member was asked for that can't exist
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = ["BadMemberRequest", "BadOption", "BadPersonFile", "SimulatorError"]


class SimulatorError(HrvError):
    """The simulated WHOOP can't be set up or started."""


class BadPersonFile(SimulatorError):
    """A file given as a real person's records is missing or not in its form."""


class BadOption(SimulatorError):
    """A switch, preset or fault that does not exist, or a value that it does not take."""


class BadMemberRequest(SimulatorError):
    """A synthetic member was asked for that can't exist."""
