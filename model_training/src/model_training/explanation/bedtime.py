"""What a bedtime may do: a scenario out of measured data, kept apart from the forecast, because no model looks at it.

No model uses a planned bedtime: it is not recorded as a plan, and even one known for certain would better a forecast
by about 2 % CRPS (forecasting.md 2.5). What is known is the partial slope in 17 people: -4.0 % of RMSSD for every hour
later than usual, 95 % interval -6.0 to -1.9, and people differ by 4.3 points (forecasting.md 2.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import time, timedelta

import numpy as np
import polars as pl

from hrv_shared.daytime import local_time
from hrv_shared.history import History
from model_training.explanation.errors import BadChange

__all__ = ["Scenario", "bedtime_scenario"]

PER_HOUR = (-0.060, -0.040, -0.019)
"""Low, middle and high change of RMSSD for an hour later than usual."""
HOURS_MOST = 3.0
"""Farther from the usual than this nothing was measured."""
USUAL_NIGHTS = 28
LEAST_NIGHTS = 5


@dataclass(frozen=True)
class Scenario:
    """An effect from the literature, not in any forecast.

    Attributes
    ----------
    hours_later : float
        Than the wearer's usual sleep onset; negative = earlier.
    usual : str
        The usual onset, HH:MM local.
    shift_ms, low_ms, high_ms : float
        Of tomorrow's median: middle and interval of the people's mean effect.
    """

    name: str
    hours_later: float
    usual: str
    shift_ms: float
    low_ms: float
    high_ms: float
    note: str


def bedtime_scenario(history: History, bedtime: time, median_ms: float) -> Scenario:
    """What people's mean effect of a later or earlier bedtime would do to tomorrow's median.

    Raises
    ------
    BadChange
        The usual bedtime is not known, or the asked one lies farther from it than was ever measured.
    """
    usual_h = _usual_onset_h(history)
    asked_h = (bedtime.hour + bedtime.minute / 60 - 12) % 24
    later = asked_h - usual_h
    if abs(later) > HOURS_MOST:
        raise BadChange(
            f"Expected a bedtime within {HOURS_MOST:g} hours of the usual {_clock(usual_h)}, got "
            f"{bedtime:%H:%M}: farther off nothing was measured."
        )
    low, middle, high = (median_ms * math.expm1(math.log1p(slope) * later) for slope in PER_HOUR)
    return Scenario(
        "bedtime", round(later, 2), _clock(usual_h), middle, min(low, high), max(low, high),
        "No model uses a planned bedtime, so the forecast stays as it is. In other people an hour later than usual "
        "went with about 4 % less (interval 1.9 to 6.0 %); people differ widely. A scenario, not a forecast of yours.",
    )  # fmt: skip


def _usual_onset_h(history: History) -> float:
    """Median sleep onset of the last weeks, hours after local noon."""
    nights = (
        history.scored_nights().filter(pl.col("sleep_onset_at").is_not_null()).sort("day").tail(USUAL_NIGHTS)
    )
    if len(nights) < LEAST_NIGHTS:
        raise BadChange(
            f"Expected {LEAST_NIGHTS} nights with a known sleep onset to tell the usual bedtime, got {len(nights)}."
        )
    onsets = []
    for onset, offset in nights.select("sleep_onset_at", "utc_offset_min").iter_rows():
        local = local_time(onset, offset or 0)
        onsets.append((local.hour + local.minute / 60 - 12) % 24)
    return float(np.median(onsets))


def _clock(hours_after_noon: float) -> str:
    minutes = round(timedelta(hours=12 + hours_after_noon).total_seconds() / 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
