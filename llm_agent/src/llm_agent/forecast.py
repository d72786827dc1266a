"""The agent's forecast of one issue: brief, ask once, check, correct, enter into the ledger; or refuse visibly."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np

from hrv_shared.constants import AGENT, MODEL_COMBINATION
from hrv_shared.errors import Refusal
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.llm import ChatError, ChatModel
from hrv_shared.record import SEEN
from hrv_shared.store import Store
from llm_agent.briefing import Briefing, make_briefing, make_messages, prompt_digest
from llm_agent.correction import carry_over, correct_quantiles
from llm_agent.errors import ModelFailed, NoBriefing
from llm_agent.opinion import OPINION_SCHEMA, Opinion, check_opinion

__all__ = ["AgentResult", "agent_forecast"]

AgentResult = dict[str, Any]
SOURCE = "llm-agent"


def agent_forecast(store: Store, issue: Issue, open_model, *, seed: int = 0) -> AgentResult:
    """Issue the agent's rows, or record why there are none.

    Parameters
    ----------
    open_model : callable () -> ChatModel
        Called only when a forecast is due; may raise ``ChatError``.

    Returns
    -------
    dict
        ``status`` is ``issued``, ``already`` or ``refused``; with the opinion or the reason.

    Raises
    ------
    NoBriefing
        The summary or the models' combination of this issue is missing.
    """
    base = _combination(store, issue)
    if _has_spoken(store, issue):
        return {
            "status": "already",
            "issue": issue.describe(),
            "text": f"The agent has already spoken for {issue.name}.",
        }
    summary = _summary(store, issue)
    briefing = make_briefing(summary, _without_journal(base[1]), _journal(store, issue))
    try:
        reply = _ask(store, issue, open_model, briefing, seed)
        opinion = check_opinion(reply["parsed"], briefing)
    except Refusal as refusal:
        return _refuse(store, issue, refusal)
    rows = _rows(issue, base, briefing, opinion, reply)
    done = store.ledger.issue(issue.book, rows, utc_offset_min=issue.utc_offset_min)
    return {
        "status": "issued", "issue": issue.describe(), "rows": done.written, "opinion": _reasons(opinion, briefing),
        "seconds_llm": reply["seconds"], "model": reply["model_id"],
        "text": f"{opinion.shift_ms:+.1f} ms, spread x{opinion.sd_scale}: {opinion.rationale}",
    }  # fmt: skip


def _rows(
    issue: Issue, base: dict[int, dict], briefing: Briefing, opinion: Opinion, reply: dict
) -> list[ForecastRow]:
    shifts = carry_over(opinion.shift_ms, briefing.matched)
    rows = []
    for horizon, line in base.items():
        start = np.array(_without_journal(line) if horizon == 1 else line["quantiles_ms"])
        scale = opinion.sd_scale if horizon == 1 else 1.0
        quantiles = correct_quantiles(start, shifts[horizon], scale)
        rows.append(
            ForecastRow(
                issue.member_id, issue.slot, issue.as_of, issue.origin_day, line["target_day"], horizon, AGENT,
                f"{prompt_digest()}+{reply['model_id']}", tuple(float(q) for q in quantiles), line["hash"],
                _reasons(opinion, briefing) | {"shift_of_this_night_ms": round(shifts[horizon], 2)},
            )
        )  # fmt: skip
    return rows


def _reasons(opinion: Opinion, briefing: Briefing) -> dict[str, Any]:
    return {
        "rationale": opinion.rationale, "rationale_by": opinion.rationale_by, "evidence": list(opinion.evidence),
        "shift_ms": opinion.shift_ms, "raw_shift_ms": opinion.raw_shift_ms, "sd_scale": opinion.sd_scale,
        "matched_effects": [m["evidence"] for m in briefing.matched],
        "matched_sum_ms": round(briefing.matched_sum_ms, 2),
        "base_median_ms": round(briefing.base_median_ms, 2), "p_above_baseline_said": opinion.p_above_baseline_said,
        "dropped": list(opinion.dropped),
    }  # fmt: skip


def _ask(store: Store, issue: Issue, open_model, briefing: Briefing, seed: int) -> dict[str, Any]:
    messages = make_messages(briefing)
    try:
        model: ChatModel = open_model()
        try:
            answer = model.complete(
                messages, schema=OPINION_SCHEMA, max_tokens=320, temperature=0.0, seed=seed
            )
        finally:
            model.close()
    except ChatError as error:
        raise ModelFailed(str(error)) from error
    reply = {
        "parsed": answer.parsed, "text": answer.text, "model_id": answer.model_id, "seconds": round(answer.seconds, 1),
        "prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.completion_tokens,
    }  # fmt: skip
    store.record.append(
        issue.member_id, "llm_call", f"{issue.book}:{issue.name}",
        {"issue": issue.describe(), "messages": list(messages), "reply": reply, "seed": seed},
        known_at=store.clock(), basis=SEEN, source=SOURCE,
    )  # fmt: skip
    return reply


def _refuse(store: Store, issue: Issue, refusal: Refusal) -> AgentResult:
    payload = {"forecaster": AGENT, "code": refusal.code, "message": str(refusal), "issue": issue.describe()}
    store.record.append(
        issue.member_id, "refusal", f"{issue.book}:{issue.name}:{AGENT}", payload,
        known_at=store.clock(), basis=SEEN, source=SOURCE,
    )  # fmt: skip
    return {"status": "refused", **payload, "text": f"No opinion today: {refusal}"}


def _combination(store: Store, issue: Issue) -> dict[int, dict]:
    frame = store.ledger.forecasts(
        issue.book,
        issue.member_id,
        forecaster=MODEL_COMBINATION,
        slot=issue.slot,
        origin_day=issue.origin_day,
    ).unique("horizon", keep="last", maintain_order=True)
    if frame.is_empty():
        raise NoBriefing(f"There is no models' forecast for {issue.name} to correct. Run first: hrv forecast")
    return {row["horizon"]: row for row in frame.iter_rows(named=True)}


def _without_journal(row: dict) -> tuple[float, ...]:
    """The combination before tonight's journal moved it, so that no fact counts twice."""
    reasons = json.loads(row["reasons"]) if row["reasons"] else {}
    moved = float(reasons.get("journal_shift_ms", 0.0))
    if not moved:
        return tuple(row["quantiles_ms"])
    return tuple(float(q) for q in correct_quantiles(np.array(row["quantiles_ms"]), -moved, 1.0))


def _has_spoken(store: Store, issue: Issue) -> bool:
    return not store.ledger.forecasts(
        issue.book, issue.member_id, forecaster=AGENT, slot=issue.slot, origin_day=issue.origin_day
    ).is_empty()


def _summary(store: Store, issue: Issue) -> dict[str, Any]:
    path = store.reports_dir("daily") / f"{issue.name}.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoBriefing(f"There is no summary {path.name} to read. Run first: hrv report daily") from None
    if (
        date.fromisoformat(summary["issue"]["origin_day"]) != issue.origin_day
        or summary["issue"]["book"] != issue.book
    ):
        raise NoBriefing(f"The summary {path.name} belongs to another issue. Run again: hrv report daily")
    return summary


def _journal(store: Store, issue: Issue) -> list[str]:
    """What was said about the origin day and known by then, oldest first; a note that was undone was not said."""
    entries = store.record.latest("journal_entry", issue.member_id, issue.as_of).values()
    today = [
        entry
        for entry in entries
        if entry.payload.get("day") == issue.origin_day.isoformat()
        and entry.payload.get("transcript")
        and entry.payload.get("state") != "undone"
    ]
    return [entry.payload["transcript"] for entry in sorted(today, key=lambda e: (e.known_at, e.key))]
