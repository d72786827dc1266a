"""The parts of a week: what was said of each night, the best and the worst call, effects at work, the one sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import polars as pl

from data_intelligence.daily import DayView
from data_intelligence.evidence import EvidenceBook
from data_intelligence.reliability.layout import Miss
from data_intelligence.reliability.misses import explain_night, raised_alerts
from data_intelligence.summary import NightRow
from data_intelligence.weekly_layout import Call, SeenEffect, WeekMeans, WeekScore
from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.store import Store

__all__ = ["best_and_worst", "calls_of", "seen_effects", "week_scores", "week_sentence"]

AT = {
    name: QUANTILE_LEVELS.index(level) for name, level in (("p10_ms", 0.1), ("p50_ms", 0.5), ("p90_ms", 0.9))
}
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def calls_of(
    store: Store, own: pl.DataFrame, nights: tuple[NightRow, ...], book: EvidenceBook
) -> tuple[Call, ...]:
    """Each night of the week beside what our forecast had said of it."""
    scored = {row["target_day"]: row for row in own.iter_rows(named=True)}
    calls = []
    for night in nights:
        row = scored.get(night.day)
        if row is None:
            calls.append(
                Call(day=night.day, state=night.state, hrv_rmssd_ms=night.hrv_rmssd_ms, forecaster=None, p10_ms=None,
                     p50_ms=None, p90_ms=None, off_ms=None, in_80=None, crps_ms=None, evidence=night.evidence)
            )  # fmt: skip
            continue
        quantiles = store.ledger.forecasts(
            row["book"], row["member_id"], slot=row["slot"], origin_day=row["origin_day"],
            forecaster=row["forecaster"],
        ).filter(pl.col("n") == row["n"])["quantiles_ms"][0]  # fmt: skip
        said = {name: round(quantiles[at], 1) for name, at in AT.items()}
        places = [f"ledger/{row['book']}/{row['n']}/{row['hash']}", f"outcomes/{night.day}"]
        calls.append(
            Call(
                day=night.day, state="scored", hrv_rmssd_ms=round(row["hrv_rmssd_ms"], 1), forecaster=row["forecaster"],
                **said, off_ms=round(row["hrv_rmssd_ms"] - row["median_ms"], 1), in_80=row["in_80"],
                crps_ms=round(row["crps_ms"], 2),
                evidence=book.cite("scores", f"{row['forecaster']} for {night.day} and what came", places),
            )
        )  # fmt: skip
    return tuple(calls)


def week_scores(week: pl.DataFrame, book: EvidenceBook) -> tuple[WeekScore, ...]:
    """Everybody's scores on the week's nights, best first; books apart."""
    rows = []
    for (name, forecaster), own in week.sort("book", "forecaster", "target_day").group_by(
        "book", "forecaster", maintain_order=True
    ):
        span = f"{own['target_day'].min()}..{own['target_day'].max()}"
        place = f"week/{name}/{own['slot'][0]}/{forecaster}/h1/{span}"
        rows.append(
            WeekScore(
                book=name, forecaster=forecaster, n=len(own), crps_ms=round(own["crps_ms"].mean(), 2),
                mae_ms=round(own["abs_error_ms"].mean(), 2), in_80=int(own["in_80"].sum()),
                evidence=book.cite("scores", f"{forecaster} on the week's nights, {name} book", [place]),
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda r: (r.book, r.crps_ms, r.forecaster)))


def best_and_worst(
    store: Store, own: pl.DataFrame, near: pl.DataFrame, came: dict[date, float], as_of: datetime,
    book: EvidenceBook,
) -> tuple[Miss | None, Miss | None]:  # fmt: skip
    """The nights of the smallest and the largest CRPS, told in full; the best only when there are two."""
    if own.is_empty():
        return None, None
    alerts = raised_alerts(store, own["member_id"][0])
    ranked = own.sort("crps_ms", "target_day")
    told = [
        explain_night(store, ranked.row(at, named=True),
                      near.filter(pl.col("target_day") == ranked["target_day"][at]), came, as_of, book, alerts)
        for at in ((0, -1) if len(ranked) > 1 else (-1,))
    ]  # fmt: skip
    return (told[0] if len(told) > 1 else None), told[-1]


def seen_effects(
    day: DayView, first: date, values: dict[date, float], carry: Callable, book: EvidenceBook
) -> tuple[SeenEffect, ...]:
    """Behaviours of the week whose effect lies within the budget for false findings, and how their nights came out."""
    last = day.summary.issue.origin_day
    facts = day.history.journal.filter(
        pl.col("status") == "accepted", pl.col("night").is_between(first, last)
    )
    noted: dict[str, set[date]] = {}
    for fact in facts.filter(pl.col("kind") != "no").iter_rows(named=True):
        noted.setdefault(fact["behaviour"], set()).add(fact["night"])
    seen = []
    for effect in day.summary.effects:
        nights = sorted(noted.get(effect.behaviour, ()))
        if effect.retrospective or not effect.shown or not nights:
            continue
        came = [values[night] for night in nights if night in values]
        places = [f"days/{night}/hrv_rmssd_ms" for night in nights]
        held = carry(effect)
        seen.append(
            SeenEffect(
                behaviour=effect.behaviour, text=effect.text, label=effect.label, effect_ms=effect.effect_ms,
                low80_ms=effect.low80_ms, high80_ms=effect.high80_ms, n_yes=effect.n_yes, nights=tuple(nights),
                week_mean_ms=round(float(np.mean(came)), 1) if came else None,
                week_evidence=book.cite("derived", f"mean of this week's nights after {effect.text}", places),
                evidence=held.evidence,
            )
        )  # fmt: skip
    return tuple(seen)


def week_sentence(
    means: WeekMeans, calls: tuple[Call, ...], worst: Miss | None, seen: tuple[SeenEffect, ...]
) -> str:
    """The week in one sentence; beside the furthest miss stands only what is known to move this wearer."""
    if means.mean_ms is None:
        start = f"Only {means.n_nights} nights of the week are known"
    else:
        change = ""
        if means.change_pct is not None:
            side = "above" if means.change_pct > 0 else "below"
            change = f", {abs(means.change_pct):.1f} % {side} the week before"
            change = ", level with the week before" if abs(means.change_pct) < 0.05 else change
        start = f"Your HRV averaged {means.mean_ms:.0f} ms over {means.n_nights} nights{change}"
    told = [call for call in calls if call.in_80 is not None]
    if not told or worst is None:
        return f"{start}; no forecast of ours could be held against it."
    held = sum(call.in_80 for call in told)
    off = next(call.off_ms for call in calls if call.day == worst.target_day)
    known = [effect.text for effect in seen if worst.target_day in effect.nights][:1]
    after = f", after {known[0]}" if known else ""
    return (
        f"{start}; the 80 % band of {told[0].forecaster} held {held} of {len(told)} nights, and the furthest miss was "
        f"{WEEKDAYS[worst.target_day.weekday()]} ({off:+.0f} ms{after})."
    )
