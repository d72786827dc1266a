"""The morning after: what the agent said of a night, what came, and which of its reasons held.

One fact ``post_mortem`` for each issue whose night 1 is known, keyed ``book:issue``; written once, and again only when
the night itself was scored anew. A live review is known from the moment it was made; a replayed one from the moment at
which its night had become known, so that a replay of the next day may remember it and one of the day itself can't.

A reason is judged against what was left of the outcome once the base median and the other reasons are taken away.
One night is noise for the most part: unless the night speaks three times more for one side, it is *cannot tell*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.constants import AGENT, AGENT_CALIBRATED, MEDIAN_INDEX, MODEL_COMBINATION, PRODUCT
from hrv_shared.issue import Issue
from hrv_shared.quantile_tracking import half_width
from hrv_shared.record import SEEN
from hrv_shared.scoring import crps_from_quantiles, pit
from hrv_shared.store import Store
from llm_agent.after_the_issue import LateFact, learned_later
from llm_agent.recalibration import SD_OF_HALF_WIDTH, SEGMENT, SHIFT

__all__ = ["KIND", "MISSED", "judged_lever", "post_mortem", "review"]

KIND, SOURCE = "post_mortem", "llm-agent"
SCHEMA_VERSION = "1.0"
AFTER_KNOWN = timedelta(minutes=30)
"""A replayed review stands this long after its night became known."""
BASIS = "inferred:outcome-known"
TIMES_LIKELIER = 3.0
MISSED = 0.1
"""A night in the outer tenth on either side was missed."""
LITTLE = 0.02
"""Share of the mix's CRPS under which a correction changed nothing worth saying."""
VOICES = (AGENT, AGENT_CALIBRATED, MODEL_COMBINATION, PRODUCT)


@dataclass(frozen=True)
class _Night:
    issue: Issue
    rows: dict[str, dict[str, Any]]
    came_ms: float
    known_at: datetime


def review(store: Store, member_id: str, advance=lambda _amount=1.0, _note="": None) -> dict[str, Any]:
    """Write every post-mortem that is due; a second run writes nothing.

    Returns
    -------
    dict
        written (list of post-mortems), already, waiting (issues whose night is not known yet), void.
    """
    days, journal = store.read_table("days"), store.read_table("journal_facts")
    store.ledger.record_outcomes(days)
    held = store.record.latest(KIND, member_id)
    nights, waiting, void = _nights(store, member_id)
    written, already = [], 0
    for night in nights:
        key = f"{night.issue.book}:{night.issue.name}"
        if key in held and held[key].payload["came_ms"] == night.came_ms:
            already += 1
            continue
        live = night.issue.book == "live"
        seen_at = store.clock() if live else min(night.known_at + AFTER_KNOWN, store.clock())
        later = learned_later(days, journal, night.issue, _target(night), seen_at)
        told = post_mortem(night.issue, night.rows, night.came_ms, later)
        store.record.append(
            member_id, KIND, key, told, known_at=seen_at, basis=SEEN if live else BASIS, source=SOURCE
        )
        written.append(told)
        advance(1.0)
    return {"written": written, "already": already, "waiting": waiting, "void": void}


def post_mortem(
    issue: Issue, rows: dict[str, dict[str, Any]], came_ms: float, later: Iterable[LateFact]
) -> dict[str, Any]:
    """What was said, what came, and what is to be learned of it.

    Parameters
    ----------
    rows : dict of ledger rows of night 1 by forecaster
        ``agent``, and those of ``agent_calibrated``, ``mix`` and ``final`` that are there.
    later : iterable of LateFact
        What became known of the night only after the issue.
    """
    agent = rows[AGENT]
    reasons = json.loads(agent["reasons"]) if agent["reasons"] else {}
    said, q = np.array(agent["quantiles_ms"]), np.array(rows.get(MODEL_COMBINATION, agent)["quantiles_ms"])
    shift = float(reasons.get(SHIFT, 0.0))
    base = float(said[MEDIAN_INDEX]) - shift
    noise = float(q[MEDIAN_INDEX] * half_width(q) / SD_OF_HALF_WIDTH)
    crps = {name: round(_crps(rows[name], came_ms), 3) for name in VOICES if name in rows}
    place = float(pit(said[None], np.array([came_ms]))[0])
    residual = came_ms - base
    taken = [lever for lever in reasons.get("levers", ()) if lever.get("taken_ms")]
    levers = [judged_lever(lever, residual, shift, noise) for lever in taken]
    missed = not MISSED <= place <= 1 - MISSED
    miss = "down" if place < 0.5 else "up"
    told = [fact.describe() for fact in later]
    payload: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION, "issue": issue.name, "book": issue.book, "slot": issue.slot,
        "origin_day": issue.origin_day.isoformat(), "target_day": agent["target_day"].isoformat(),
        "segment": str(reasons.get(SEGMENT, "none")),
        "said": {
            "median_ms": _one(said[MEDIAN_INDEX]), "p10_ms": _one(said[3]), "p90_ms": _one(said[19]),
            "shift_ms": _one(shift), "base_median_ms": _one(base), "rationale": str(reasons.get("rationale", "")),
        },
        "came_ms": came_ms, "residual_ms": _one(residual), "noise_sd_ms": _one(noise), "pit": round(place, 3),
        "crps_ms": crps, "effect_of_the_move": _effect(shift, crps), "levers": levers, "missed": missed,
        "learned_later": told,
        "suspected_causes": [fact for fact in told if missed and fact["direction"] in (miss, "unknown")],
    }  # fmt: skip
    return {**payload, "text": _text(payload)}


