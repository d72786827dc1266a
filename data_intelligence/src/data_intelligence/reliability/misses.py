"""The worst misses: what came, what each forecaster had said, and what was known when it was said."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from data_intelligence.alert_scores import ALERT_FACT
from data_intelligence.evidence import EvidenceBook
from data_intelligence.reliability.layout import Fact as KnownFact
from data_intelligence.reliability.layout import Miss, Word
from data_intelligence.tonight import fact_text
from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.history import as_of_journal
from hrv_shared.record import Fact
from hrv_shared.store import Store

__all__ = ["Alerts", "alerts_of", "explain_night", "post_mortem_of", "raised_alerts", "worst_misses"]

Alerts = dict[tuple[str, date], list[Fact]]

SHOWN_MISSES, USUAL_DAYS, USUAL_NIGHTS = 5, 28, 7
AT = {
    name: QUANTILE_LEVELS.index(level) for name, level in (("p10_ms", 0.1), ("p50_ms", 0.5), ("p90_ms", 0.9))
}


def worst_misses(
    store: Store, own: pl.DataFrame, everybody: pl.DataFrame, values: dict[date, float], as_of: datetime,
    book: EvidenceBook, alerts: Alerts, *, shown: int = SHOWN_MISSES,
) -> tuple[Miss, ...]:  # fmt: skip
    """The nights with the largest CRPS of ``own``, told in full.

    Parameters
    ----------
    own : DataFrame
        Next-night scores of the forecaster looked at, without void rows.
    everybody : DataFrame
        Next-night scores of all forecasters in the same book and slot.
    values : dict day -> ms
        What came true.
    alerts : Alerts
        ``raised_alerts`` of the member.
    """
    worst = own.sort(["crps_ms", "target_day"], descending=[True, False]).head(shown)
    return tuple(
        explain_night(
            store,
            row,
            everybody.filter(pl.col("target_day") == row["target_day"]),
            values,
            as_of,
            book,
            alerts,
        )
        for row in worst.iter_rows(named=True)
    )


def explain_night(
    store: Store, row: dict[str, Any], everybody: pl.DataFrame, values: dict[date, float], as_of: datetime,
    book: EvidenceBook, alerts: Alerts,
) -> Miss:  # fmt: skip
    """One night: what came, who had said what, and what was known at the issue."""
    day, came = row["target_day"], row["hrv_rmssd_ms"]
    past = [
        values[d]
        for i in range(1, USUAL_DAYS + 1)
        if (d := row["origin_day"] - timedelta(days=i - 1)) in values
    ]
    usual = float(np.median(past)) if len(past) >= USUAL_NIGHTS else None
    words = _words(store, row, everybody, book)
    own = next(w for w in words if w.forecaster == row["forecaster"])
    text, cited = post_mortem_of(store, row, as_of, book)
    beside = "" if usual is None else f"; your usual then was {usual:.0f} ms"
    side = "below" if came < own.p50_ms else "above"
    inside = "inside" if own.in_80 else "outside"
    return Miss(
        target_day=day, hrv_rmssd_ms=round(came, 1), usual_ms=None if usual is None else round(usual, 1),
        sentence=f"{came:.0f} ms came, {abs(came - own.p50_ms):.0f} ms {side} the {own.p50_ms:.0f} ms that "
        f"{row['forecaster']} had said, {inside} its 80 % band{beside}.",
        words=words, known=_known(store, row, book, alerts), post_mortem=text, post_mortem_evidence=cited,
        evidence=book.cite("derived", f"what came on {day}, and the 28 nights before it",
                           [f"outcomes/{day}", f"outcomes/{row['origin_day'] - timedelta(days=USUAL_DAYS - 1)}.."
                            f"{row['origin_day']}"]),
    )  # fmt: skip


def raised_alerts(store: Store, member_id: str) -> Alerts:
    """The alerts that were raised, by book and origin day, as the record keeps them."""
    found: Alerts = {}
    for fact in store.record.facts(ALERT_FACT, member_id):
        if fact.payload.get("raised"):
            day = date.fromisoformat(fact.payload["day"])
            found.setdefault((fact.payload["book"], day), []).append(fact)
    return found


def alerts_of(alerts: Alerts, row: dict[str, Any]) -> list[Fact]:
    """Those that stood when the forecast of ``row`` was made."""
    held = alerts.get((row["book"], row["origin_day"]), [])
    return [fact for fact in held if datetime.fromisoformat(fact.payload["as_of"]) <= row["as_of"]]


def post_mortem_of(
    store: Store, row: dict[str, Any], as_of: datetime, book: EvidenceBook
) -> tuple[str | None, str | None]:
    """The agent's post-mortem of the issue in words, and where it stands in the record."""
    key = f"{row['book']}:{row['member_id']}-{row['origin_day'].isoformat()}-{row['slot']}"
    fact = store.record.latest("post_mortem", row["member_id"], as_of).get(key)
    if fact is None:
        return None, None
    told = next(
        (fact.payload[k] for k in ("text", "sentence", "words", "summary") if k in fact.payload), None
    )
    text = str(told) if told else json.dumps(fact.payload, sort_keys=True, ensure_ascii=False)
    return text, book.cite("record", "post-mortem of the issue", [f"record/post_mortem/{key}"])


