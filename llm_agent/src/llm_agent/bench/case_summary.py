"""From a case's side to what the agent's public verb takes: a daily summary, base quantiles, journal words.

The summary has the layout of ``reports/daily/<issue>.json`` (a test holds it against the schema), with evidence ids
that resolve within it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hrv_shared.constants import MEDIAN_INDEX, MODEL_COMBINATION, QUANTILE_LEVELS
from llm_agent.bench.cases import EffectOnRecord, FactGiven, Side, State

__all__ = ["base_median_ms", "build_summary", "fact_text"]

SHOWN_LEVELS = {"p10_ms": 0.10, "p25_ms": 0.25, "p50_ms": 0.50, "p75_ms": 0.75, "p90_ms": 0.90}
P95_TO_P80 = 1.959964 / 1.281552
EVENING = time(20, 30)


def build_summary(state: State, side: Side) -> dict[str, Any]:
    """The daily summary of one side of a case."""
    ids = _Ids()
    day, context = state.origin_day, state.context.model_dump() | side.context
    as_of = datetime.combine(day, EVENING, UTC) - timedelta(minutes=state.utc_offset_min)
    known, last = state.baseline, state.nights_ms[-1]
    z = None if last is None else round((last - known.mean_60d_ms) / known.sd_60d_ms, 2)
    nights_id = ids.cite("days", "the last 28 nights")
    base_id = ids.cite("derived", "personal baseline of 60 days")
    load_id = ids.cite("days", "day strain")
    facts = [_fact_row(fact, ids) for fact in (*state.tonight_facts, *side.tonight_facts)]
    fit_id = ids.cite("fit", "joint effects fit")
    return {
        "schema_version": "1.0",
        "issue": {
            "member_id": state.member, "book": "replay", "slot": state.slot, "as_of": as_of.isoformat(),
            "origin_day": day.isoformat(), "utc_offset_min": state.utc_offset_min, "note": "a measured case",
        },
        "freshness": {
            "newest_known_at": as_of.isoformat(), "age_hours": 0.0, "last_scored_day": day.isoformat(),
            "nights_behind": 0, "sentence": "The data reach up to last night.", "evidence": nights_id,
        },
        "last_night": {
            "day": day.isoformat(), "state": "missing" if last is None else "scored", "hrv_rmssd_ms": last, "z": z,
            "sentence": "No value last night." if last is None else f"HRV last night was {last:.1f} ms (z {z:+.1f}).",
            "evidence": nights_id,
        },
        "nights": [
            {
                "day": (day - timedelta(days=27 - i)).isoformat(), "state": "missing" if value is None else "scored",
                "hrv_rmssd_ms": value, "evidence": nights_id,
            }
            for i, value in enumerate(state.nights_ms)
        ],
        "baseline": known.model_dump() | {
            "smallest_worthwhile_change_ms": round(0.5 * known.sd_60d_ms, 1),
            "cv_7d_pct": _cv(state.nights_ms[-7:]), "evidence": base_id,
        },
        "sleep_last_night": {
            "day": day.isoformat(), "asleep_h": context["asleep_h"], "efficiency_pct": context["efficiency_pct"],
            "performance_pct": None, "debt_h": context["debt_h"], "onset_local": context["onset_local"],
            "evidence": ids.cite("days", "sleep of last night"),
        },
        "resting_hr": [
            {
                "day": (day - timedelta(days=2 - i)).isoformat(), "state": "scored", "resting_hr_bpm": float(bpm),
                "evidence": ids.cite("days", "resting heart rate"),
            }
            for i, bpm in enumerate(context["resting_hr_bpm"])
        ],
        "load": {
            "acute_7d_strain": context["strain_7d"], "chronic_28d_strain": context["strain_28d"],
            "ratio": round(context["strain_7d"] / context["strain_28d"], 2), "n_7d": 7, "n_28d": 28,
            "today_strain_0_21": context["strain_today"], "today_is_final": False, "evidence": load_id,
        },
        "tonight_facts": facts,
        "matched_effects": [_matched(effect, facts, fit_id) for effect in side.matched_effects],
        "effects": [_effect_row(effect, fit_id) for effect in state.effects],
        "forecasts": list(_forecast_lines(state, ids)),
        "skill": [], "anomalies": [], "plots": [], "unknown": [],
        "alerts": [
            {"name": name, "sentence": name, "since_day": day.isoformat(), "probability": 0.8,
             "evidence": ids.cite("derived", name)}
            for name in state.alerts
        ],
        "evidence": ids.items,
    }  # fmt: skip


class _Ids:
    """Evidence ids E1, E2 … and what they stand for."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def cite(self, kind: str, what: str) -> str:
        key = f"E{len(self.items) + 1}"
        self.items[key] = {"kind": kind, "what": what, "where": [f"case/{what.replace(' ', '-')}"]}
        return key


