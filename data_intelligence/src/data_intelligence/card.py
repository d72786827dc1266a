"""The card: tomorrow, why, the week, how good we have been; from the ledger and the daily summary alone.

Nothing is computed here that could differ from what was issued: the quantiles are the ledger's, the probability above
the baseline is read off them, reasons are quoted with who said them, and a refusal is shown as one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from data_intelligence.errors import DamagedReport, NoForecast
from data_intelligence.evidence import EvidenceBook
from data_intelligence.ledger_view import issue_forecasts, scores_as_of, skill_rows
from data_intelligence.summary import DailySummary, SkillRow
from hrv_shared.constants import (
    AGENT,
    AGENT_CALIBRATED,
    GUESS,
    MODEL_COMBINATION,
    PRODUCT,
    QUANTILE_LEVELS,
    RULES,
    SLOTS,
)
from hrv_shared.daytime import local_time
from hrv_shared.issue import Issue
from hrv_shared.scoring import pit
from hrv_shared.store import Store

__all__ = ["VOICES", "Card", "CardNight", "CardVoice", "CardWhy", "read_summary", "today_card"]

CARD_VERSION = "1.1"
CHAIN_OF_TRUST = (PRODUCT, MODEL_COMBINATION)
VOICES = (MODEL_COMBINATION, AGENT_CALIBRATED, AGENT, RULES, GUESS)
"""Who is shown beside the product, in this order."""


class Part(BaseModel):
    """Frozen; unknown fields and non-finite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CardNight(Part):
    """One night of the week ahead, ms; the 80 % band is P10 … P90, the 50 % band P25 … P75."""

    target_day: date
    horizon: int
    p10_ms: float
    p25_ms: float
    p50_ms: float
    p75_ms: float
    p90_ms: float
    p_above_baseline: float | None


class CardVoice(Part):
    """What another forecaster says of tomorrow, ms."""

    forecaster: str
    p10_ms: float
    p50_ms: float
    p90_ms: float


class CardWhy(Part):
    """What moved the forecast; ``status`` is that of the agent."""

    status: Literal["spoke", "refused", "absent"]
    said_by: str | None
    shift_ms: float | None
    weight_in_final: float | None
    journal_shift_ms: float | None
    text: str
    matched: tuple[str, ...]
    facts: tuple[str, ...]


class Card(Part):
    """The card of one issue; see the README for its layout."""

    schema_version: Literal["1.1"] = CARD_VERSION
    headline: str
    is_live: bool
    member_id: str
    book: str
    slot: str
    origin_day: date
    as_of: datetime
    issued_at: datetime
    utc_offset_min: int
    issue_note: str
    freshness: str
    last_night: str
    forecaster: str
    baseline_ms: float | None
    tomorrow: CardNight
    week: tuple[CardNight, ...]
    voices: tuple[CardVoice, ...]
    why: CardWhy
    alerts: tuple[str, ...]
    anomalies: tuple[str, ...]
    skill: tuple[SkillRow, ...]
    notes: tuple[str, ...]
    report: str | None
    plots: tuple[str, ...]


def today_card(store: Store, issue: Issue, *, seed: int = 0) -> Card:
    """Make the card of ``issue``.

    Raises
    ------
    NoForecast
        Neither ``final`` nor ``mix`` spoke for it.
    DamagedReport
        The summary beside it is not what this room writes.
    """
    issue, rows, notes = _spoken_issue(store, issue)
    name = next(n for n in CHAIN_OF_TRUST if n in set(rows["forecaster"]))
    own = rows.filter(pl.col("forecaster") == name).sort("horizon")
    if name != PRODUCT:
        notes.append("The final combination has not been issued; shown is the models' mix.")
    summary = read_summary(store, issue)
    if summary is None:
        notes.append(
            "No daily summary of this issue exists, so baseline and effects are unknown. Run: hrv daily"
        )
    baseline = None if summary is None else summary.baseline.mean_60d_ms
    first = own.row(0, named=True)
    week = tuple(_night(row, baseline) for row in own.iter_rows(named=True))
    scores = scores_as_of(store, issue)
    return Card(
        headline=_headline(issue, first["issued_at"]), is_live=issue.book == "live", member_id=issue.member_id,
        book=issue.book, slot=issue.slot, origin_day=issue.origin_day, as_of=first["as_of"],
        issued_at=first["issued_at"], utc_offset_min=issue.utc_offset_min, issue_note=issue.note,
        freshness="unknown (no daily summary)" if summary is None else summary.freshness.sentence,
        last_night="" if summary is None else summary.last_night.sentence,
        forecaster=name, baseline_ms=baseline, tomorrow=week[0], week=week, voices=_voices(rows, name),
        why=_why(store, issue, rows, summary), anomalies=() if summary is None else _anomalies(summary),
        alerts=() if summary is None else tuple(a.sentence for a in summary.alerts),
        skill=_shown_skill(skill_rows(scores, EvidenceBook(), seed=seed)), notes=tuple(notes),
        report=None if summary is None else str(store.reports_dir("daily") / f"{issue.name}.md"),
        plots=() if summary is None else summary.plots,
    )  # fmt: skip


def read_summary(store: Store, issue: Issue) -> DailySummary | None:
    """The stored summary of this very issue, or None; another member's or another book's is not taken for it."""
    path = store.reports_dir("daily") / f"{issue.name}.json"
    try:
        summary = DailySummary.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValidationError, ValueError):
        raise DamagedReport(
            f"{path.name} is no daily summary of the present layout. Write it anew: python -m data_intelligence daily"
        ) from None
    same = summary.issue.member_id == issue.member_id and summary.issue.book == issue.book
    return summary if same else None


