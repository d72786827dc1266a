"""The layout of a reliability report, version 1.0; ``schema.json`` is written beside the reports."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from data_intelligence.summary import Block, EvidenceItem, IssueBlock

__all__ = [
    "Band",
    "Fact",
    "Focus",
    "GroupRow",
    "Miss",
    "PitTest",
    "Power",
    "Reliability",
    "SegmentRow",
    "Word",
]


class Band(Block):
    """Coverage of one central band, and the 90 % binomial range of a band that holds, on so many nights."""

    nominal_pct: int
    observed_pct: float
    chance_low_pct: float
    chance_high_pct: float
    holds: bool


class PitTest(Block):
    """PIT histogram in tenths; ``p_value`` of a flat law (chi-square), null below 50 nights or where nights overlap."""

    counts: tuple[int, ...]
    p_value: float | None
    sentence: str


class Power(Block):
    """How many more nights until a one-sided paired test (5 %, power 80 %) would tell the edge seen so far."""

    nights_more: int | None
    p_value: float | None
    sentence: str


class SegmentRow(Block):
    """One forecaster in one book, slot, horizon group and segment; skill against ``reference`` on equal nights."""

    book: str
    slot: str
    forecaster: str
    horizons: str
    segment: str
    versions: tuple[str, ...]
    is_newest: bool
    first_day: date
    last_day: date
    n: int
    n_days: int
    n_void: int
    crps_ms: float
    mae_ms: float
    reference: str | None
    skill_pct: float | None
    skill_low_pct: float | None
    skill_high_pct: float | None
    bands: tuple[Band, ...]
    pit: PitTest
    power: Power
    verdict: str
    evidence: str


class GroupRow(Block):
    """One forecaster on one kind of night (next night only).

    ``by_outcome`` groups are chosen by what came. Nothing is claimed from them: whoever always says low wins on low
    nights (the forecaster's dilemma, Lerch et al. 2017, doi:10.1214/16-STS588).
    """

    forecaster: str
    kind: Literal["weekday", "event", "alert", "gap", "low", "start"]
    group: str
    by_outcome: bool
    n: int
    skill_pct: float | None
    skill_low_pct: float | None
    skill_high_pct: float | None
    cover_80_pct: float
    chance_low_pct: float
    chance_high_pct: float
    bias_ms: float
    verdict: Literal["succeeds", "fails", "bands do not hold", "cannot tell yet", "chosen by outcome"]
    evidence: str


class Word(Block):
    """What one forecaster had said of a night."""

    forecaster: str
    version: str
    segment: str
    issued_at: datetime
    p10_ms: float
    p50_ms: float
    p90_ms: float
    crps_ms: float
    in_80: bool
    rationale: str
    evidence: str


class Fact(Block):
    """Something that was known when the forecast was issued: a journal fact or an alert."""

    kind: Literal["journal", "alert", "night"]
    text: str
    evidence: str


class Miss(Block):
    """One of the nights on which the forecast was furthest off."""

    target_day: date
    hrv_rmssd_ms: float
    usual_ms: float | None
    sentence: str
    words: tuple[Word, ...]
    known: tuple[Fact, ...]
    post_mortem: str | None
    post_mortem_evidence: str | None
    evidence: str


class Focus(Block):
    """Which rows the groups, misses and plots speak of, and why those."""

    book: str
    slot: str
    forecaster: str
    segment: str
    n: int
    sentence: str
    evidence: str


class Reliability(Block):
    """The report: all segments, then one forecaster looked at closely."""

    schema_version: Literal["1.0"] = "1.0"
    issue: IssueBlock
    headline: str
    focus: Focus | None
    rows: tuple[SegmentRow, ...]
    groups: tuple[GroupRow, ...]
    succeeds: tuple[str, ...]
    fails: tuple[str, ...]
    misses: tuple[Miss, ...]
    plots: tuple[str, ...]
    unknown: tuple[str, ...]
    evidence: dict[str, EvidenceItem]
