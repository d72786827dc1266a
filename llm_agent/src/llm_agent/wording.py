"""What the wearer reads: sentences made by code from the levers, every number from the briefing or computed here."""

from __future__ import annotations

from collections.abc import Sequence

from llm_agent.briefing import Briefing
from llm_agent.kinds import ABOUT
from llm_agent.levers import Lever

__all__ = ["plain_rationale"]

NOTHING_MS = 0.5
MOST_REASONS = 3


def plain_rationale(briefing: Briefing, levers: Sequence[Lever], shift_ms: float, *, sure: bool) -> str:
    """One opinion, then its reasons, largest first.

    Parameters
    ----------
    sure : bool
        All readings agree on the shift.
    """
    median = briefing.median_ms
    if abs(shift_ms) < NOTHING_MS:
        said = [f"I stay with the models at {median:.0f} ms."]
    else:
        said = [f"I say {median + shift_ms:.1f} ms, the models say {median:.1f} ms."]
    told = sorted((lever for lever in levers if lever.taken_ms), key=lambda x: -abs(x.taken_ms))[
        :MOST_REASONS
    ]
    said += [_reason(lever) for lever in told]
    if not told:
        said.append("Nothing you said differs from your usual days.")
    if told and not sure:
        said.append("I am not sure how to read it, so the band is wider.")
    return " ".join(said)


def _reason(lever: Lever) -> str:
    name = lever.text[:1].upper() + lever.text[1:]
    if lever.counted_ms is not None:
        whose = "on your own nights" if lever.kind == "effect" else "by rule of thumb"
        left = "take off" if lever.taken_ms < 0 else "add"
        return (
            f"{name}: {lever.effect_ms:+.1f} ms {whose}; the models took {lever.counted_ms:+.1f}, so I {left} "
            f"{abs(lever.taken_ms):.1f} ms."
        )
    if lever.kind == "effect":
        verb = "cost" if lever.taken_ms < 0 else "gave"
        return f"{name} {verb} you {abs(lever.effect_ms):.1f} ms on your own nights."
    verb = "take off" if lever.taken_ms < 0 else "add"
    if lever.kind == "usual":
        size = abs(lever.taken_ms)
        return f"{name}: you have no such night yet, so I {verb} {size:.1f} ms by rule of thumb."
    return (
        f"You said: \N{LEFT DOUBLE QUOTATION MARK}{_short(lever.text)}\N{RIGHT DOUBLE QUOTATION MARK} That is "
        f"{ABOUT[lever.behaviour or 'body']}; I {verb} {abs(lever.taken_ms):.1f} ms, a rule of thumb, not your history."
    )


def _short(text: str) -> str:
    return text if len(text) <= 90 else text[:87].rsplit(" ", 1)[0] + " …"