def _spoken_issue(store: Store, issue: Issue) -> tuple[Issue, pl.DataFrame, list[str]]:
    """The issue that has a forecast: the one asked for, else the same day's other slot, said so."""
    others = [s for s in SLOTS if s != issue.slot] if issue.book == "live" else []
    for slot in (issue.slot, *others):
        tried = replace(issue, slot=slot)
        rows = issue_forecasts(store, tried)
        if set(rows["forecaster"]) & set(CHAIN_OF_TRUST):
            notes = [] if slot == issue.slot else [
                f"The {issue.slot} forecast has not been made yet; this is the {slot}'s. Run: hrv daily"
            ]  # fmt: skip
            return tried, rows, notes
    raise NoForecast(
        f"Expected a forecast for {issue.name} ({issue.book} book, member {issue.member_id}) in the ledger, "
        "found none. Make one: hrv daily"
    )


def _headline(issue: Issue, issued_at: datetime) -> str:
    if issue.book == "live":
        return f"LIVE forecast, issued {_local(issued_at, issue.utc_offset_min)} local ({issue.slot})"
    return f"REPLAYED as of {_local(issue.as_of, issue.utc_offset_min)} local ({issue.slot}): not a live forecast"


def _local(instant: datetime, utc_offset_min: int) -> str:
    return f"{local_time(instant, utc_offset_min):%Y-%m-%d %H:%M}"


def _night(row: dict[str, Any], baseline_ms: float | None) -> CardNight:
    quantiles = np.array(row["quantiles_ms"])
    shown = {
        f"p{round(100 * p)}_ms": round(float(quantiles[QUANTILE_LEVELS.index(p)]), 1)
        for p in (0.1, 0.25, 0.5, 0.75, 0.9)
    }
    above = (
        None
        if baseline_ms is None
        else round(1 - float(pit(quantiles[None, :], np.array([baseline_ms]))[0]), 3)
    )
    return CardNight(target_day=row["target_day"], horizon=row["horizon"], p_above_baseline=above, **shown)


def _voices(rows: pl.DataFrame, shown: str) -> tuple[CardVoice, ...]:
    """Everybody else's word on tomorrow, from the ledger."""
    said = []
    for name in VOICES:
        row = _first_night(rows, name)
        if name != shown and row is not None and row["horizon"] == 1:
            night = _night(row, None)
            said.append(
                CardVoice(forecaster=name, p10_ms=night.p10_ms, p50_ms=night.p50_ms, p90_ms=night.p90_ms)
            )
    return tuple(said)


def _why(store: Store, issue: Issue, rows: pl.DataFrame, summary: DailySummary | None) -> CardWhy:
    spoken = _first_night(rows, AGENT)
    moved = _reasons(_first_night(rows, MODEL_COMBINATION)).get("journal_shift_ms")
    shared = {
        "matched": ()
        if summary is None
        else tuple(f"{m.phrase}, {m.label}" for m in summary.matched_effects),
        "facts": () if summary is None else tuple(f.text for f in summary.tonight_facts),
        "journal_shift_ms": None if not moved else round(float(moved), 1),
    }
    if spoken is not None:
        reasons = _reasons(spoken)
        weights = _reasons(_first_night(rows, PRODUCT)).get("weights", {})
        weight = weights.get(AGENT_CALIBRATED, weights.get(AGENT))
        shift = reasons.get("shift_of_this_night_ms", reasons.get("shift_ms"))
        return CardWhy(
            status="spoke", said_by=f"agent ({spoken['version'].rpartition('+')[2]})",
            shift_ms=None if shift is None else round(float(shift), 1), weight_in_final=weight,
            text=str(reasons.get("rationale") or "The agent gave no reason."), **shared,
        )  # fmt: skip
    refusal = _refusal(store, issue)
    silent = "The agent has not spoken for this issue; the forecast is the models' alone."
    return CardWhy(
        status="absent" if refusal is None else "refused", said_by=None, shift_ms=None, weight_in_final=None,
        text=refusal or silent, **shared,
    )  # fmt: skip


def _first_night(rows: pl.DataFrame, forecaster: str) -> dict[str, Any] | None:
    own = rows.filter(pl.col("forecaster") == forecaster).sort("horizon")
    return own.row(0, named=True) if len(own) else None


def _reasons(row: dict[str, Any] | None) -> dict[str, Any]:
    return json.loads(row["reasons"]) if row is not None and row["reasons"] else {}


def _refusal(store: Store, issue: Issue) -> str | None:
    """Why the agent did not speak for this issue, from its newest ``refusal`` fact."""
    wanted = (issue.book, issue.slot, issue.origin_day.isoformat())
    said = None
    for fact in store.record.facts("refusal", issue.member_id):
        about = fact.payload.get("issue", {})
        if fact.payload.get("forecaster") == AGENT and wanted == tuple(
            about.get(name) for name in ("book", "slot", "origin_day")
        ):
            said = f"{fact.payload.get('message') or 'no reason was given'} ({fact.payload.get('code') or 'Refusal'})"
    return said


def _anomalies(summary: DailySummary) -> tuple[str, ...]:
    return tuple(a.sentence for a in summary.anomalies)


def _shown_skill(rows: tuple[SkillRow, ...]) -> tuple[SkillRow, ...]:
    """Final, mix, agent, rules, guess and the best naive rule, replayed and live apart."""
    order = {name: at for at, name in enumerate((PRODUCT, *VOICES))}
    wanted = [r for r in rows if r.forecaster in order or r.forecaster == r.reference]
    return tuple(
        sorted(wanted, key=lambda r: (r.book == "live", r.horizons, order.get(r.forecaster, len(order))))
    )