def fact_text(fact: FactGiven) -> str:
    """A fact in the words of the summary: ``alcohol: 3 drinks``, ``planned bedtime: 23:30 (plan)``."""
    value = {"yes": "yes", "no": "no", "time": fact.clock_time, "text": fact.quote}.get(fact.kind)
    if value is None:
        amount = "amount not said" if fact.amount is None else f"{fact.amount:g}"
        value = f"{amount} {fact.unit}" if fact.unit else amount
    return f"{fact.behaviour.replace('_', ' ')}: {value}{' (plan)' if fact.is_plan else ''}"


def _fact_row(fact: FactGiven, ids: _Ids) -> dict[str, Any]:
    cited = ids.cite("journal", f"journal: {fact.behaviour}")
    return {"text": fact_text(fact), "confidence": 1.0, "evidence": cited} | fact.model_dump()


def _phrase(effect: EffectOnRecord) -> str:
    return f"{effect.text}: {effect.effect_ms:+.1f} ms (n={effect.n_yes}, sd {effect.night_sd_ms:.1f})"


def _matched(effect: EffectOnRecord, facts: Iterable[dict[str, Any]], cited: str) -> dict[str, Any]:
    of = next((f["evidence"] for f in facts if f["behaviour"] == effect.behaviour), cited)
    return effect.model_dump() | {"phrase": _phrase(effect), "fact_evidence": of, "evidence": cited}


def _effect_row(effect: EffectOnRecord, cited: str) -> dict[str, Any]:
    per_ms = effect.effect_pct / effect.effect_ms if effect.effect_ms else 0.0
    half = (effect.high80_ms - effect.low80_ms) / 2 * P95_TO_P80
    ends = {
        "low80_ms": effect.low80_ms, "high80_ms": effect.high80_ms,
        "low95_ms": effect.effect_ms - half, "high95_ms": effect.effect_ms + half,
    }  # fmt: skip
    percents = {name.replace("_ms", "_pct"): round(value * per_ms, 1) for name, value in ends.items()}
    clear = effect.label != "too little data" and ends["low95_ms"] * ends["high95_ms"] > 0
    return (
        effect.model_dump()
        | {name: round(value, 1) for name, value in ends.items()}
        | percents
        | {"retrospective": False, "clear": clear, "phrase": _phrase(effect), "evidence": cited}
    )


def _forecast_lines(state: State, ids: _Ids) -> Iterable[dict[str, Any]]:
    for horizon, quantiles in state.base_quantiles_ms.items():
        night = state.origin_day + timedelta(days=horizon)
        yield {
            "forecaster": MODEL_COMBINATION, "version": "case", "horizon": horizon, "target_day": night.isoformat(),
            "evidence": ids.cite("ledger", f"{MODEL_COMBINATION} night {horizon}"),
        } | {name: quantiles[QUANTILE_LEVELS.index(level)] for name, level in SHOWN_LEVELS.items()}  # fmt: skip


def _cv(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < 5:
        return None
    mean = sum(known) / len(known)
    return round(100 * (sum((v - mean) ** 2 for v in known) / (len(known) - 1)) ** 0.5 / mean, 1)


def base_median_ms(state: State) -> float:
    """The models' median of night 1."""
    return state.base_quantiles_ms[1][MEDIAN_INDEX]
