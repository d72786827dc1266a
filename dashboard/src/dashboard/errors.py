"""Errors of this room.

HrvError
└── DashboardError
    ├── RoomMissing      the room that makes the card is not installed
    ├── PortTaken        the port can't be listened on
    └── UnsafeFigure     a plot in the store holds more than a drawing
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = ["DashboardError", "PortTaken", "RoomMissing", "UnsafeFigure"]


class DashboardError(HrvError):
    """The page can't be shown."""


class RoomMissing(DashboardError):
    """The room that makes the card is not installed."""


class PortTaken(DashboardError):
    """The port can't be listened on."""


class UnsafeFigure(DashboardError):
    """A plot in the store holds more than a drawing."""
