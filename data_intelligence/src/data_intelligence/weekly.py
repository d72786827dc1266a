"""The weekly summary: what came true against what was said, what moved the nights, what is alerted, the coming week."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from data_intelligence.daily import DayView, summarise_day
from data_intelligence.evidence import EvidenceBook
from data_intelligence.nights import usable_hrv
from data_intelligence.segments import SPEAKERS_OF_A_MODEL, newest_segments, scored_rows
from data_intelligence.summary import EvidenceItem, IssueBlock
from data_intelligence.weekly_calls import best_and_worst, calls_of, seen_effects, week_scores, week_sentence
from data_intelligence.weekly_layout import WeekAlert, WeeklySummary, WeekMeans
from hrv_shared.constants import MODEL_COMBINATION, PRODUCT
from hrv_shared.issue import Issue
from hrv_shared.store import Store, write_bytes_atomic

__all__ = ["PLOTS", "WeekView", "summarise_week", "write_weekly"]

DAYS, MIN_NIGHTS, MIN_TREND = 7, 3, 4
PLOTS = ("history", "skill")
SKILL_DAYS = timedelta(days=400)


@dataclass(frozen=True)
class WeekView:
    """A weekly summary and what its plots are drawn from."""

    summary: WeeklySummary
    day: DayView
    near: pl.DataFrame


def write_weekly(store: Store, issue: Issue, *, seed: int = 0) -> list[Path]:
    """Write the week that ends with the issue's origin day under ``reports/weekly``.

    Returns
    -------
    list of Path
        JSON, Markdown, HTML, PDF, plots, JSON Schema. Equal inputs give equal bytes.
    """
    from data_intelligence.weekly_markdown import weekly_markdown
    from data_intelligence.weekly_page import draw_week, weekly_html
    from data_intelligence.weekly_pdf import weekly_pdf

    view = summarise_week(store, issue, seed=seed)
    summary, folder = view.summary, store.reports_dir("weekly")
    plots = dict(zip(summary.plots, draw_week(view), strict=True))
    text = json.dumps(summary.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    schema = json.dumps(WeeklySummary.model_json_schema(), indent=1, sort_keys=True) + "\n"
    contents = {
        **{name: svg.encode("utf-8") for name, svg in plots.items()},
        "schema.json": schema.encode("utf-8"),
        f"{issue.name}.pdf": weekly_pdf(summary, tuple(plots.values())),
        f"{issue.name}.html": weekly_html(summary, tuple(plots.values())).encode("utf-8"),
        f"{issue.name}.md": weekly_markdown(summary).encode("utf-8"),
        f"{issue.name}.json": text.encode("utf-8"),
    }
    for name, content in contents.items():
        write_bytes_atomic(folder / name, content)
    shown = [f"{issue.name}.{kind}" for kind in ("json", "md", "html", "pdf")]
    return [folder / name for name in (*shown, *plots, "schema.json")]


def summarise_week(store: Store, issue: Issue, *, seed: int = 0) -> WeekView:
    """Gather the week, as of the issue's moment.

    Raises
    ------
    TooFewNights
        No scored night was known then.
    """
    day = summarise_day(store, issue, seed=seed)
    book = EvidenceBook()
    first = issue.origin_day - timedelta(days=DAYS - 1)
    values = usable_hrv(day.history)
    carry = _Carrier(day.summary.evidence, book)
    scores = newest_segments(
        scored_rows(store, issue.member_id, issue.as_of, slot=issue.slot, before=issue.origin_day,
                    since=issue.origin_day - SKILL_DAYS), SPEAKERS_OF_A_MODEL,
    ).filter(~pl.col("void"), pl.col("horizon") == 1)  # fmt: skip
    week = scores.filter(pl.col("target_day").is_between(first, issue.origin_day))
    name, forecaster = _ours(week)
    own = week.filter(pl.col("book") == (name or ""), pl.col("forecaster") == (forecaster or ""))
    near = scores.filter(pl.col("book") == (name or ""))
    outcomes = store.ledger.outcomes(issue.member_id, issue.as_of)
    came = dict(zip(outcomes["day"], outcomes["hrv_rmssd_ms"], strict=True))
    nights = tuple(carry(night) for night in day.summary.nights[-DAYS:])
    means = _means(values, issue.origin_day, first, book)
    calls = calls_of(store, own, nights, book)
    best, worst = best_and_worst(store, own, near, came, issue.as_of, book)
    seen = seen_effects(day, first, values, carry, book)
    summary = WeeklySummary(
        issue=IssueBlock(**issue.describe()), first_day=first, last_day=issue.origin_day,
        sentence=week_sentence(means, calls, worst, seen), book=name, nights=nights, means=means, calls=calls,
        scores=week_scores(week, book), skill=tuple(carry(r) for r in day.summary.skill if r.horizons == "1"),
        best_call=best, worst_miss=worst, effects_seen=seen,
        alerts=tuple(
            WeekAlert(name=a.name, sentence=a.sentence, since_day=a.since_day, probability=a.probability, told=a.told,
                      evidence=carry.cite(a.evidence))
            for a in day.summary.alerts
        ),
        week_ahead=tuple(carry(line) for line in day.summary.forecasts if line.forecaster == _ahead(day)),
        plots=tuple(f"{issue.name}-{plot}.svg" for plot in PLOTS), unknown=(), evidence={},
    )  # fmt: skip
    unknown = tuple(_unknown(summary))
    return WeekView(summary.model_copy(update={"unknown": unknown, "evidence": book.items()}), day, near)


class _Carrier:
    """Takes blocks of the daily summary over with their evidence, under ids of this report."""

    def __init__(self, held: Mapping[str, EvidenceItem], book: EvidenceBook) -> None:
        self._held, self._book = held, book

    def cite(self, key: str) -> str:
        item = self._held[key]
        return self._book.cite(item.kind, item.what, item.where)

    def __call__(self, block):
        return block.model_copy(update={"evidence": self.cite(block.evidence)})


def _ours(week: pl.DataFrame) -> tuple[str | None, str | None]:
    """Book and forecaster whose calls the week tells: the product, else the mix; live before replayed."""
    held = set(week.select("book", "forecaster").unique().iter_rows())
    wanted = [(b, f) for b in ("live", "replay") for f in (PRODUCT, MODEL_COMBINATION)]
    return next((pair for pair in wanted if pair in held), (None, None))


def _ahead(day: DayView) -> str | None:
    held = {line.forecaster for line in day.summary.forecasts}
    return next((name for name in (PRODUCT, MODEL_COMBINATION) if name in held), None)


def _means(values: dict[date, float], last: date, first: date, book: EvidenceBook) -> WeekMeans:
    week = {day: v for day, v in values.items() if first <= day <= last}
    before = [v for day, v in values.items() if first - timedelta(days=DAYS) <= day < first]
    mean = float(np.mean(list(week.values()))) if len(week) >= MIN_NIGHTS else None
    previous = float(np.mean(before)) if len(before) >= MIN_NIGHTS else None
    slope = None
    if len(week) >= MIN_TREND:
        slope = float(np.polyfit([(day - first).days for day in week], list(week.values()), 1)[0])
    where = [f"days/{first - timedelta(days=DAYS)}..{last}/hrv_rmssd_ms"]
    return WeekMeans(
        n_nights=len(week), mean_ms=_round(mean), n_previous=len(before), previous_mean_ms=_round(previous),
        change_pct=_round(100 * (mean / previous - 1)) if mean and previous else None,
        trend_ms_per_day=None if slope is None else round(slope, 2),
        evidence=book.cite("derived", "means and trend of two weeks", where),
    )  # fmt: skip


def _unknown(summary: WeeklySummary) -> list[str]:
    said = []
    n_week, n_before = summary.means.n_nights, summary.means.n_previous
    if n_week < DAYS:
        said.append(f"{DAYS - n_week} nights of the week have no usable HRV.")
    if n_week < MIN_NIGHTS or n_before < MIN_NIGHTS:
        said.append(
            f"A week's mean needs {MIN_NIGHTS} nights: this week has {n_week}, the one before {n_before}."
        )
    if not summary.scores:
        said.append("No forecast of the week's nights has been scored in this slot.")
    elif any(call.forecaster is None and call.hrv_rmssd_ms is not None for call in summary.calls):
        said.append("For some nights of the week nobody of ours had spoken, so nothing is held against them.")
    if not summary.effects_seen:
        said.append("No behaviour with an effect that can be told was noted this week.")
    if not summary.week_ahead:
        said.append("No forecast of the coming week is in the ledger.")
    telling = [r.forecaster for r in summary.skill if r.verdict == "cannot tell yet"]
    if telling:
        said.append(
            f"Whether these beat the best naive rule can't be told yet: {', '.join(dict.fromkeys(telling))}."
        )
    return said


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
