"""The Track record page: how good we have been, where we were wrong, and who is better, if that can be told."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from dashboard.desk import Desk
from hrv_shared.constants import AGENT, MODEL_COMBINATION, NAIVE_FORECASTERS, PRODUCT
from hrv_shared.scoring import scorecard
from hrv_shared.store import Store

__all__ = ["gather_track", "track"]

NIGHTS = 60
TELLING_NIGHTS = 30
WORST = 8
NAMES = {
    PRODUCT: "Our forecast", MODEL_COMBINATION: "The models together", AGENT: "The language model",
    "agent_calibrated": "The language model, corrected", "rules": "Your effects, added up", "guess": "Your own guess",
    "last_night": "As last night", "last_28": "Mean of 28 nights", "ewma_8": "Smoothed mean",
}  # fmt: skip


def track(desk: Desk) -> dict[str, Any]:
    """The page's data, kept until the store changes."""
    return desk.kept("track", lambda: gather_track(desk))


def gather_track(desk: Desk) -> dict[str, Any]:
    """Scores of the last 60 nights, live and replayed apart; nothing is claimed that the nights do not carry."""
    member = desk.settings.member_id
    with desk.store() as store:
        scores = store.read_table("scores").filter(pl.col("member_id") == member)
        if scores.is_empty():
            return {"books": [], "nights": [], "misses": [], "pit": [], "guess": None}
        book = "live" if (scores["book"] == "live").any() else "replay"
        books = [_book(scores, name, desk.settings.seed) for name in ("live", "replay")]
        nights = _nights(store, scores, member, book)
        return {
            "books": [b for b in books if b["rows"]], "book": book, "nights": nights,
            "misses": _misses(store, nights, member), "pit": _pit(scores, book),
        }  # fmt: skip


def _book(scores: pl.DataFrame, book: str, seed: int) -> dict[str, Any]:
    own = scores.filter(pl.col("book") == book, pl.col("horizon") == 1)
    if own.is_empty():
        return {"book": book, "rows": []}
    slot = "evening" if (own["slot"] == "evening").any() else "morning"
    own = own.filter(pl.col("slot") == slot)
    days = own["target_day"].unique().sort().tail(NIGHTS)
    own = own.filter(pl.col("target_day").is_in(days.implode()))
    rows = []
    for card in scorecard(own, seed=seed).iter_rows(named=True):
        if not card["n"]:
            continue
        is_reference = card["forecaster"] == card["reference"]
        rows.append({
            "forecaster": card["forecaster"],
            "name": NAMES.get(card["forecaster"], card["forecaster"].replace("_", " ")),
            "n": card["n"], "crps_ms": _round(card["crps_ms"], 2), "mae_ms": _round(card["mae_ms"], 1),
            "skill_pct": _pct(card["skill"]), "low_pct": _pct(card["skill_low"]), "high_pct": _pct(card["skill_high"]),
            "cover_50_pct": _pct(card["cover_50"]), "cover_80_pct": _pct(card["cover_80"]),
            "cover_95_pct": _pct(card["cover_95"]), "is_reference": is_reference,
            "is_ours": card["forecaster"] in (PRODUCT, MODEL_COMBINATION, AGENT, "agent_calibrated", "rules", "guess"),
            "is_naive": card["forecaster"] in NAIVE_FORECASTERS,
            "verdict": _verdict(card, is_reference),
        })  # fmt: skip
    order = {name: k for k, name in enumerate(NAMES)}
    rows.sort(key=lambda row: (order.get(row["forecaster"], 99), row["crps_ms"]))
    return {"book": book, "slot": slot, "nights": len(days), "rows": rows}


def _verdict(card: dict[str, Any], is_reference: bool) -> str:
    """``better``, ``worse`` or ``cannot tell yet``: 30 nights at least, and an interval on one side of zero."""
    low, high = _pct(card["skill_low"]), _pct(card["skill_high"])  # as they are shown
    if is_reference:
        return "best simple rule"
    if card["n"] < TELLING_NIGHTS or low is None or high is None or low <= 0 <= high:
        return "cannot tell yet"
    return "better" if low > 0 else "worse"


def _nights(store: Store, scores: pl.DataFrame, member: str, book: str) -> list[dict[str, Any]]:
    """What we said of each of the last nights, and what came true."""
    ours = scores.filter(pl.col("book") == book, pl.col("horizon") == 1, ~pl.col("void"))
    name = PRODUCT if (ours["forecaster"] == PRODUCT).any() else MODEL_COMBINATION
    slot = "evening" if (ours["slot"] == "evening").any() else "morning"
    ours = ours.filter(pl.col("forecaster") == name, pl.col("slot") == slot).sort("target_day").tail(NIGHTS)
    said = store.ledger.forecasts(book, member, forecaster=name, slot=slot).filter(pl.col("horizon") == 1)
    joined = ours.join(said.select("n", "quantiles_ms", "hash"), on="n")
    return [
        {
            "day": row["target_day"].isoformat(), "origin_day": row["origin_day"].isoformat(), "slot": slot,
            "p10_ms": round(row["quantiles_ms"][3], 1), "p50_ms": round(row["quantiles_ms"][11], 1),
            "p90_ms": round(row["quantiles_ms"][19], 1), "truth_ms": round(row["hrv_rmssd_ms"], 1),
            "crps_ms": round(row["crps_ms"], 2), "in_80": row["in_80"], "hash": row["hash"], "book": book,
        }
        for row in joined.iter_rows(named=True)
    ]  # fmt: skip


def _misses(store: Store, nights: list[dict[str, Any]], member: str) -> list[dict[str, Any]]:
    """The worst misses with what was said of them afterwards."""
    told: dict[str, dict[str, Any]] = {}
    for fact in store.record.facts("post_mortem", member):
        told[fact.key] = fact.payload
    worst = sorted((n for n in nights if not n["in_80"]), key=lambda n: -n["crps_ms"])[:WORST]
    found = []
    for night in worst:
        key = f"{night['book']}:{member}-{night['origin_day']}-{night['slot']}"
        found.append(night | {"post_mortem": _post_mortem_words(told.get(key))})
    return found


def _post_mortem_words(payload: dict[str, Any] | None) -> str:
    if not payload:
        return ""
    for name in ("text", "sentence"):
        if isinstance(payload.get(name), str):
            return payload[name]
    return json.dumps(payload, ensure_ascii=False)[:400]


def _pit(scores: pl.DataFrame, book: str) -> list[dict[str, Any]]:
    """In which tenth of our bands the truth fell; a calibrated forecaster has a tenth of the nights in each."""
    own = scores.filter(
        pl.col("book") == book, pl.col("horizon") == 1, ~pl.col("void"),
        pl.col("forecaster").is_in([PRODUCT, MODEL_COMBINATION]),
    )  # fmt: skip
    name = PRODUCT if (own["forecaster"] == PRODUCT).any() else MODEL_COMBINATION
    values = own.filter(pl.col("forecaster") == name)["pit"].to_list()
    tenths = [0] * 10
    for value in values:
        tenths[min(int(value * 10), 9)] += 1
    return [
        {"tenth": k + 1, "nights": n, "share_pct": round(100 * n / max(len(values), 1), 1)}
        for k, n in enumerate(tenths)
    ]


def _pct(value: float | None) -> float | None:
    return None if value is None or value != value else round(100 * value, 1)


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
