"""The agent's day: gather the briefing, ask, and enter what it said, the same recalibrated, and the rules' answer.

A failed call is a visible refusal; no one else's number is ever issued in the agent's name. The rules' answer (the
matched effects summed in code) is issued beside it, so that what the model adds can be seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

import numpy as np

from hrv_shared.constants import AGENT, HORIZONS, MEDIAN_INDEX, MODEL_COMBINATION, RULES
from hrv_shared.errors import Refusal
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.llm import ChatError
from hrv_shared.past_scores import known_scores
from hrv_shared.record import SEEN, canonical_json
from hrv_shared.store import Store
from llm_agent.address import address_screen
from llm_agent.answer import (
    CONTESTED_SPREAD,
    OWN_WORD_SURE,
    SAMPLES,
    TEMPERATURE,
    UNSURE_SHARE,
    Answer,
    Style,
    ask_about,
    ask_agent,
    questions_for,
)
from llm_agent.belief import current_belief, update_belief
from llm_agent.briefing import Briefing, make_briefing
from llm_agent.correction import corrected_week, correction_of
from llm_agent.counted import counted_by
from llm_agent.errors import ModelFailed, NoBriefing
from llm_agent.levers import EVENT_CARRY, EVENT_DOUBT, EVENT_PCT, LEAST_CERTAINTY, MOST_DOWN, MOST_UP
from llm_agent.notes import notes_told
from llm_agent.own_readings import own_readings
from llm_agent.reading import INSERTED_SHARE, MOVES_FROM, OTHER_FROM, OTHER_SHARE, RELIEF_ODDS, SURE_FROM
from llm_agent.recalibration import recalibrated_rows
from llm_agent.red_flags import red_flag_notices
from llm_agent.telling import ADDRESS_FROM, BESIDE_FROM

__all__ = ["agent_forecast", "ask_agent", "briefing_of"]

SOURCE = "llm-agent"
RULES_VERSION = "1.0"


def agent_forecast(
    store: Store,
    issue: Issue,
    open_model,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    style: Style = "choice",
    model_digest: str = "",
) -> dict[str, Any]:
    """Issue the agent's rows, or record why there are none.

    Parameters
    ----------
    open_model : callable () -> ChatModel
        Called only when a forecast is due; may raise ``ChatError``. For the style ``read`` it gives an ``Encoder``.
    style : str
        ``read`` reads each sentence once, whatever ``samples`` says.
    model_digest : str
        sha256 of the model's file where there is one; part of the score segment.

    Returns
    -------
    dict
        ``status`` is ``issued``, ``already`` or ``refused``; with the answer or the reason.

    Raises
    ------
    NoBriefing
        The summary or the models' combination of this issue is missing.
    """
    samples = 1 if style == "read" else samples
    mix = _combination(store, issue)
    if _has_spoken(store, issue):
        return {
            "status": "already",
            "issue": issue.describe(),
            "text": f"The agent has already spoken for {issue.name}.",
        }
    update_belief(store, issue)
    briefing, words = _gather(store, issue, mix, style)
    notices = [{"kind": n.kind, "text": n.text} for n in red_flag_notices(words, briefing.facts)]
    store.ledger.issue(issue.book, _rules_rows(issue, mix, briefing), utc_offset_min=issue.utc_offset_min)
    try:
        answer = _ask(store, issue, open_model, briefing, samples, seed, style)
    except Refusal as refusal:
        return _refuse(store, issue, refusal) | {"notices": notices}
    segment = segment_of_call(answer, model_digest, samples)
    rows = _agent_rows(issue, mix, briefing, answer, segment, notices)
    calibrated = recalibrated_rows(rows, known_scores(store, issue))
    done = store.ledger.issue(issue.book, [*rows, *calibrated], utc_offset_min=issue.utc_offset_min)
    shift = answer.shifts_ms[1]
    return {
        "status": "issued", "issue": issue.describe(), "rows": done.written, "opinion": rows[0].reasons,
        "seconds_llm": answer.seconds, "model": answer.model_id, "notices": notices,
        "text": "\n".join([f"{shift:+.1f} ms: {answer.rationale}", *(n["text"] for n in notices)]),
    }  # fmt: skip


def briefing_of(store: Store, issue: Issue, style: Style = "choice") -> Briefing:
    """The briefing of an issue, as it would be put before the model; the same for ever.

    Raises
    ------
    NoBriefing
    """
    return _gather(store, issue, _combination(store, issue), style)[0]


def segment_of_call(answer: Answer, model_digest: str, samples: int) -> str:
    """Names the score segment: another prompt, model, way of sampling, threshold or size opens a new one."""
    parts = [answer.prompt_digest, answer.model_id, model_digest, samples, TEMPERATURE, *_made_of_a_verdict()]
    return sha256(canonical_json(parts).encode()).hexdigest()[:12]


def _made_of_a_verdict() -> list[Any]:
    """The numbers by which code makes a shift of what the model said."""
    return [
        MOVES_FROM, RELIEF_ODDS, SURE_FROM, INSERTED_SHARE, OTHER_SHARE, OTHER_FROM, UNSURE_SHARE, CONTESTED_SPREAD,
        OWN_WORD_SURE,
        ADDRESS_FROM, BESIDE_FROM, address_screen().digest, LEAST_CERTAINTY, EVENT_PCT, EVENT_DOUBT,
        EVENT_CARRY, MOST_DOWN, MOST_UP,
    ]  # fmt: skip


def _gather(store: Store, issue: Issue, mix: Mapping[int, dict], style: Style) -> tuple[Briefing, list[str]]:
    entries = notes_told(store, issue.member_id, issue.as_of, issue.origin_day)
    words = [entry.payload["transcript"] for entry in entries]
    belief = current_belief(store, issue.member_id, issue.book, issue.as_of)
    briefing = make_briefing(
        _summary(store, issue),
        {h: tuple(line["quantiles_ms"]) for h, line in mix.items()},
        words,
        places=[f"journal_entry/{entry.key}" for entry in entries],
        memory=belief.lines() if belief else (),
        counted=counted_by(mix[1]),
        in_prompt=style != "read",
        own_words=own_readings(store, issue.member_id, issue.as_of),
    )
    return briefing, words


def _agent_rows(
    issue: Issue,
    mix: Mapping[int, dict],
    briefing: Briefing,
    answer: Answer,
    segment: str,
    notices: list[dict[str, str]],
) -> list[ForecastRow]:
    common = {
        "rationale": answer.rationale, "rationale_by": answer.rationale_by, "levers": list(answer.levers),
        "evidence": sorted({e for lever in answer.levers if lever["taken_ms"] for e in lever["evidence"]}),
        "shift_ms": round(answer.shifts_ms[1], 2), "samples": list(answer.samples), "repairs": answer.repairs,
        "dropped": list(answer.dropped), "withheld": answer.withheld, "prompt": answer.prompt_digest,
        "model": answer.model_id, "segment": segment, "notices": notices,
    }  # fmt: skip
    return [
        _row(
            issue, mix[h], h, AGENT, f"{answer.prompt_digest}+{answer.model_id}", answer.quantiles_ms[h],
            common | {
                "base_median_ms": round(briefing.base_ms[h][MEDIAN_INDEX], 2),
                "shift_of_this_night_ms": round(answer.shifts_ms[h], 3),
                "spread_factor": answer.spread[h], "hit_weight": answer.hit_weight[h],
            },
        )
        for h in sorted(mix)
    ]  # fmt: skip


def _rules_rows(issue: Issue, mix: Mapping[int, dict], briefing: Briefing) -> list[ForecastRow]:
    """The matched effects summed by rule: the same base, the same sizes, no language model."""
    correction = correction_of(briefing.effects, briefing.base_ms)
    week = corrected_week(briefing.base_ms, correction)
    return [
        _row(
            issue, mix[h], h, RULES, RULES_VERSION, week[h],
            {
                "levers": [lever.describe() for lever in briefing.effects],
                "base_median_ms": round(briefing.base_ms[h][MEDIAN_INDEX], 2),
                "shift_of_this_night_ms": round(correction.shifts_ms[h], 3),
                "spread_factor": correction.spread[h], "hit_weight": correction.hit_weight[h],
            },
        )
        for h in sorted(mix)
    ]  # fmt: skip


def _row(
    issue: Issue,
    line: dict,
    horizon: int,
    name: str,
    version: str,
    quantiles: np.ndarray,
    reasons: dict[str, Any],
) -> ForecastRow:
    return ForecastRow(
        issue.member_id, issue.slot, issue.as_of, issue.origin_day, line["target_day"], horizon, name, version,
        tuple(float(q) for q in quantiles), line["hash"], reasons,
    )  # fmt: skip


def _ask(
    store: Store,
    issue: Issue,
    open_model,
    briefing: Briefing,
    samples: int,
    seed: int,
    style: Style,
) -> Answer:
    try:
        model = open_model()
    except ChatError as error:
        raise ModelFailed(str(error)) from error
    try:
        answer = ask_about(briefing, model, samples=samples, seed=seed, style=style)
    finally:
        model.close()
    asked = questions_for(briefing, style)
    reply = {
        "model_id": answer.model_id, "seconds": answer.seconds, "answers": list(answer.replies),
        "prompt_tokens": answer.prompt_tokens, "repairs": answer.repairs,
    }  # fmt: skip
    store.record.append(
        issue.member_id, "llm_call", f"{issue.book}:{issue.name}",
        {
            "issue": issue.describe(), "messages": list(asked[0].messages[:-1]) if asked else [],
            "questions": [{"about": q.id, "content": q.messages[-1]["content"]} for q in asked],
            "sentences": {sentence.id: sentence.quote for sentence in briefing.words.asked},
            "own_readings": dict(briefing.own_readings), "withheld": answer.withheld, "reply": reply,
            "prompt": answer.prompt_digest,
            "sampling": {"samples": samples, "seed": seed, "temperature": TEMPERATURE if samples > 1 else 0.0},
        },
        known_at=store.clock(), basis=SEEN, source=SOURCE,
    )  # fmt: skip
    return answer


def _refuse(store: Store, issue: Issue, refusal: Refusal) -> dict[str, Any]:
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
    found = {row["horizon"]: row for row in frame.iter_rows(named=True)}
    if set(found) != set(HORIZONS):
        raise NoBriefing(f"There is no models' forecast for {issue.name} to correct. Run first: hrv forecast")
    return found


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
