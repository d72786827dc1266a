"""The daily summary: everything known for one issue, gathered as of its moment, with evidence for every number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_intelligence.alert_watch import Watch
from data_intelligence.alerts import alert_rows, issue_alerts, watch_history
from data_intelligence.anomalies import anomalies_of
from data_intelligence.context import load_of, resting_hr_of, sleep_of
from data_intelligence.effects import estimate_effects
from data_intelligence.evidence import EvidenceBook
from data_intelligence.experiments import finished_experiments
from data_intelligence.ledger_view import forecast_lines, issue_forecasts, scores_as_of, skill_rows
from data_intelligence.nights import baseline_of, freshness_of, last_night_of, recent_nights
from data_intelligence.summary import DailySummary, IssueBlock
from data_intelligence.tonight import all_effect_rows, matched_effects, tonight_facts
from data_intelligence.trends import trends_of
from hrv_shared.constants import AGENT, PRODUCT
from hrv_shared.errors import TooFewNights
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue
from hrv_shared.store import Store, write_bytes_atomic

__all__ = ["PLOTS", "DayView", "summarise_day", "write_daily"]

PLOTS = ("history", "reliability", "effects")


@dataclass(frozen=True)
class DayView:
    """A summary and what its plots are drawn from."""

    summary: DailySummary
    history: History
    rows: pl.DataFrame
    scores: pl.DataFrame
    watch: Watch


def write_daily(store: Store, issue: Issue, *, seed: int = 0) -> list[Path]:
    """Write the summary of ``issue`` as JSON, Markdown and three SVG plots under ``reports/daily``.

    The plots come first and the JSON last: a summary that names plots never names missing ones.

    Returns
    -------
    list of Path
        JSON, Markdown, plots, JSON Schema.
    """
    from data_intelligence.markdown import daily_markdown
    from data_intelligence.plots import draw_plots

    view = summarise_day(store, issue, seed=seed)
    issue_alerts(store, issue, view.watch)
    folder = store.reports_dir("daily")
    written = []
    for name, svg in zip(view.summary.plots, draw_plots(view), strict=True):
        written.append(_write(folder / name, svg))
    text = (
        json.dumps(view.summary.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )
    schema = json.dumps(DailySummary.model_json_schema(), indent=1, sort_keys=True) + "\n"
    written.insert(0, _write(folder / "schema.json", schema))
    written.insert(0, _write(folder / f"{issue.name}.md", daily_markdown(view.summary)))
    written.insert(0, _write(folder / f"{issue.name}.json", text))
    return [written[0], written[1], *written[3:], written[2]]


def summarise_day(store: Store, issue: Issue, *, seed: int = 0) -> DayView:
    """Gather the summary of ``issue``; a pure function of what was known at ``issue.as_of``.

    Raises
    ------
    TooFewNights
        No scored night was known then.
    """
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    if history.scored_nights().is_empty():
        raise TooFewNights(
            f"No scored night of {issue.member_id} was known at {issue.as_of}; there is nothing to summarise."
        )
    rows, scores = issue_forecasts(store, issue), scores_as_of(store, issue)
    book = EvidenceBook()
    baseline = baseline_of(history, issue, book)
    last = last_night_of(history, issue, baseline, book)
    facts, drafts = tonight_facts(history, issue, book)
    tested = finished_experiments(store, issue.member_id, issue.as_of)
    fit = estimate_effects(history, tested=tested)
    matched, unmatched = matched_effects(fit, facts, book)
    watch = watch_history(history, issue.utc_offset_min)
    summary = DailySummary(
        issue=IssueBlock(**issue.describe()),
        freshness=freshness_of(history, issue, book),
        last_night=last,
        nights=recent_nights(history, issue, book),
        baseline=baseline,
        sleep_last_night=sleep_of(history, issue, book),
        resting_hr=resting_hr_of(history, issue, book),
        load=load_of(history, issue, book),
        tonight_facts=facts,
        matched_effects=matched,
        effects=all_effect_rows(history, fit, book),
        forecasts=forecast_lines(rows, book),
        skill=skill_rows(scores, book, seed=seed),
        trends=trends_of(watch, book),
        alerts=alert_rows(watch, book),
        anomalies=anomalies_of(history, issue, watch, baseline, last, book),
        plots=tuple(f"{issue.name}-{plot}.svg" for plot in PLOTS),
        unknown=(),
        evidence={},
    )
    unknown = (*_unknown(summary, drafts), *unmatched)
    return DayView(
        summary.model_copy(update={"unknown": unknown, "evidence": book.items()}),
        history,
        rows,
        scores,
        watch,
    )


def _unknown(summary: DailySummary, drafts: int) -> list[str]:
    """Say what is not known, so that nobody takes silence for an answer."""
    said = []
    issue, day = summary.issue, summary.issue.origin_day
    if summary.last_night.state != "scored":
        said.append(summary.last_night.sentence)
    if summary.baseline.sd_60d_ms is None:
        said.append(f"The baseline rests on {summary.baseline.n_60d} nights; its spread needs 14.")
    if summary.baseline.cv_7d_pct is None:
        said.append(f"HRV-CV needs 5 nights of the last 7; {summary.baseline.n_7d} are known.")
    if summary.sleep_last_night is None:
        said.append(f"Nothing is known about the sleep of the night to {day}.")
    if summary.load.ratio is None:
        said.append("The strain ratio needs 4 complete days of the last 7 and 14 of the last 28.")
    if issue.slot == "evening" and summary.load.today_strain_0_21 is None:
        said.append(f"Strain of {day} is not known yet.")
    if issue.slot == "evening" and summary.load.today_is_final is False:
        said.append(f"Strain of {day} is what it was so far; the day is not closed.")
    if not summary.tonight_facts:
        said.append(f"No journal fact is known about the night that follows {day}.")
    if drafts:
        said.append(f"{drafts} journal facts about tonight wait for confirmation and are not used.")
    if not summary.effects:
        said.append("No personal effect can be estimated: no behaviour was logged on a scored night.")
    if not any(line.forecaster not in (AGENT, PRODUCT) for line in summary.forecasts):
        said.append("No model forecast of this issue is in the ledger.")
    if not summary.skill:
        said.append("No forecast of this slot has been scored yet.")
    return said


def _write(path: Path, text: str) -> Path:
    write_bytes_atomic(path, text.encode("utf-8"))
    return path
