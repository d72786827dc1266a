"""The weekly summary: the last seven wake days against the seven before, and how the forecasts of them did."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from data_intelligence.evidence import EvidenceBook
from data_intelligence.ledger_view import scores_as_of
from data_intelligence.nights import recent_nights, usable_hrv
from data_intelligence.summary import EvidenceItem, IssueBlock, NightRow
from hrv_shared.constants import MODEL_COMBINATION, PRODUCT
from hrv_shared.errors import TooFewNights
from hrv_shared.history import load_history
from hrv_shared.issue import Issue
from hrv_shared.store import Store, write_bytes_atomic

__all__ = ["WeeklySummary", "summarise_week", "write_weekly"]

DAYS, MIN_NIGHTS, MIN_TREND = 7, 3, 4


class Part(BaseModel):
    """Frozen; unknown fields and non-finite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WeekScore(Part):
    """One forecaster on the week's nights, one night ahead, in one book."""

    book: str
    forecaster: str
    n: int
    crps_ms: float
    mae_ms: float
    in_80: int
    evidence: str


class Saying(Part):
    """What one forecaster had said of the night that was missed worst."""

    forecaster: str
    version: str
    issued_at: datetime
    median_ms: float
    crps_ms: float
    in_80: bool
    evidence: str


class Miss(Part):
    """The night on which ``forecaster`` was furthest off."""

    target_day: date
    book: str
    forecaster: str
    hrv_rmssd_ms: float
    sayings: tuple[Saying, ...]
    evidence: str


class WeeklySummary(Part):
    """Seven wake days ending with the origin day; numbers belong to the ``evidence`` of the object around them."""

    schema_version: Literal["1.0"] = "1.0"
    issue: IssueBlock
    first_day: date
    last_day: date
    nights: tuple[NightRow, ...]
    n_nights: int
    mean_ms: float | None
    previous_mean_ms: float | None
    n_previous: int
    change_pct: float | None
    trend_ms_per_day: float | None
    scores: tuple[WeekScore, ...]
    worst_miss: Miss | None
    unknown: tuple[str, ...]
    items: dict[str, EvidenceItem]
    evidence: str


