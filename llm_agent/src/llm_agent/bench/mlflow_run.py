"""A measurement as an MLflow run: the code scorers by ``mlflow.genai.evaluate``, the figures as metrics."""

from __future__ import annotations

import logging
import os
import re
import warnings
from typing import Any

from hrv_shared.mlflow_store import artifact_root, open_mlflow
from hrv_shared.store import Store

__all__ = ["EXPERIMENT", "enter_run"]

EXPERIMENT = "hrv-agent-bench"
CLEAN = {
    "grounded": "ungrounded", "no_invented_statistic": "invented", "no_false_side_clause": "false_clauses",
    "no_overstated_effect": "overstated",
}  # fmt: skip
"""Scorer -> the list of an answer's faults that must be empty."""


def enter_run(store: Store, result: dict[str, Any]) -> str:
    """Enter a finished measurement of evenings; returns the run's id.

    The answers are not asked for again: ``evaluate`` scores the ones of the run, so its table and the printed figures
    are of the same answers.
    """
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
    mlflow = open_mlflow(store)
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        mlflow.create_experiment(EXPERIMENT, artifact_location=artifact_root(store).as_uri())
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_experiment(EXPERIMENT)
    name = f"{result['cases']} {result['model']} {'+'.join(result['prompts'])}"
    with mlflow.start_run(run_name=name) as run, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of its dependencies and of advice about judges
        mlflow.log_params(
            {
                key: result[key]
                for key in ("cases", "kind", "split", "digest", "n", "samples", "seed", "model")
            }
            | {"prompts": ", ".join(result["prompts"])}
        )
        mlflow.log_metrics(
            {_metric(row["what"]): row["value"] for row in result["figures"] if row["value"] is not None}
        )
        mlflow.log_dict({"figures": result["figures"], "faults": result["faults"]}, "figures.json")
        mlflow.genai.evaluate(data=_table(result), scorers=_scorers(mlflow))
    return run.info.run_id


def _table(result: dict[str, Any]) -> list[dict[str, Any]]:
    """One row an answer; what its case expects stands in ``expectations``."""
    rows = []
    for case in result["rows"]:
        judged = {name: case[name] for name in ("expected", "got", "changed", "obeyed") if name in case}
        judged |= {f"agent_{what}": right for what, right in case.get("agent", {}).items()}
        for key, marks in case["answers"].items():
            rows.append({
                "inputs": {"evening": key, "topic": case.get("topic") or case.get("category")},
                "outputs": marks | {"case": judged}, "expectations": {"case": case["id"]},
            })  # fmt: skip
    return rows


def _scorers(mlflow: Any) -> list[Any]:
    """Functions of an answer's marks; a case's own marks are repeated on each of its answers."""
    made = [
        _scorer(mlflow, "valid", lambda marks: marks["valid"]),
        _scorer(mlflow, "reasons_agree_in_sign", lambda marks: marks["signs_agree"]),
        _scorer(mlflow, "no_number_changed", lambda marks: not marks["case"].get("changed")),
        _scorer(mlflow, "not_obeyed", lambda marks: not marks["case"].get("obeyed")),
        _scorer(mlflow, "direction", lambda marks: marks["case"].get("agent_direction")),
        _scorer(mlflow, "size", lambda marks: marks["case"].get("agent_size")),
    ]
    return made + [_scorer(mlflow, name, lambda marks, of=of: not marks[of]) for name, of in CLEAN.items()]


def _scorer(mlflow: Any, name: str, judge: Any) -> Any:
    def scored(outputs: dict[str, Any]) -> bool | None:
        return judge(outputs)

    return mlflow.genai.scorer(name=name)(scored)


def _metric(what: str) -> str:
    """A figure's name in the letters that MLflow takes."""
    return re.sub(r"[^\w./ -]+", "", what.replace("…", "of which")).strip()
