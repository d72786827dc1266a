"""What a sentence of the evening can be about, and how that is told."""

from __future__ import annotations

__all__ = ["ABOUT", "MOVED", "STRENGTHS", "UNMOVED", "in_words"]

UNMOVED = ("daily life", "others", "plan")
MOVED = ("body", "heart", "night", "relief")
STRENGTHS = ("a little", "clearly", "a lot")
ABOUT = {
    "body": "a strain on the body", "heart": "a strain on the mind", "night": "a bad night ahead",
    "relief": "a real relief", "others": "not about you", "plan": "a plan", "message": "not about your day",
}  # fmt: skip


def in_words(verdict: str) -> str:
    """A kind, with its strength where it moves the night (``body, clearly``), in plain words."""
    kind, comma, strength = verdict.partition(", ")
    return f"{ABOUT.get(kind, kind)}{comma}{strength}"
