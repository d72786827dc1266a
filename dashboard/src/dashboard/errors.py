"""Errors of this room.

HrvError
└── DashboardError
    ├── RoomMissing      a room whose verb is needed is not installed
    ├── PortTaken        the port can't be listened on
    ├── UnsafeFigure     a plot in the store holds more than a drawing
    ├── BadRequest       what was sent is not what the page expects
    ├── PairingRefused   a phone brought no good pairing code
    ├── JobRunning       another job works on the store
    └── NotOnThePhone    only the computer itself may do that
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = [
    "BadRequest", "DashboardError", "JobRunning", "NotOnThePhone", "PairingRefused", "PortTaken", "RoomMissing",
    "UnsafeFigure",
]  # fmt: skip


class DashboardError(HrvError):
    """The page can't be shown."""


class RoomMissing(DashboardError):
    """A room whose verb is needed is not installed."""


class PortTaken(DashboardError):
    """The port can't be listened on."""


class UnsafeFigure(DashboardError):
    """A plot in the store holds more than a drawing."""


class BadRequest(DashboardError):
    """What was sent is not what the page expects."""


class PairingRefused(DashboardError):
    """A phone brought no good pairing code."""


class JobRunning(DashboardError):
    """Another job works on the store."""


class NotOnThePhone(DashboardError):
    """Only the computer itself may do that."""