def _words(
    store: Store, row: dict[str, Any], everybody: pl.DataFrame, book: EvidenceBook
) -> tuple[Word, ...]:
    rows = store.ledger.forecasts(
        row["book"], row["member_id"], slot=row["slot"], origin_day=row["origin_day"]
    )
    said = {r["n"]: r for r in rows.iter_rows(named=True)}
    words = []
    for score in everybody.sort("crps_ms", "forecaster").iter_rows(named=True):
        ledger = said[score["n"]]
        reasons = json.loads(ledger["reasons"]) if ledger["reasons"] else {}
        quantiles = {name: round(ledger["quantiles_ms"][at], 1) for name, at in AT.items()}
        place = f"ledger/{ledger['book']}/{ledger['n']}/{ledger['hash']}"
        words.append(
            Word(
                forecaster=score["forecaster"], version=score["version"], segment=score["segment"],
                issued_at=score["issued_at"], **quantiles, crps_ms=round(score["crps_ms"], 2), in_80=score["in_80"],
                rationale=str(reasons.get("rationale") or ""),
                evidence=book.cite("ledger", f"{score['forecaster']} for {score['target_day']}", [place]),
            )
        )  # fmt: skip
    return tuple(words)


def _known(store: Store, row: dict[str, Any], book: EvidenceBook, alerts: Alerts) -> tuple[KnownFact, ...]:
    """Accepted journal facts about the night in force at the issue, and the alerts that stood then."""
    journal = store.read_table("journal_facts").filter(
        pl.col("member_id") == row["member_id"], pl.col("night") == row["target_day"]
    )
    facts = as_of_journal(journal, row["as_of"]).filter(pl.col("status") == "accepted")
    told = [
        KnownFact(kind="journal", text=fact_text(fact),
             evidence=book.cite("journal", f"journal: {fact['behaviour']}", [f"journal_facts/{fact['fact_key']}"]))
        for fact in facts.sort(pl.col("kind") == "no", "behaviour", "fact_key").iter_rows(named=True)
        if fact["behaviour"] != "free_note"
    ]  # fmt: skip
    for fact in alerts_of(alerts, row):
        kind = str(fact.payload["kind"])
        cited = book.cite("record", f"alert of {row['origin_day']}: {kind.replace('_', ' ')}",
                          [f"record/{ALERT_FACT}/{fact.key}"])  # fmt: skip
        told.append(KnownFact(kind="alert", text=str(fact.payload["sentence"] or kind), evidence=cited))
    return tuple(told)
