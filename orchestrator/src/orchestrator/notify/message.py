"""What a notification says. It may lie open on a locked screen: nothing of the wearer's, unless that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Message", "ready", "trial"]

TITLE = "hrv"


@dataclass(frozen=True)
class Message:
    """A title and one sentence."""

    title: str
    body: str


def ready(headline: str | None) -> Message:
    """The morning's forecast stands; ``headline`` (the card's first line) only where the wearer wants numbers."""
    return Message(TITLE, headline or "This morning's forecast is there. Your page: hrv dashboard")


def trial() -> Message:
    """What `hrv notify test` sends."""
    return Message(TITLE, "This is how hrv will tell you: once a day, outside your quiet hours.")
