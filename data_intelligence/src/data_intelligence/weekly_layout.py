"""The layout of a weekly summary, version 1.1; ``schema.json`` is written beside the reports.

A number belongs to the ``evidence`` id of the nearest object around it, as in the daily summary.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from data_intelligence.reliability.layout import Miss
from data_intelligence.summary import Block, EvidenceItem, ForecastLine, IssueBlock, NightRow, SkillRow
from hrv_shared.constants import AGENT, GUESS, MODEL_COMBINATION, PRODUCT

__all__ = ["NAMED", "Call", "SeenEffect", "WeekAlert", "WeekMeans", "WeekScore", "WeeklySummary"]

NAMED = (PRODUCT, AGENT, MODEL_COMBINATION, GUESS)
"""Whose word on a night a page tells by name; of the others the lowest and the highest."""


class WeekMeans(Block):
    """The week against the one before, ms."""

    n_nights: int
    mean_ms: float | None
    n_previous: int
    previous_mean_ms: float | None
    change_pct: float | None
    trend_ms_per_day: float | None
    evidence: str


class Call(Block):
    """What our forecast said of one night of the week, and what came; ``off_ms`` is what came less the median said."""

    day: date
    state: str
    hrv_rmssd_ms: float | None
    forecaster: str | None
    p10_ms: float | None
    p50_ms: float | None
    p90_ms: float | None
    off_ms: float | None
    in_80: bool | None
    crps_ms: float | None
    evidence: str


class WeekScore(Block):
    """One forecaster on the week's nights, one night ahead, in one book."""

    book: str
    forecaster: str
    n: int
    crps_ms: float
    mae_ms: float
    in_80: int
    evidence: str


class SeenEffect(Block):
    """A behaviour of this week, what it goes with over all nights, and how this week's nights with it came out."""

    behaviour: str
    text: str
    label: str
    effect_ms: float
    low80_ms: float
    high80_ms: float
    n_yes: int
    nights: tuple[date, ...]
    week_mean_ms: float | None
    week_evidence: str
    evidence: str


class WeekAlert(Block):
    """An alert that stands at the end of the week."""

    name: str
    sentence: str
    since_day: date
    probability: float
    told: bool
    evidence: str


class WeeklySummary(Block):
    """Seven wake days ending with the origin day; ``book`` (live, else replay, or null) is whose calls are told."""

    schema_version: Literal["1.1"] = "1.1"
    issue: IssueBlock
    first_day: date
    last_day: date
    sentence: str
    book: str | None
    nights: tuple[NightRow, ...]
    means: WeekMeans
    calls: tuple[Call, ...]
    scores: tuple[WeekScore, ...]
    skill: tuple[SkillRow, ...]
    best_call: Miss | None
    worst_miss: Miss | None
    effects_seen: tuple[SeenEffect, ...]
    alerts: tuple[WeekAlert, ...]
    week_ahead: tuple[ForecastLine, ...]
    plots: tuple[str, ...]
    unknown: tuple[str, ...]
    evidence: dict[str, EvidenceItem]
