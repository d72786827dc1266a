"""The belief state: what is remembered of a wearer between forecasts, in a small JSON, made anew for every issue.

Code makes it, no language model: from the day's summary, the journal's facts, raised alerts, the post-mortems of the
agent's own forecasts and the wearer's edits, all as of the issue. Nothing of the state before goes into it, so the same
record gives the same bytes, and a replay of an old day remembers what could be remembered then. Each state is a fact
``belief_state`` (key: the book), known from its issue's as_of on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from hrv_shared.history import as_of_journal
from hrv_shared.issue import Issue
from hrv_shared.ontology import behaviours
from hrv_shared.record import SEEN, Fact, canonical_json
from hrv_shared.store import Store
from llm_agent.belief_edits import Edits, read_edits
from llm_agent.belief_lines import belief_lines
from llm_agent.own_errors import own_errors
from llm_agent.post_mortem import KIND as POST_MORTEM
from llm_agent.post_mortem import review
from llm_agent.stressors import Stressor, alerted_stressors, told_stressors

__all__ = ["KIND", "SCHEMA_VERSION", "Belief", "current_belief", "make_belief", "update_belief"]

KIND, SOURCE = "belief_state", "llm-agent"
SCHEMA_VERSION = "1.0"
REPLAYED = "inferred:replayed"
LEAST_CERTAINTY = 0.8
MOST_EFFECTS = 8
MEMORY_NIGHTS = 90
"""Post-mortems of older nights are not weighed any more."""


@dataclass(frozen=True)
class Belief:
    """A belief state.

    Attributes
    ----------
    payload : dict
        The JSON: schema_version, member_id, book, slot, as_of, origin_day, tonight, level, trend, stressors, effects,
        own_errors, edited, made_from (digests).
    """

    payload: dict[str, Any]

    @property
    def as_of(self) -> datetime:
        """Nothing that was learned later is in it, but for what was to be forgotten."""
        return datetime.fromisoformat(self.payload["as_of"])

    def lines(self) -> list[tuple[str, str]]:
        """At most six numbered lines for the briefing, under 120 tokens in all, what matters tonight first."""
        return belief_lines(self.payload)

    def digest(self) -> str:
        """Of its bytes."""
        return _digest(self.payload)


def current_belief(store: Store, member_id: str, book: str, as_of: datetime) -> Belief | None:
    """The state in force at an instant, with what was forgotten since taken out; None before the first."""
    fact = store.record.latest(KIND, member_id, as_of).get(book)
    if fact is None or fact.payload.get("schema_version") != SCHEMA_VERSION:
        return None
    edits = read_edits(store, member_id, as_of)
    if edits.erased_at is not None and fact.known_at <= edits.erased_at:
        return None
    return Belief(_edited(fact.payload, edits))


def update_belief(store: Store, issue: Issue) -> Belief | None:
    """Make the state of an issue and enter it; None while there is no summary of the issue.

    Forecasts whose night is known are reviewed first, so that a replay that walks through the days remembers each.
    """
    path = store.reports_dir("daily") / f"{issue.name}.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if (summary["issue"]["book"], summary["issue"]["origin_day"]) != (
        issue.book,
        issue.origin_day.isoformat(),
    ):
        return None
    review(store, issue.member_id)
    belief = make_belief(store, issue, summary)
    # one state an issue: a summary that was written again numbers its evidence anew and knows nothing new
    known = any(
        fact.key == issue.book and fact.known_at == issue.as_of
        for fact in store.record.facts(KIND, issue.member_id, issue.as_of, known_since=issue.as_of)
    )
    if not known:
        store.record.append(
            issue.member_id, KIND, issue.book, belief.payload, known_at=issue.as_of,
            basis=SEEN if issue.book == "live" else REPLAYED, source=SOURCE,
        )  # fmt: skip
    return belief


def make_belief(store: Store, issue: Issue, summary: dict[str, Any]) -> Belief:
    """The state of an issue from the record as of it and the issue's summary."""
    facts = store.read_table("journal_facts").filter(pl.col("member_id") == issue.member_id)
    journal = as_of_journal(facts, issue.as_of)
    edits = read_edits(store, issue.member_id, issue.as_of)
    reviewed = [
        fact
        for key, fact in sorted(store.record.latest(POST_MORTEM, issue.member_id, issue.as_of).items())
        if fact.payload["book"] == issue.book
        and 0 < (issue.origin_day - date.fromisoformat(fact.payload["origin_day"])).days <= MEMORY_NIGHTS
        and not edits.hides("", fact.known_at)
    ]
    told = told_stressors(journal, issue.origin_day)
    alerts = alerted_stressors(summary.get("alerts", ()), told, issue.as_of, issue.origin_day)
    payload: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION, "member_id": issue.member_id, "book": issue.book, "slot": issue.slot,
        "as_of": issue.as_of.isoformat(), "origin_day": issue.origin_day.isoformat(),
        "tonight": sorted({fact["behaviour"] for fact in summary["tonight_facts"]}),
        "level": _level(summary), "trend": _trend(summary),
        "stressors": [s.describe() for s in _by_weight([*told, *alerts])],
        "effects": _effects(summary, journal),
        "own_errors": own_errors([_without_forgotten(fact, edits) for fact in reviewed]), "edited": [],
        "made_from": {
            "summary": _digest(summary), "journal": _digest(journal.write_json()),
            "post_mortems": _digest([fact.sha256 for fact in reviewed]),
        },
    }  # fmt: skip
    return Belief(_edited(payload, edits))


