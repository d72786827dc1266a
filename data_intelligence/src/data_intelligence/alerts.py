"""Alerts of one issue: probability, sentence, evidence; issued into the record once a day and kind.

Every kind's probability is written every day, raised or not: only so can it be scored like a forecast, with a base rate
and the events that were missed. The wearer sees the raised ones.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from data_intelligence.alert_models import models_version
from data_intelligence.alert_rules import KINDS, RULES, RULES_VERSION
from data_intelligence.alert_scores import ALERT_FACT
from data_intelligence.alert_watch import Watch, watch_nights
from data_intelligence.alert_words import alert_cells, alert_sentence
from data_intelligence.evidence import EvidenceBook
from data_intelligence.nightly_channels import nightly_channels
from data_intelligence.trend_blocks import AlertRow
from hrv_shared.history import History
from hrv_shared.issue import Issue
from hrv_shared.record import SEEN, FactDraft
from hrv_shared.store import Store

__all__ = ["alert_payloads", "alert_rows", "issue_alerts", "watch_history"]

NOON_H, WATCHED_DAYS, SOURCE = 12, 400, "data_intelligence"


def watch_history(history: History, utc_offset_min: int = 0) -> Watch:
    """Watch the last 400 days of an as-of view; earlier rows see the journal as of their own noon.

    No sign looks back further than 90 days, so the last rows are those of the whole history.
    """
    nights = nightly_channels(history)
    nights = nights.rows(max(0, len(nights) - WATCHED_DAYS), len(nights))
    zone = timedelta(minutes=utc_offset_min)
    noons = [datetime(day.year, day.month, day.day, NOON_H, tzinfo=UTC) - zone for day in nights.days[:-1]]
    return watch_nights(nights, history.journal, [*noons, history.as_of] if len(nights) else [])


def alert_rows(watch: Watch, book: EvidenceBook) -> tuple[AlertRow, ...]:
    """What is raised on the last day, likeliest first."""
    rows = []
    for kind in KINDS:
        if not len(watch.nights) or not watch.raised[kind][-1]:
            continue
        since = watch.nights.days[int(watch.since[kind][-1])]
        rows.append(
            AlertRow(
                name=kind, sentence=alert_sentence(watch, kind), since_day=since,
                probability=round(float(watch.p[kind][-1]), 2), horizon_nights=RULES[kind].horizon_nights,
                told=bool(watch.told[kind][-1]), comes_true_when=RULES[kind].text,
                evidence=book.cite("derived", f"alert: {kind.replace('_', ' ')}", alert_cells(watch, kind)),
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (-row.probability, row.name)))


def issue_alerts(store: Store, issue: Issue, watch: Watch) -> int:
    """Write today's probabilities into the record, once for each kind and day; how many were new.

    A later issue of the same day, or the same one again, changes nothing: the first word is the one that is scored.
    """
    held = {fact.key for fact in store.record.facts(ALERT_FACT, issue.member_id)}
    drafts = []
    for payload in alert_payloads(watch, issue):
        key = f"{payload['book']}:{payload['day']}:{payload['kind']}"
        if key not in held:
            drafts.append(FactDraft(issue.member_id, ALERT_FACT, key, payload, store.clock(), SEEN, SOURCE))
    return store.record.append_many(drafts)


def alert_payloads(watch: Watch, issue: Issue) -> list[dict[str, Any]]:
    """The last row of every kind of which something can be said, as the record keeps it."""
    payloads = []
    for kind in KINDS:
        if not len(watch.nights) or watch.nights.days[-1] != issue.origin_day:
            continue
        p = watch.p[kind][-1]
        if not np.isfinite(p):
            continue
        raised, since = bool(watch.raised[kind][-1]), int(watch.since[kind][-1])
        payloads.append({
            "book": issue.book, "kind": kind, "day": issue.origin_day.isoformat(), "slot": issue.slot,
            "as_of": issue.as_of.isoformat(), "probability": round(float(p), 4), "raised": raised,
            "told": bool(watch.told[kind][-1]), "horizon_nights": RULES[kind].horizon_nights,
            "since_day": watch.nights.days[since].isoformat() if raised else None,
            "sentence": alert_sentence(watch, kind) if raised else "",
            "reference": watch.signs[kind].reference[-1], "version": f"{models_version()}, rules {RULES_VERSION}",
        })  # fmt: skip
    return payloads
