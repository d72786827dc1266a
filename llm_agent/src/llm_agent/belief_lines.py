"""The belief state in a few short lines for the briefing: what matters tonight and stands nowhere else in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

__all__ = ["belief_lines"]

MOST_LINES = 6
MOST_CHARACTERS = 400
"""Under 120 tokens: English with numbers takes about 3.5 characters a token."""
LONGEST = 110
LEAST_MOVED = 5
RECENT_DAYS = 7
CLEAR = 1.64
"""Standard errors from nothing at which something is worth a line."""


def belief_lines(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """Numbered lines ``B1`` …, at most six."""
    found: list[tuple[str, str]] = []
    left = MOST_CHARACTERS
    for text in _told(payload):
        line = text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
        if len(found) == MOST_LINES or len(line) > left:
            break
        left -= len(line)
        found.append((f"B{len(found) + 1}", line))
    return found


def _told(payload: dict[str, Any]) -> Iterator[str]:
    """Most relevant first: what goes on, what one's own reasons for tonight were worth, lean, last miss, level."""
    tonight = set(payload["tonight"])
    live = [s for s in payload["stressors"] if s["name"] not in tonight and s["source"] != "alert"]
    for stressor in live[:2]:
        yield _stressor(stressor)
    own = payload["own_errors"]
    for effect in payload["effects"]:
        if "said_by_wearer_ms" in effect and effect["behaviour"] in tonight:
            yield f"the wearer says that {effect['text']} does {effect['said_by_wearer_ms']:+g} ms"
    for lever in own["levers"]:
        if lever["behaviour"] in tonight and abs(lever["came_true"] - 1) > lever["came_true_se"]:
            came = max(lever["came_true"], 0.0)
            yield (
                f"own record, {lever['behaviour'].replace('_', ' ')}: {100 * came:.0f} % of the shift came "
                f"({lever['n']} nights)"
            )
    moved = own["moved"]
    if moved["n"] >= LEAST_MOVED and abs(moved["came_true"] - 1) > moved["came_true_se"]:
        came = max(moved["came_true"], 0.0)
        yield f"own record: {100 * came:.0f} % of all shifts came ({moved['n']} nights, {moved['helped']} helped)"
    if own["n"] >= 2 * LEAST_MOVED and abs(own["lean_ms"]) > CLEAR * own["lean_se_ms"]:
        way = "too low" if own["lean_ms"] > 0 else "too high"
        yield f"own record: {abs(own['lean_ms']):.0f} ms {way} on average ({own['n']} nights)"
    yield from _last_miss(payload)
    if payload["level"]["position"] in ("below", "above"):
        yield f"level of the last week: {payload['level']['position']} the usual band"


def _stressor(stressor: dict[str, Any]) -> str:
    until = date.fromisoformat(stressor["until_day"])
    if stressor["source"] == "wearer":
        return f'the wearer notes: "{stressor["text"]}", until {until:%d %b}'
    return f"{stressor['text']}, may last until {until:%d %b}"


def _last_miss(payload: dict[str, Any]) -> Iterator[str]:
    recent = payload["own_errors"]["recent"]
    if not recent:
        return
    miss, origin = recent[0], date.fromisoformat(payload["origin_day"])
    day = date.fromisoformat(miss["target_day"])
    if origin - day <= timedelta(days=RECENT_DAYS):
        cause = miss["causes"][0] if miss["causes"] else "cause unknown"
        yield f"missed {day:%d %b}: said {miss['said_ms']:.0f}, came {miss['came_ms']:.0f} ms; {cause}"
