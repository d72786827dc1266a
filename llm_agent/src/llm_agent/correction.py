"""From a checked opinion to quantiles: code makes the numbers, for every horizon."""

from __future__ import annotations

import numpy as np

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX

__all__ = ["LASTING_BEHAVIOURS", "carry_over", "correct_quantiles"]

LASTING_BEHAVIOURS = frozenset({"sick", "illness", "fever", "covid_symptoms", "injury"})
"""Behaviours whose effect goes on for two more nights (forecasting.md 2.4: feeling sick, similar for two more nights;
alcohol, gone the night after)."""

CARRY = {1: 1.0, 2: 0.7, 3: 0.4}


def correct_quantiles(base_ms: np.ndarray, shift_ms: float, sd_scale: float) -> np.ndarray:
    """Move a distribution's median by ``shift_ms`` and scale its spread, on the log scale.

    Parameters
    ----------
    base_ms : ndarray [Q], ms
        Rising, positive.

    Returns
    -------
    ndarray [Q], ms
        Rising, positive.
    """
    log_q = np.log(base_ms)
    median = base_ms[MEDIAN_INDEX]
    moved = max(median + shift_ms, 0.2 * median)
    return np.exp(np.log(moved) + sd_scale * (log_q - log_q[MEDIAN_INDEX]))


def carry_over(shift_ms: float, matched: tuple[dict, ...]) -> dict[int, float]:
    """The shift of each night: whole on night 1, then only the lasting behaviours' share of it."""
    total = sum(abs(m["effect_ms"]) for m in matched)
    lasting = sum(abs(m["effect_ms"]) for m in matched if m["behaviour"] in LASTING_BEHAVIOURS)
    share = lasting / total if total else 0.0
    return {h: shift_ms if h == 1 else shift_ms * share * CARRY.get(h, 0.0) for h in HORIZONS}
