"""Each call of the language model as an MLflow trace, with what came true attached the morning after.

The record's ``llm_call`` is the truth; a trace is a view of it. They are written in the morning's review and never on
the way to a forecast, because importing MLflow takes seconds. Traces hold the prompt, and with it journal words: they
stay in the store's ``mlflow.db`` (mode 0600), which erasing removes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from hrv_shared.constants import AGENT, SETTLE_HOURS
from hrv_shared.mlflow_store import artifact_root, open_mlflow
from hrv_shared.record import Fact
from hrv_shared.scoring import score_rows
from hrv_shared.store import Store

__all__ = ["experiment_name", "write_traces"]

LAST_SEQ = "hrv.last_seq"
WAITING, PROVISIONAL, SETTLED = "waiting", "provisional", "settled"
SCORED_BY = "hrv score"
MOST = 5000


def experiment_name(member_id: str) -> str:
    """The member's experiment; the colon keeps it apart from any other member's training."""
    return f"hrv-agent:{member_id}"


def write_traces(store: Store, member_id: str) -> dict[str, int]:
    """Write the traces of calls that have none, and attach outcomes and scores to those whose night is known.

    Twice is once: a call's place in the record names its trace. MLflow is imported only when there is something to do.

    Returns
    -------
    dict
        ``written``, ``scored`` (settled or provisional, new or changed), ``waiting``.
    """
    if next(store.record.facts("llm_call", member_id), None) is None:
        return {"written": 0, "scored": 0, "waiting": 0}
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
    mlflow = open_mlflow(store)
    client = mlflow.MlflowClient()
    experiment = _experiment(client, store, member_id)
    written = 0
    for call in _new_calls(client, store, member_id, experiment):
        if not _traces(mlflow, experiment, f"tags.call_seq = '{call.seq}'"):
            _write(mlflow, experiment, call)
            written += 1
        client.set_experiment_tag(experiment, LAST_SEQ, str(call.seq))
    mlflow.flush_trace_async_logging()
    scored, waiting = 0, 0
    for state in (WAITING, PROVISIONAL):
        for trace in _traces(mlflow, experiment, f"tags.state = '{state}'"):
            came = _score(store, member_id, trace.info.tags)
            if came is None:
                waiting += 1
            else:
                scored += _attach(mlflow, client, trace, came, store.clock())
    return {"written": written, "scored": scored, "waiting": waiting}


def _experiment(client: Any, store: Store, member_id: str) -> str:
    name = experiment_name(member_id)
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    return client.create_experiment(name, artifact_location=artifact_root(store).as_uri())


def _new_calls(client: Any, store: Store, member_id: str, experiment: str) -> Iterator[Fact]:
    after = int(client.get_experiment(experiment).tags.get(LAST_SEQ, "0"))
    return store.record.facts("llm_call", member_id, after_seq=after)


def _traces(mlflow: Any, experiment: str, condition: str) -> list[Any]:
    return mlflow.search_traces(
        locations=[experiment],
        filter_string=condition,
        return_type="list",
        include_spans=False,
        max_results=MOST,
    )


def _write(mlflow: Any, experiment: str, call: Fact) -> None:
    payload, issue = call.payload, call.payload["issue"]
    asked = {key: payload.get(key) for key in ("messages", "questions")}
    told = {key: value for key, value in payload.items() if key not in ("issue", *asked)}
    seconds = _seconds(told)
    ended = round(call.known_at.timestamp() * 1e9)
    span = mlflow.start_span_no_context(
        name=f"forecast {issue['origin_day']} {issue['slot']}", span_type="LLM", inputs=asked,
        attributes={"seconds": str(seconds), "basis": call.basis}, experiment_id=experiment,
        start_time_ns=ended - round(seconds * 1e9),
        tags={
            "call_seq": str(call.seq), "call_key": call.key, "book": issue["book"], "slot": issue["slot"],
            "origin_day": str(issue["origin_day"]), "state": WAITING, "prompt": str(payload.get("prompt", "")),
        },
    )  # fmt: skip
    span.end(outputs=told, end_time_ns=ended)


def _seconds(told: dict[str, Any]) -> float:
    """Latency, wherever the call's row has it."""
    reply = told.get("reply")
    for block in (told, reply if isinstance(reply, dict) else {}):
        if isinstance(block.get("seconds"), (int, float)):
            return float(block["seconds"])
    return 0.0


def _score(store: Store, member_id: str, tags: dict[str, str]) -> pl.DataFrame | None:
    """Night 1's scores of every forecaster of the trace's issue; None while it is not known."""
    forecasts = store.ledger.forecasts(
        tags["book"], member_id, slot=tags["slot"], origin_day=date.fromisoformat(tags["origin_day"])
    ).filter(pl.col("horizon") == 1)
    if forecasts.is_empty():
        return None
    outcomes = store.ledger.outcomes(member_id).filter(pl.col("day").is_in(forecasts["target_day"].implode()))
    scores = score_rows(forecasts, outcomes).filter(~pl.col("void"))
    return None if scores.is_empty() else scores.unique("forecaster", keep="last", maintain_order=True)


def _attach(mlflow: Any, client: Any, trace: Any, scores: pl.DataFrame, now: datetime) -> bool:
    """Expectation and feedback; a revised outcome replaces the earlier one. Returns whether anything changed."""
    first = scores.row(0, named=True)
    value = f"{first['hrv_rmssd_ms']:.4f}"
    state = SETTLED if now >= first["known_at"] + timedelta(hours=SETTLE_HOURS) else PROVISIONAL
    trace_id, held = trace.info.trace_id, trace.info.tags.get("outcome_ms")
    if held != value:
        for old in trace.info.assessments:
            mlflow.delete_assessment(trace_id=trace_id, assessment_id=old.assessment_id)
        source = mlflow.entities.AssessmentSource(source_type="CODE", source_id=SCORED_BY)
        mlflow.log_expectation(
            trace_id=trace_id, name="hrv_rmssd_ms", value=first["hrv_rmssd_ms"], source=source
        )
        for row in scores.iter_rows(named=True):
            whose = "" if row["forecaster"] == AGENT else f"_{row['forecaster']}"
            for name in ("crps_ms", "abs_error_ms", "in_80"):
                mlflow.log_feedback(trace_id=trace_id, name=f"{name}{whose}", value=row[name], source=source)
        client.set_trace_tag(trace_id, "outcome_ms", value)
    if trace.info.tags["state"] != state:
        client.set_trace_tag(trace_id, "state", state)
    return held != value
