"""What code alone would answer, so that what the language model adds is visible.

- ``matched``: the personal effects of tonight's facts, summed
- ``rules``: the product's forecaster of that name: those, and usual effects for facts without own nights; no model
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hrv_shared.constants import MEDIAN_INDEX
from llm_agent.briefing import make_briefing
from llm_agent.correction import corrected_week, correction_of

__all__ = ["WITHOUT_MODEL", "shifts_without_model"]

WITHOUT_MODEL = ("rules", "matched")


def shifts_without_model(
    summary: Mapping[str, Any], base_quantiles_ms: Mapping[int, Sequence[float]], journal: Sequence[str]
) -> dict[str, float]:
    """Shift of night 1's median by each, ms."""
    briefing = make_briefing(dict(summary), base_quantiles_ms, journal)
    week = corrected_week(base_quantiles_ms, correction_of(briefing.effects, base_quantiles_ms))
    return {
        "rules": float(week[1][MEDIAN_INDEX]) - base_quantiles_ms[1][MEDIAN_INDEX],
        "matched": sum(effect["effect_ms"] for effect in summary["matched_effects"]),
    }