def _without_forgotten(fact: Fact, edits: Edits) -> dict[str, Any]:
    """A post-mortem without the reasons and causes that were forgotten since."""
    told = fact.payload
    return told | {
        key: [row for row in told[key] if not edits.hides(row[name] or "", fact.known_at)]
        for key, name in (("levers", "behaviour"), ("suspected_causes", "name"))
    }


def _edited(payload: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """The wearer's edits laid over a state; the same again when they lie there already."""
    origin = date.fromisoformat(payload["origin_day"])
    stressors = [
        s
        for s in payload["stressors"]
        if s["source"] != "wearer" and not edits.hides(s["name"], datetime.fromisoformat(s["known_at"]))
    ]
    effects = [
        {k: v for k, v in e.items() if k != "said_by_wearer_ms"}
        for e in payload["effects"]
        if not edits.hides(e["behaviour"], datetime.fromisoformat(e["known_at"]))
    ]
    own = payload["own_errors"]
    gone = {name for name, at in edits.forgotten.items() if at >= datetime.fromisoformat(payload["as_of"])}
    own = own | {
        "levers": [lever for lever in own["levers"] if lever["behaviour"] not in gone],
        "recent": [miss for miss in own["recent"] if not gone & set(miss["names"])],
    }
    for fact in edits.added:
        told = fact.payload
        if told["op"] == "effect":
            effects = _said_better(effects, told, fact.known_at)
        until = date.fromisoformat(told["until_day"]) if "until_day" in told else origin
        if told["op"] == "keep":
            stressors = [
                s | {"until_day": told["until_day"]} if s["name"] == told["name"] else s for s in stressors
            ]
        elif told["op"] == "stressor" and until > origin:
            mine = Stressor(
                told["name"], told["text"], fact.known_at.date(), until, fact.known_at, "wearer", told["direction"],
                f"belief_edit/{fact.key}",
            )  # fmt: skip
            stressors.append(mine.describe())
    stressors = [s for s in stressors if date.fromisoformat(s["until_day"]) > origin]
    edited = sorted(fact.sha256 for fact in edits.added)
    return payload | {"stressors": stressors, "effects": effects, "own_errors": own, "edited": edited}


def _said_better(
    effects: list[dict[str, Any]], told: dict[str, Any], known_at: datetime
) -> list[dict[str, Any]]:
    mine = {"said_by_wearer_ms": told["effect_ms"]}
    if any(e["behaviour"] == told["name"] for e in effects):
        return [e | mine if e["behaviour"] == told["name"] else e for e in effects]
    blank = dict.fromkeys(("effect_ms", "low80_ms", "high80_ms", "n_yes", "label", "evidence"))
    text = told["name"].replace("_", " ")
    return [
        *effects,
        {"behaviour": told["name"], "text": text, "known_at": known_at.isoformat()} | blank | mine,
    ]


def _by_weight(stressors: list[Stressor]) -> list[Stressor]:
    """What the wearer told before what was noticed, what lasts longer first."""
    return sorted(stressors, key=lambda s: (s.source != "journal", -s.until_day.toordinal(), s.name))


def _effects(summary: dict[str, Any], journal: pl.DataFrame) -> list[dict[str, Any]]:
    """The largest personal effects whose sign is known, each with when its behaviour was last heard of."""
    heard = dict(journal.group_by("behaviour").agg(pl.col("known_at").max()).iter_rows())
    rows = [
        {k: row[k] for k in ("behaviour", "text", "effect_ms", "low80_ms", "high80_ms", "n_yes", "label", "evidence")}
        | {"known_at": heard[row["behaviour"]].isoformat()}
        for row in summary.get("effects", ())
        if row.get("shown", True) and row["label"] != "too little data" and not row["retrospective"]
        and row["behaviour"] in heard and not getattr(behaviours().get(row["behaviour"]), "private", False)
        and max(row["p_negative"], 1 - row["p_negative"]) >= LEAST_CERTAINTY
    ]  # fmt: skip
    return sorted(rows, key=lambda r: (-abs(r["effect_ms"]), r["behaviour"]))[:MOST_EFFECTS]


def _level(summary: dict[str, Any]) -> dict[str, Any]:
    baseline, band = summary["baseline"], (summary.get("trends") or {}).get("band") or {}
    return {
        "mean_7d_ms": baseline["mean_7d_ms"], "mean_60d_ms": baseline["mean_60d_ms"],
        "position": band.get("position", "unknown"), "low_ms": band.get("low_ms"), "high_ms": band.get("high_ms"),
        "evidence": band.get("evidence") or baseline.get("evidence"),
    }  # fmt: skip


def _trend(summary: dict[str, Any]) -> dict[str, Any]:
    shifts = (summary.get("trends") or {}).get("level_shifts") or ()
    last = shifts[-1] if shifts else None
    return {
        "step_since_day": last and last["since_day"], "step_pct": last and last["change_pct"],
        "evidence": last and last["evidence"],
    }  # fmt: skip


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]
