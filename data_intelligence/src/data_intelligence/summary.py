"""The layout of a daily summary, version 1.1: what other rooms, the agent and people read.

The README lists the fields; the JSON Schema is written beside the reports as ``schema.json``. Rule of the layout: a
number belongs to the ``evidence`` id of the nearest object around it, which resolves in ``DailySummary.evidence``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from data_intelligence.block import Block
from data_intelligence.effect_blocks import EffectRow, MatchedEffect
from data_intelligence.trend_blocks import AlertRow, TrendBlock

__all__ = [
    "SCHEMA_VERSION", "Anomaly", "Baseline", "DailySummary", "EffectRow", "EvidenceItem", "FactRow", "ForecastLine",
    "Freshness", "IssueBlock", "LastNight", "Load", "MatchedEffect", "NightRow", "RestingHr", "SkillRow", "SleepBlock",
]  # fmt: skip

SCHEMA_VERSION = "1.1"


class EvidenceItem(Block):
    """What an id stands for."""

    kind: Literal["days", "journal", "ledger", "scores", "fit", "derived", "record", "report"]
    what: str
    where: tuple[str, ...]


class IssueBlock(Block):
    """The issue that the summary serves; ``book`` is ``live`` or ``replay``."""

    member_id: str
    book: str
    slot: str
    as_of: datetime
    origin_day: date
    utc_offset_min: int
    note: str


class Freshness(Block):
    """How new the data are at ``as_of``."""

    newest_known_at: datetime
    age_hours: float
    last_scored_day: date
    nights_behind: int
    sentence: str
    evidence: str


class LastNight(Block):
    """The night that ended on the origin day; ``hrv_rmssd_ms`` is null unless ``state`` is ``scored``."""

    day: date
    state: str
    hrv_rmssd_ms: float | None
    z: float | None
    sentence: str
    evidence: str


class NightRow(Block):
    """One of the last 28 calendar days; ``state`` is ``missing`` where WHOOP gave no row."""

    day: date
    state: str
    hrv_rmssd_ms: float | None
    evidence: str


class Baseline(Block):
    """The personal baseline over the 60 calendar days that end with the origin day."""

    mean_60d_ms: float | None
    sd_60d_ms: float | None
    n_60d: int
    mean_7d_ms: float | None
    n_7d: int
    smallest_worthwhile_change_ms: float | None
    cv_7d_pct: float | None
    evidence: str


class SleepBlock(Block):
    """Sleep of the night that ended on ``day``."""

    day: date
    asleep_h: float | None
    efficiency_pct: float | None
    performance_pct: float | None
    debt_h: float | None
    onset_local: str | None
    evidence: str


class RestingHr(Block):
    """Resting heart rate of one of the last three nights."""

    day: date
    state: str
    resting_hr_bpm: float | None
    evidence: str


class Load(Block):
    """Training load: mean daily strain of complete days, and the origin day's strain (so far)."""

    acute_7d_strain: float | None
    chronic_28d_strain: float | None
    ratio: float | None
    n_7d: int
    n_28d: int
    today_strain_0_21: float | None
    today_is_final: bool | None
    evidence: str


class FactRow(Block):
    """An accepted journal fact about the coming night."""

    behaviour: str
    text: str
    kind: str
    amount: float | None
    unit: str | None
    clock_time: str | None
    is_plan: bool
    quote: str
    confidence: float | None
    evidence: str


class ForecastLine(Block):
    """One forecaster's word on one night, from the ledger."""

    forecaster: str
    version: str
    horizon: int
    target_day: date
    p10_ms: float
    p25_ms: float
    p50_ms: float
    p75_ms: float
    p90_ms: float
    evidence: str


class SkillRow(Block):
    """How good a forecaster has been; skill in % against ``reference``, with a 90 % interval."""

    book: str
    slot: str
    forecaster: str
    horizons: str
    n: int
    crps_ms: float
    mae_ms: float
    skill_pct: float | None
    skill_low_pct: float | None
    skill_high_pct: float | None
    reference: str | None
    cover_50_pct: float
    cover_80_pct: float
    cover_95_pct: float
    verdict: str
    evidence: str


class Anomaly(Block):
    """Something unusual about last night, why it is called so, and what may explain it (``reasons``)."""

    name: str
    sentence: str
    reasons: tuple[str, ...]
    value: float
    usual: float
    z: float | None
    evidence: str


class DailySummary(Block):
    """Everything that is known for one issue, as of its moment."""

    schema_version: Literal["1.1"] = SCHEMA_VERSION
    issue: IssueBlock
    freshness: Freshness
    last_night: LastNight
    nights: tuple[NightRow, ...]
    baseline: Baseline
    sleep_last_night: SleepBlock | None
    resting_hr: tuple[RestingHr, ...]
    load: Load
    tonight_facts: tuple[FactRow, ...]
    matched_effects: tuple[MatchedEffect, ...]
    effects: tuple[EffectRow, ...]
    forecasts: tuple[ForecastLine, ...]
    skill: tuple[SkillRow, ...]
    trends: TrendBlock
    alerts: tuple[AlertRow, ...]
    anomalies: tuple[Anomaly, ...]
    plots: tuple[str, ...]
    unknown: tuple[str, ...]
    evidence: dict[str, EvidenceItem]
