"""Alerts that were issued, and what became of them: scored from the record like forecasts.

Only the first revision of a day's alert counts. Rows that the wearer had told of are shown, never scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from data_intelligence.alert_rules import KINDS, RULES, came_true
from data_intelligence.nightly_channels import nightly_channels, told_days
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue
from hrv_shared.store import Store

__all__ = ["ALERT_FACT", "ScoredAlert", "brier_figures", "issued_alerts", "score_alerts", "score_table"]

ALERT_FACT = "alert"
MIN_DAYS, MIN_EVENTS = 30, 5
"""Below that many scored days, or that many days on which it came true, nothing is claimed."""


@dataclass(frozen=True)
class ScoredAlert:
    """One day's probability of one kind, with its outcome: True, False or None (it cannot be told yet)."""

    book: str
    kind: str
    day: date
    p: float
    raised: bool
    told: bool
    since_day: date | None
    sentence: str
    known_at: datetime
    version: str
    came_true: bool | None

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "book": self.book, "name": self.kind, "day": self.day.isoformat(), "probability": self.p,
            "raised": self.raised, "told": self.told,
            "since_day": None if self.since_day is None else self.since_day.isoformat(), "sentence": self.sentence,
            "known_at": self.known_at.isoformat(), "version": self.version, "came_true": self.came_true,
            "horizon_nights": RULES[self.kind].horizon_nights,
        }  # fmt: skip


def issued_alerts(store: Store, member_id: str) -> list[dict[str, Any]]:
    """The first revision of every alert fact, in the order of writing, with its ``known_at``."""
    first: dict[str, dict[str, Any]] = {}
    for fact in store.record.facts(ALERT_FACT, member_id):
        first.setdefault(fact.key, {**fact.payload, "known_at": fact.known_at})
    return list(first.values())


def score_alerts(store: Store, issue: Issue) -> list[ScoredAlert]:
    """Every alert of the issue's member with what is known of its outcome at ``issue.as_of``, oldest first."""
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    moment = issue.as_of.isoformat()
    issued = [alert for alert in issued_alerts(store, issue.member_id) if alert["as_of"] <= moment]
    return judged(issued, history)


def judged(alerts: list[dict[str, Any]], history: History) -> list[ScoredAlert]:
    """Apply the rules to payloads of alert facts."""
    nights = nightly_channels(history)
    said = {kind: told_days(history.journal, kind) for kind in KINDS}
    scored = []
    for alert in alerts:
        kind, day = alert["kind"], date.fromisoformat(alert["day"])
        outcome = None if alert["told"] else came_true(kind, day, alert["reference"], nights, said[kind])
        since = None if alert["since_day"] is None else date.fromisoformat(alert["since_day"])
        scored.append(
            ScoredAlert(
                alert["book"], kind, day, alert["probability"], alert["raised"], alert["told"], since,
                alert["sentence"], alert["known_at"], alert["version"], outcome,
            )
        )  # fmt: skip
    return sorted(scored, key=lambda a: (a.day, a.kind, a.book))


def score_table(scored: list[ScoredAlert]) -> list[dict[str, Any]]:
    """Brier score, base rate, precision and recall by book and kind; versions of the models are not pooled."""
    rows = []
    for book in ("live", "replay"):
        for kind in KINDS:
            own = [a for a in scored if a.book == book and a.kind == kind and not a.told]
            if not own:
                continue
            newest = own[-1].version
            counted = [a for a in own if a.version == newest and a.came_true is not None]
            p = np.array([a.p for a in counted])
            y = np.array([a.came_true for a in counted], dtype=float)
            figures = brier_figures(p, y, None, np.array([a.raised for a in counted], dtype=bool))
            rows.append(
                {"book": book, "name": kind, "version": newest, "open": len(own) - len(counted), **figures}
            )
    return rows


def brier_figures(
    p: np.ndarray, y: np.ndarray, raise_at: float | None, raised: np.ndarray | None = None
) -> dict[str, Any]:
    """Scores of daily probabilities ``p`` [N] against outcomes ``y`` [N].

    ``skill`` is one minus the Brier score over that of always saying the base rate (which is known only afterwards).
    """
    raised = p >= raise_at if raised is None else raised
    n, events = len(y), int(y.sum())
    enough = n >= MIN_DAYS and events >= MIN_EVENTS
    base = float(y.mean()) if n else None
    brier = float(np.mean((p - y) ** 2)) if n else None
    reference = base * (1 - base) if n else 0.0
    hits = int((y * raised).sum()) if n else 0
    return {
        "days": n, "days_true": events, "base_rate": _round(base), "brier": _round(brier),
        "brier_skill_pct": round(100 * (1 - brier / reference), 1) if enough and reference > 0 else None,
        "mean_probability": _round(float(p.mean())) if n else None, "raised_days": int(raised.sum()) if n else 0,
        "precision_days": _round(hits / raised.sum()) if n and raised.any() else None,
        "recall_days": _round(hits / events) if events else None,
        "verdict": "scored" if enough else f"cannot tell yet ({n} days scored, {events} came true)",
    }  # fmt: skip


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3)
