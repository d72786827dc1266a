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


def in_words(verdict: str, sure: float | None = None, *, yours: bool = False) -> str:
    """A kind, with its strength where it moves the night (``body, clearly``), in plain words, and how sure that is.

    What moves nothing, and less likely so than not, stands where both ways are about as likely.
    """
    kind, comma, strength = verdict.partition(", ")
    told = f"{ABOUT.get(kind, kind)}{comma}{strength}"
    if yours:
        return f"{told} (your own word)"
    if sure is None:
        return told
    return f"{told} ({100 * sure:.0f} % sure)" if sure >= 0.5 or kind in MOVED else "unclear, so it counts for nothing"
