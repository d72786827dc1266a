"""The reliability report of one member: everything scored until a moment, and one forecaster looked at closely."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from data_intelligence.evidence import EvidenceBook
from data_intelligence.reliability.groups import event_facts, group_rows, success_and_failure
from data_intelligence.reliability.layout import Focus, Reliability, SegmentRow
from data_intelligence.reliability.misses import alerts_of, raised_alerts, worst_misses
from data_intelligence.reliability.rows import segment_rows
from data_intelligence.segments import scored_rows
from data_intelligence.summary import IssueBlock
from hrv_shared.constants import (
    AGENT,
    AGENT_CALIBRATED,
    GUESS,
    MODEL_COMBINATION,
    NAIVE_FORECASTERS,
    PRODUCT,
    RULES,
    SLOTS,
)
from hrv_shared.issue import Issue
from hrv_shared.ledger import BOOKS
from hrv_shared.store import Store, write_bytes_atomic

__all__ = ["RANK", "ReliabilityView", "build_reliability", "write_reliability"]

RANK = (PRODUCT, MODEL_COMBINATION, AGENT_CALIBRATED, AGENT, RULES, GUESS)
"""The order in which forecasters are shown; others, then the naive rules, follow by name."""
PLOTS = ("reliability", "skill", "calendar")
ENOUGH_LIVE = 30


@dataclass(frozen=True)
class ReliabilityView:
    """A report and what its plots are drawn from: next-night rows of the focus' book and slot."""

    report: Reliability
    near: pl.DataFrame


def write_reliability(store: Store, issue: Issue, *, seed: int = 0) -> tuple[Reliability, list[Path]]:
    """Write the report of ``issue`` as HTML, JSON and three SVG plots under ``reports/reliability``.

    Returns
    -------
    report : Reliability
    files : list of Path
        HTML, JSON, plots, JSON Schema.
    """
    from data_intelligence.reliability.drawing import draw_reliability
    from data_intelligence.reliability.page import reliability_html

    view = build_reliability(store, issue, seed=seed)
    folder = store.reports_dir("reliability")
    drawn = dict(zip(view.report.plots, draw_reliability(view), strict=True))
    texts = {
        **drawn,
        "schema.json": json.dumps(Reliability.model_json_schema(), indent=1, sort_keys=True) + "\n",
        f"{issue.name}.html": reliability_html(view.report, tuple(drawn.values())),
        f"{issue.name}.json": json.dumps(
            view.report.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False
        )
        + "\n",
    }
    for name, text in texts.items():
        write_bytes_atomic(folder / name, text.encode("utf-8"))
    order = (f"{issue.name}.html", f"{issue.name}.json", *drawn, "schema.json")
    return view.report, [folder / name for name in order]


def build_reliability(store: Store, issue: Issue, *, seed: int = 0) -> ReliabilityView:
    """Score everything the ledger holds of the member as of the issue; a pure function of what was known then."""
    book = EvidenceBook()
    scores = scored_rows(store, issue.member_id, issue.as_of, before=issue.origin_day)
    rows = _in_order(segment_rows(scores, book, seed=seed))
    focus = _focus(scores, issue, book)
    values = _values(store, issue)
    near = scores.clear() if focus is None else scores.filter(
        ~pl.col("void"), pl.col("horizon") == 1, pl.col("book") == focus.book, pl.col("slot") == focus.slot
    )  # fmt: skip
    groups, misses = (), ()
    if focus is not None:
        own = near.filter(pl.col("forecaster") == focus.forecaster, pl.col("segment") == focus.segment)
        journal = store.read_table("journal_facts").filter(pl.col("member_id") == issue.member_id)
        alerts = raised_alerts(store, issue.member_id)
        alerted = {
            (row["origin_day"], str(fact.payload["kind"]))
            for row in own.iter_rows(named=True)
            for fact in alerts_of(alerts, row)
        }
        naive = near.filter(pl.col("forecaster").is_in(NAIVE_FORECASTERS))
        where = f"groups/{focus.book}/{focus.slot}/{focus.forecaster}/{focus.segment}"
        groups = group_rows(
            own, naive, values, event_facts(own, journal), alerted, book, where=where, seed=seed
        )
        misses = worst_misses(store, own, near, values, issue.as_of, book, alerts)
    good, bad = success_and_failure(groups)
    report = Reliability(
        issue=IssueBlock(**issue.describe()), headline=_headline(rows, focus), focus=focus, rows=rows, groups=groups,
        succeeds=good, fails=bad, misses=misses, plots=tuple(f"{issue.name}-{plot}.svg" for plot in PLOTS),
        unknown=tuple(_unknown(rows, focus, groups)), evidence=book.items(),
    )  # fmt: skip
    return ReliabilityView(report, near)