def write_weekly(store: Store, issue: Issue) -> list[Path]:
    """Write the week that ends with the issue's origin day as JSON and Markdown under ``reports/weekly``."""
    from data_intelligence.weekly_markdown import weekly_markdown

    summary = summarise_week(store, issue)
    folder = store.reports_dir("weekly")
    text = json.dumps(summary.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    files = [folder / f"{issue.origin_day}.json", folder / f"{issue.origin_day}.md"]
    write_bytes_atomic(files[1], weekly_markdown(summary).encode("utf-8"))
    write_bytes_atomic(files[0], text.encode("utf-8"))
    return files


def summarise_week(store: Store, issue: Issue) -> WeeklySummary:
    """Gather the week, as of the issue's moment.

    Raises
    ------
    TooFewNights
        No scored night was known then.
    """
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    values = usable_hrv(history)
    if not values:
        raise TooFewNights(
            f"No scored night of {issue.member_id} was known at {issue.as_of}; there is no week to show."
        )
    book = EvidenceBook()
    nights = recent_nights(history, issue, EvidenceBook())[-DAYS:]
    nights = tuple(
        n.model_copy(
            update={
                "evidence": book.cite("days", f"HRV of the night to {n.day}", [f"days/{n.day}/hrv_rmssd_ms"])
            }
        )
        for n in nights
    )
    first = issue.origin_day - timedelta(days=DAYS - 1)
    week = {day: v for day, v in values.items() if first <= day <= issue.origin_day}
    before = [v for day, v in values.items() if first - timedelta(days=DAYS) <= day < first]
    mean = float(np.mean(list(week.values()))) if len(week) >= MIN_NIGHTS else None
    previous = float(np.mean(before)) if len(before) >= MIN_NIGHTS else None
    scores = _week_scores(store, issue, first)
    table = tuple(_score_rows(scores, book))
    where = [f"days/{first - timedelta(days=DAYS)}..{issue.origin_day}/hrv_rmssd_ms"]
    return WeeklySummary(
        issue=IssueBlock(**issue.describe()), first_day=first, last_day=issue.origin_day, nights=nights,
        n_nights=len(week), mean_ms=_round(mean), previous_mean_ms=_round(previous), n_previous=len(before),
        change_pct=_round(100 * (mean / previous - 1)) if mean and previous else None,
        trend_ms_per_day=_trend(week, first), scores=table, worst_miss=_worst_miss(scores, book),
        unknown=tuple(_unknown(len(week), len(before), table)),
        evidence=book.cite("derived", "means and trend of two weeks", where), items=book.items(),
    )  # fmt: skip


def _week_scores(store: Store, issue: Issue, first: date) -> pl.DataFrame:
    scores = scores_as_of(store, issue)
    return (
        scores.filter(
            ~pl.col("void"), pl.col("horizon") == 1, pl.col("target_day").is_between(first, issue.origin_day)
        )
        .unique(["book", "forecaster", "target_day"], keep="last", maintain_order=True)
        .sort("book", "forecaster", "target_day")
    )


def _score_rows(scores: pl.DataFrame, book: EvidenceBook) -> list[WeekScore]:
    rows = []
    for (name, forecaster), own in scores.group_by("book", "forecaster", maintain_order=True):
        where = [f"scores/{name}/{forecaster}/h1/{own['target_day'].min()}..{own['target_day'].max()}"]
        rows.append(
            WeekScore(
                book=name,
                forecaster=forecaster,
                n=len(own),
                crps_ms=round(own["crps_ms"].mean(), 2),
                mae_ms=round(own["abs_error_ms"].mean(), 2),
                in_80=int(own["in_80"].sum()),
                evidence=book.cite("scores", f"{forecaster} on the week's nights, {name} book", where),
            )  # fmt: skip
        )
    return sorted(rows, key=lambda r: (r.book, r.crps_ms, r.forecaster))


def _worst_miss(scores: pl.DataFrame, book: EvidenceBook) -> Miss | None:
    """The largest CRPS of the product (else the mix), live where there is a live book, with everyone's word on it."""
    for name, forecaster in ((b, f) for b in ("live", "replay") for f in (PRODUCT, MODEL_COMBINATION)):
        own = scores.filter(pl.col("book") == name, pl.col("forecaster") == forecaster)
        if len(own):
            break
    else:
        return None
    worst = own.sort("crps_ms", "target_day").row(-1, named=True)
    day = worst["target_day"]
    said = scores.filter(pl.col("book") == name, pl.col("target_day") == day).sort("crps_ms", "forecaster")
    sayings = tuple(
        Saying(
            forecaster=row["forecaster"],
            version=row["version"],
            issued_at=row["issued_at"],
            median_ms=round(row["median_ms"], 1),
            crps_ms=round(row["crps_ms"], 2),
            in_80=row["in_80"],
            evidence=book.cite(
                "scores", f"{row['forecaster']} on {day}", [f"scores/{name}/{row['forecaster']}/h1/{day}"]
            ),
        )  # fmt: skip
        for row in said.iter_rows(named=True)
    )
    return Miss(
        target_day=day, book=name, forecaster=forecaster, hrv_rmssd_ms=round(worst["hrv_rmssd_ms"], 1), sayings=sayings,
        evidence=book.cite("days", f"HRV of the night to {day}", [f"days/{day}/hrv_rmssd_ms"]),
    )  # fmt: skip


def _trend(week: dict[date, float], first: date) -> float | None:
    if len(week) < MIN_TREND:
        return None
    slope = np.polyfit([(day - first).days for day in week], list(week.values()), 1)[0]
    return round(float(slope), 2)


def _unknown(n_week: int, n_before: int, table: tuple[WeekScore, ...]) -> list[str]:
    said = []
    if n_week < DAYS:
        said.append(f"{DAYS - n_week} nights of the week have no usable HRV.")
    if n_week < MIN_NIGHTS or n_before < MIN_NIGHTS:
        said.append(
            f"A week's mean needs {MIN_NIGHTS} nights: this week has {n_week}, the one before {n_before}."
        )
    if not table:
        said.append("No forecast of the week's nights has been scored in this slot.")
    return said


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
