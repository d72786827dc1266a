"""Tomorrow's number in parts that add up, as it was issued; rounded so that the rounded parts add up too."""

from __future__ import annotations

import math
from typing import Any

from dashboard.rooms import verb
from hrv_shared.errors import HrvError
from hrv_shared.store import Store

__all__ = ["add_up", "why_parts"]

SMALL_MS = 0.35
"""Parts below this go together into one row."""
NOT_FACTS = frozenset({"base", "law", "calibration", "other", "recent_nights", "agent"})
"""Groups that say something of the models, and nothing of what the wearer did."""
WORDS = {
    "journal_alcohol": "Alcohol", "journal_training_h": "Training told in the journal", "journal_sick": "Feeling sick",
    "journal_late_meal": "A late meal", "journal_caffeine": "Caffeine", "journal_stress": "Stress",
    "journal_travel": "Travel", "journal_cannabis": "Cannabis", "journal_sauna": "Sauna",
    "journal_vaccination": "A vaccination", "journal_unsaid": "What the journal does not say",
    "load": "Training and strain",
    "weekday": "The day of the week", "sleep": "Sleep so far", "body": "Pulse, breath and skin", "recent_nights":
    "Your recent nights", "law": "Bad nights reach further than good ones", "calibration": "Correction by past errors",
    "agent": "The language model", "other": "Other facts",
}  # fmt: skip


def why_parts(store: Store, member_id: str, card: dict[str, Any]) -> dict[str, Any] | None:
    """The parts of tomorrow's median, largest first; None where the forecast can't be taken apart.

    Returns
    -------
    dict or None
        base_ms, median_ms, rows (key, label, ms, is_fact), widest_ms; base and rows sum to the median at 0.1 ms.
    """
    try:
        told = verb("model_training", "explain_latest")(store, member_id, card["slot"])
    except HrvError:
        return None
    if told["issue"]["origin_day"] != card["origin_day"] or told["forecaster"] != card["forecaster"]:
        return None
    night = next((n for n in told["nights"] if n["horizon"] == 1), None)
    if night is None or not any(abs(ms) > 1e-9 for ms in night["parts_ms"].values()):
        return None
    parts = night["parts_ms"] | ({"other": night["parts_ms"].get("other", 0.0) + night["rest_ms"]})
    shown = {key: ms for key, ms in parts.items() if abs(ms) >= SMALL_MS and key != "other"}
    rounded = add_up({"base": night["base_ms"]} | shown | {"rest": sum(parts.values()) - sum(shown.values())})
    rows = [
        {"key": key, "label": WORDS.get(key, told["labels"].get(key, key)), "ms": rounded[key],
         "is_fact": key not in NOT_FACTS}
        for key in sorted(shown, key=lambda k: -abs(shown[k]))
    ]  # fmt: skip
    if rounded["rest"]:
        rows.append({"key": "rest", "label": "All else", "ms": rounded["rest"], "is_fact": False})
    return {
        "base_ms": rounded["base"], "median_ms": round(sum(rounded.values()), 1), "rows": rows,
        "widest_ms": max((abs(row["ms"]) for row in rows), default=1.0),
        "not_taken_apart": told["not_taken_apart"],
    }  # fmt: skip


def add_up(parts: dict[str, float]) -> dict[str, float]:
    """Parts rounded to 0.1 so that they sum to their rounded sum (largest remainder)."""
    tenths = {key: math.floor(round(value * 10, 9)) for key, value in parts.items()}
    missing = round(sum(parts.values()) * 10) - sum(tenths.values())
    for key in sorted(parts, key=lambda k: tenths[k] - parts[k] * 10)[:missing]:
        tenths[key] += 1
    return {key: round(value / 10, 1) for key, value in tenths.items()}