def _focus(scores: pl.DataFrame, issue: Issue, book: EvidenceBook) -> Focus | None:
    """The product (else mix) in the issue's slot: live when enough live nights are scored, else replayed."""
    near = scores.filter(~pl.col("void"), pl.col("horizon") == 1)
    slots = [issue.slot, *(s for s in SLOTS if s != issue.slot)]
    found = []
    for slot in slots:
        for name in BOOKS:
            for forecaster in (PRODUCT, MODEL_COMBINATION):
                own = near.filter(
                    pl.col("slot") == slot, pl.col("book") == name, pl.col("forecaster") == forecaster
                )
                if len(own):
                    segment = own.sort("n")["segment"][-1]
                    n = own.filter(pl.col("segment") == segment)["target_day"].n_unique()
                    found.append((slot != issue.slot, name == "live" and n < ENOUGH_LIVE, name, slot, forecaster,
                                  segment, n))  # fmt: skip
                    break
    if not found:
        return None
    _, _, name, slot, forecaster, segment, n = min(found, key=lambda f: (f[0], f[1], f[2] != "live"))
    words = {"live": "live forecasts", "replay": "replayed forecasts"}[name]
    few = "" if name == "live" else f" (fewer than {ENOUGH_LIVE} live nights have been scored)"
    place = f"segments/{name}/{slot}/{forecaster}/h1/{segment}"
    return Focus(
        book=name, slot=slot, forecaster=forecaster, segment=segment, n=n,
        sentence=f"Looked at closely: {forecaster}, next night, {slot}, {words}{few}, {n} nights.",
        evidence=book.cite("scores", f"next-night scores of {forecaster}", [place]),
    )  # fmt: skip


def _in_order(rows: tuple[SegmentRow, ...]) -> tuple[SegmentRow, ...]:
    def place(row: SegmentRow) -> tuple:
        naive = row.forecaster in NAIVE_FORECASTERS
        ranked = RANK.index(row.forecaster) if row.forecaster in RANK else len(RANK) + naive
        horizon = (row.horizons != "1", row.horizons != "2-7", row.horizons)
        return (row.book, row.slot, horizon, ranked, row.forecaster, not row.is_newest, row.first_day)

    return tuple(sorted(rows, key=place))


def _headline(rows: tuple[SegmentRow, ...], focus: Focus | None) -> str:
    if focus is None:
        return "Nothing has been scored yet: no forecast of ours has met its night."
    row = next(r for r in rows if r.is_newest and r.horizons == "1" and (r.book, r.slot, r.forecaster)
               == (focus.book, focus.slot, focus.forecaster))  # fmt: skip
    band = next(b for b in row.bands if b.nominal_pct == 80)
    held = f"its 80 % band held {band.observed_pct:.0f} % of {row.n} nights"
    if row.skill_low_pct is None or row.skill_pct is None:
        return f"{focus.forecaster}: {held}; its skill can't be told yet."
    told = {"better": "better than", "worse": "worse than"}.get(row.verdict, "not told apart from")
    return (
        f"{focus.forecaster} is {told} {row.reference}, the best naive rule: skill {row.skill_pct:+.1f} % "
        f"({row.skill_low_pct:+.1f} … {row.skill_high_pct:+.1f}); {held}."
    )


def _values(store: Store, issue: Issue) -> dict[date, float]:
    outcomes = store.ledger.outcomes(issue.member_id, issue.as_of)
    return dict(zip(outcomes["day"], outcomes["hrv_rmssd_ms"], strict=True))


def _unknown(rows: tuple[SegmentRow, ...], focus: Focus | None, groups: tuple) -> list[str]:
    said = []
    have = {r.forecaster for r in rows}
    missing = [name for name in RANK if name not in have]
    if missing:
        said.append(f"Not scored yet: {', '.join(missing)}.")
    if not any(r.book == "live" for r in rows):
        said.append("No live forecast has been scored yet; replays show the way, not a promise kept.")
    open_rows = [
        r for r in rows if r.is_newest and r.horizons == "1" and r.verdict == "cannot tell yet"
        and focus is not None and (r.book, r.slot) == (focus.book, focus.slot)
    ]  # fmt: skip
    said += [f"{r.forecaster} ({r.book}, {r.slot}): {r.power.sentence}." for r in open_rows]
    if groups:
        n = len(groups)
        said.append(
            f"{n} kinds of nights were looked at; about {max(round(0.1 * n), 1)} of them would stand out by chance "
            "alone."
        )
    void = sum(r.n_void for r in rows if r.horizons in ("1", "2-7"))
    if void:
        said.append(f"{void} rows were issued after their night had begun; they are not counted.")
    return said
