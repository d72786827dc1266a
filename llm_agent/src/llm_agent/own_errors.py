"""What the agent's own reviewed nights say of it: how much of its shifts came true, where it leans, what it missed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["own_errors"]

RECENT = 3
LEAST_LEVER_NIGHTS = 3


def own_errors(reviewed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sum up post-mortems of one book.

    Returns
    -------
    dict
        ``n``, ``missed``; ``lean_ms`` with ``lean_se_ms`` (outcome less median said); ``moved``: n, helped, harmed,
        ``came_true`` (the share of the shifts that came, with its SE); ``levers``: the same for each behaviour with at
        least three nights; ``recent``: the last three misses with their suspected causes.
    """
    nights = sorted(reviewed, key=lambda told: (told["target_day"], told["slot"]))
    moved = [told for told in nights if told["said"]["shift_ms"]]
    apart = np.array([told["came_ms"] - told["said"]["median_ms"] for told in nights])
    noise = np.array([told["noise_sd_ms"] for told in nights])
    missed = [told for told in nights if told["missed"]]
    return {
        "n": len(nights), "missed": len(missed),
        "lean_ms": _one(apart.mean()) if len(nights) else None,
        "lean_se_ms": _one(np.sqrt((noise**2).mean() / len(nights))) if len(nights) else None,
        "moved": {
            "n": len(moved), "helped": sum(told["effect_of_the_move"] == "helped" for told in moved),
            "harmed": sum(told["effect_of_the_move"] == "harmed" for told in moved),
            **_came_true([(t["said"]["shift_ms"], t["residual_ms"], t["noise_sd_ms"]) for t in moved]),
        },
        "levers": _levers(nights),
        "recent": [_miss(told) for told in missed[: -RECENT - 1 : -1]],
    }  # fmt: skip


def _levers(nights: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    by_name = defaultdict(list)
    for told in nights:
        for lever in told["levers"]:
            if lever["behaviour"] and lever["taken_ms"]:
                by_name[lever["behaviour"]].append((lever["taken_ms"], lever["left_ms"], told["noise_sd_ms"]))
    return [
        {
            "behaviour": name,
            "n": len(rows),
            "taken_ms": _one(np.mean([row[0] for row in rows])),
            **_came_true(rows),
        }
        for name, rows in sorted(by_name.items())
        if len(rows) >= LEAST_LEVER_NIGHTS
    ]


def _came_true(rows: Sequence[tuple[float, float, float]]) -> dict[str, float | None]:
    """The share of what was taken that came (weighted least squares through zero), and its standard error."""
    if not rows:
        return {"came_true": None, "came_true_se": None}
    taken, came, noise = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    weight = 1 / np.maximum(noise, 0.1) ** 2
    total = float((weight * taken**2).sum())
    share = float((weight * taken * came).sum()) / total
    return {"came_true": round(share, 2), "came_true_se": round(total**-0.5, 2)}


def _miss(told: dict[str, Any]) -> dict[str, Any]:
    causes = told["suspected_causes"]
    return {
        "target_day": told["target_day"], "said_ms": told["said"]["median_ms"], "came_ms": told["came_ms"],
        "causes": [cause["text"] for cause in causes],
        "names": sorted({cause["name"] for cause in causes} | {lever["behaviour"] or "" for lever in told["levers"]}),
    }  # fmt: skip


def _one(value: float) -> float:
    return round(float(value), 1)