def judged_lever(
    lever: dict[str, Any], residual_ms: float, shift_ms: float, noise_ms: float
) -> dict[str, Any]:
    """Whether one reason held, given the others as they were taken.

    ``verdict``: right, wrong (nothing of it came), wrong sign, understated, or cannot tell.
    """
    taken = float(lever.get("taken_ms", 0.0))
    left = residual_ms - (shift_ms - taken)
    odds = (taken * left - taken**2 / 2) / noise_ms**2
    limit = float(np.log(TIMES_LIKELIER))
    if taken == 0 or noise_ms <= 0 or abs(odds) < limit:
        verdict = "cannot tell"
    elif odds < 0:
        verdict = "wrong sign" if left * taken < 0 and abs(left) > noise_ms else "wrong"
    else:
        verdict = "understated" if abs(left) > abs(taken) + 1.64 * noise_ms else "right"
    return {
        "id": lever.get("id"), "text": lever.get("text", ""), "behaviour": lever.get("behaviour"),
        "kind": lever.get("kind"), "taken_ms": _one(taken), "left_ms": _one(left), "verdict": verdict,
    }  # fmt: skip


def _nights(store: Store, member_id: str) -> tuple[list[_Night], int, int]:
    """Issues of the agent whose night 1 is known, oldest first; how many wait, and how many are void."""
    rows_of = [store.ledger.forecasts(None, member_id, forecaster=name) for name in VOICES]
    frame = pl.concat(rows_of).filter(pl.col("horizon") == 1)
    outcomes = {row["day"]: row for row in store.ledger.outcomes(member_id).iter_rows(named=True)}
    issues: dict[tuple[str, str, date], dict[str, dict[str, Any]]] = {}
    for row in frame.sort("book", "n").iter_rows(named=True):
        issues.setdefault((row["book"], row["slot"], row["origin_day"]), {})[row["forecaster"]] = row
    nights, waiting, void = [], 0, 0
    for (book, slot, origin), rows in issues.items():
        if AGENT not in rows:
            continue
        agent, came = rows[AGENT], outcomes.get(rows[AGENT]["target_day"])
        if came is None:
            waiting += 1
        elif came["night_began_at"] is not None and agent["issued_at"] > came["night_began_at"]:
            void += 1
        else:
            issue = Issue(member_id, book, slot, agent["as_of"], origin, 0)
            nights.append(_Night(issue, rows, came["hrv_rmssd_ms"], came["known_at"]))
    return sorted(nights, key=lambda n: (n.issue.as_of, n.issue.book)), waiting, void


def _target(night: _Night) -> date:
    return night.rows[AGENT]["target_day"]


def _crps(row: dict[str, Any], came_ms: float) -> float:
    return float(crps_from_quantiles(np.array([row["quantiles_ms"]]), np.array([came_ms]))[0])


def _effect(shift: float, crps: dict[str, float]) -> str:
    if MODEL_COMBINATION not in crps:
        return "unknown"
    gain = crps[MODEL_COMBINATION] - crps[AGENT]
    if abs(gain) <= LITTLE * crps[MODEL_COMBINATION]:
        return "no difference"
    return "helped" if gain > 0 else "harmed"


def _text(told: dict[str, Any]) -> str:
    said, crps = told["said"], told["crps_ms"]
    lines = [
        f"{told['target_day']}: said {said['median_ms']:.0f} ms ({said['p10_ms']:.0f} … {said['p90_ms']:.0f}), "
        f"came {told['came_ms']:.0f} ms" + ("; missed." if told["missed"] else "; inside the 80 % band.")
    ]
    if said["shift_ms"]:
        beside = f" (CRPS {crps[AGENT]:.1f} against the mix's {crps[MODEL_COMBINATION]:.1f} ms)" if (
            MODEL_COMBINATION in crps
        ) else ""  # fmt: skip
        lines.append(f"Moved {said['shift_ms']:+.1f} ms: {told['effect_of_the_move']}{beside}.")
    for lever in told["levers"]:
        lines.append(
            f"- {lever['text']}, {lever['taken_ms']:+.1f} ms: {lever['verdict']} "
            f"({lever['left_ms']:+.1f} ms came, one night is ±{told['noise_sd_ms']:.0f})"
        )
    if told["suspected_causes"]:
        lines.append("Suspected: " + "; ".join(fact["text"] for fact in told["suspected_causes"]) + ".")
    elif told["missed"]:
        lines.append("Nothing that was learned later explains it.")
    return "\n".join(lines)


def _one(value: float) -> float:
    return round(float(value), 1)
