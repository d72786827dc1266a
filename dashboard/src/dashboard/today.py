"""What the first page says: one sentence, the number, the week, why, and how new the data are."""

from __future__ import annotations

import json
from typing import Any

from dashboard.desk import Desk
from dashboard.errors import RoomMissing
from dashboard.fan import fan, strip
from dashboard.rooms import verb
from dashboard.why_parts import why_parts
from dashboard.words import chance_words, compared_words, day_words, lower_first
from hrv_shared.constants import AGENT, MODEL_COMBINATION, PRODUCT
from hrv_shared.errors import HrvError
from hrv_shared.issue import Issue
from hrv_shared.store import Store

__all__ = ["gather_today", "today"]

TELLING_MS = 1.0
"""A part below this is not called a reason."""
SHOWN_NIGHTS = 14


def today(desk: Desk) -> dict[str, Any]:
    """The first page's data, kept until the store changes or another issue is due."""
    with desk.store() as store:
        try:
            issue = verb("data_intelligence", "chosen_issue")(store, desk.settings.member_id)
        except HrvError as error:
            return _trouble(error)
    # `as_of` of a live issue is now; the rest says which one it is
    due = (issue.book, issue.slot, issue.origin_day)
    return desk.kept("today", lambda: gather_today(desk, issue), also=due)


def gather_today(desk: Desk, issue: Issue) -> dict[str, Any]:
    """Everything for the page; trouble is a sentence, never an old card in place of a new one."""
    with desk.store() as store:
        try:
            card = verb("data_intelligence", "today_card")(store, issue, seed=desk.settings.seed).model_dump(
                mode="json"
            )
        except HrvError as error:
            return _trouble(error)
        summary = _summary(store, card)
        parts = why_parts(store, desk.settings.member_id, card)
        said = _who_said_what(store, card)
        words = _words_understood(store, issue)
    return {
        "trouble": None,
        "card": card,
        "sentence": _sentence(card, parts),
        "chance": chance_words(card["tomorrow"]["p_above_baseline"]),
        "parts": parts,
        "strip": strip(card),
        "fan": fan(card, (summary or {}).get("nights", [])[-SHOWN_NIGHTS:]),
        "said": said,
        "words": words,
        "alerts": _alerts(card, summary),
        "matched": (summary or {}).get("matched_effects", []),
        "facts": (summary or {}).get("tonight_facts", []),
        "evidence": (summary or {}).get("evidence", {}),
        "unknown": (summary or {}).get("unknown", []),
        "fresh": _freshness(card, summary),
        "has_summary": summary is not None,
    }


def _trouble(error: HrvError) -> dict[str, Any]:
    return {"trouble": {"code": error.code, "message": str(error)}, "card": None}


def _summary(store: Store, card: dict[str, Any]) -> dict[str, Any] | None:
    """The summary that the card rests on, as JSON values."""
    if not card["report"]:
        return None
    name = f"{card['member_id']}-{card['origin_day']}-{card['slot']}.json"
    path = store.reports_dir("daily") / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _sentence(card: dict[str, Any], parts: dict[str, Any] | None) -> str:
    """The whole page in one sentence."""
    night = card["tomorrow"]
    said = compared_words(night["p_above_baseline"])
    day = day_words(night["target_day"])
    lead = (
        f"{day}: {said}" if said else f"{day}: most likely {night['p25_ms']:.0f} to {night['p75_ms']:.0f} ms"
    )
    reasons = [
        row for row in (parts or {}).get("rows", []) if row["is_fact"] and abs(row["ms"]) >= TELLING_MS
    ][:2]
    if not reasons or not said:
        return f"{lead}."
    against = [row for row in reasons if (row["ms"] < 0) == (night["p50_ms"] < (card["baseline_ms"] or 0))]
    if not against:
        return f"{lead}."
    return f"{lead}, mostly because of {' and '.join(lower_first(row['label']) for row in against)}."


def _who_said_what(store: Store, card: dict[str, Any]) -> list[dict[str, Any]]:
    """Tomorrow's median and bands of everybody who spoke for this issue: ours first, the single models last."""
    from datetime import date

    import polars as pl

    rows = store.ledger.forecasts(
        card["book"], card["member_id"], slot=card["slot"], origin_day=date.fromisoformat(card["origin_day"])
    )
    rows = rows.filter(pl.col("horizon") == 1).unique("forecaster", keep="last", maintain_order=True)
    names = {PRODUCT: "Our forecast", MODEL_COMBINATION: "The models together", AGENT: "The language model",
             "agent_calibrated": "The language model, corrected by its past", "rules": "Your effects, added up",
             "guess": "Your own guess"}  # fmt: skip
    order = list(names)
    weights = {}
    told = []
    for row in rows.iter_rows(named=True):
        reasons = json.loads(row["reasons"]) if row["reasons"] else {}
        if row["forecaster"] == PRODUCT:
            weights = reasons.get("weights", {})
        q = row["quantiles_ms"]
        told.append({
            "forecaster": row["forecaster"], "name": names.get(row["forecaster"]),
            "version": row["version"], "p10_ms": round(q[3], 1), "p25_ms": round(q[6], 1), "p50_ms": round(q[11], 1),
            "p75_ms": round(q[16], 1), "p90_ms": round(q[19], 1), "hash": row["hash"],
            "issued_at": row["issued_at"].isoformat(),
            "levers": [lv for lv in reasons.get("levers", []) if isinstance(lv, dict) and lv.get("taken_ms")],
        })  # fmt: skip
    for row in told:
        row["weight"] = weights.get(row["forecaster"])
    named = [row for row in told if row["name"]]
    members = sorted((row for row in told if not row["name"]), key=lambda row: row["forecaster"])
    return sorted(named, key=lambda row: order.index(row["forecaster"])) + members


def _words_understood(store: Store, issue: Issue) -> dict[str, Any] | None:
    """How the language model read each sentence of the note, where it did."""
    try:
        return verb("llm_agent", "words_understood")(store, issue)
    except RoomMissing:
        return None


def _alerts(card: dict[str, Any], summary: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What is unusual: the summary's alerts, and of the anomalies those that it does not name already."""
    raised = (summary or {}).get("alerts", [])
    alerts = [
        {"name": a.get("name") or a.get("kind"), "sentence": a["sentence"]}
        for a in raised
        if a.get("sentence")
    ]
    said = {a["sentence"] for a in alerts}
    return alerts + [{"name": "unusual", "sentence": text} for text in card["anomalies"] if text not in said]


def _freshness(card: dict[str, Any], summary: dict[str, Any] | None) -> dict[str, Any]:
    """How new the data are, plainly."""
    told = (summary or {}).get("freshness")
    if not card["is_live"]:
        level = "old"
    elif told is None:
        level = "unknown"
    else:
        level = "fresh" if told["nights_behind"] == 0 else "behind"
    return {"level": level, "sentence": card["freshness"]}
