"""The blocks ``trends`` and ``alerts`` of the daily summary; numbers belong to the nearest ``evidence`` id."""

from __future__ import annotations

from datetime import date
from typing import Literal

from data_intelligence.block import Block

__all__ = ["AlertRow", "BandTrend", "LoadTrend", "RegularityTrend", "ShiftRow", "TrendBlock", "WeekdayRow"]


class AlertRow(Block):
    """A raised alert; ``told`` ones the wearer has said already. ``comes_true_when`` is how it will be scored."""

    name: Literal["illness", "travel", "overload", "level_shift", "device_change"]
    sentence: str
    since_day: date
    probability: float
    horizon_nights: int
    told: bool
    comes_true_when: str
    evidence: str


class BandTrend(Block):
    """The 7-day level against the usual band (60 days that end a week ago), on ln RMSSD, shown in ms."""

    level_7d_ms: float | None
    usual_ms: float | None
    low_ms: float | None
    high_ms: float | None
    swc_pct: float | None
    ln_cv_7d_pct: float | None
    usual_ln_cv_pct: float | None
    n_7d: int
    n_band: int
    position: Literal["below", "inside", "above", "unknown"]
    sentence: str
    evidence: str


class ShiftRow(Block):
    """A step of the level: since when, and the day on which it could first be seen."""

    since_day: date
    first_seen_day: date
    from_ms: float
    to_ms: float
    change_pct: float
    probability: float
    sentence: str
    evidence: str


class WeekdayRow(Block):
    """A wake day against the wearer's level, shrunk to a pooled rhythm; 90 % interval."""

    weekday: str
    effect_pct: float
    low90_pct: float
    high90_pct: float
    n: int
    clear: bool
    evidence: str


class RegularityTrend(Block):
    """Sleep of 28 nights: spreads in minutes, weekend against week in hours, index -100 to 100."""

    onset_sd_min: int | None
    wake_sd_min: int | None
    social_jetlag_h: float | None
    regularity_index: int | None
    n: int
    evidence: str


class LoadTrend(Block):
    """Mean daily strain of 7 and 28 days before the origin day; monotony is the week's mean over its SD."""

    acute_7d_strain: float | None
    chronic_28d_strain: float | None
    ratio: float | None
    monotony: float | None
    direction: Literal["rising", "steady", "falling", "unknown"]
    evidence: str


class TrendBlock(Block):
    """Everything that moves slowly."""

    band: BandTrend
    level_shifts: tuple[ShiftRow, ...]
    device_changes: tuple[ShiftRow, ...]
    weekly_rhythm: tuple[WeekdayRow, ...]
    sleep_regularity: RegularityTrend
    load: LoadTrend
