"""``hrv bench forecast``: run the evaluation, print it, write rows, tables and pictures."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.constants import PRODUCT
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import find_forecasters
from hrv_shared.record import canonical_json
from hrv_shared.store import write_bytes_atomic
from model_training.bench import report
from model_training.bench.evaluate import SHIPPED, TRUE_LAW, Plan, evaluate
from model_training.bench.goals import goal_rows
from model_training.bench.people import BenchPerson, people_of, read_people
from model_training.forecasters.fingerprint import package_digest
from model_training.pool import shipped_digest

__all__ = ["run_bench", "run_synthetic", "write_results"]

SYNTHETIC_SEED = 11
"""Of the cohort that is scored; the pools are fitted on other seeds."""


def run_bench(
    data: Path, plan: Plan, *, advance: Callable[[float], None] = lambda _amount: None
) -> dict[str, Any]:
    """Evaluate a table of people.

    Returns
    -------
    dict
        about, goals, rows (skills), calibration, people, cold_start, ladder, confidence_sets.

    Raises
    ------
    BadTable
        The table can't be used.
    """
    people, left_out = read_people(data)
    about = {
        "data": data.name, "sha256": hashlib.sha256(data.read_bytes()).hexdigest()[:16], "people": len(people),
        "nights": sum(person.nights for person in people), "left_out": left_out,
        "doubled_days": sum(person.doubled for person in people),
    }  # fmt: skip
    return _run(people, plan, about, advance)


def run_synthetic(
    size: int, nights: int, plan: Plan, *, advance: Callable[[float], None] = lambda _amount: None
) -> dict[str, Any]:
    """Evaluate a synthetic cohort beside its true law: the share of the attainable skill."""
    from model_training.bench.origins import MAIN, periods
    from model_training.synthetic import cohort_table, make_cohort, true_quantiles

    cohort = make_cohort(size, nights, SYNTHETIC_SEED)
    people = people_of(cohort_table(cohort))[0]
    truth: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for person in people:
        grid = person.grid("evening")
        origins = periods(grid)[MAIN]
        skipped = (grid.days[0] - person.days["day"].min()).days
        index = int(person.name.split("/s")[1]) - 1
        truth[person.name] = {
            slot: (origins, true_quantiles(cohort, index, origins + skipped, slot))
            for slot in ("evening", "morning")
        }
    about = {"data": f"synthetic {size} x {nights}, seed {SYNTHETIC_SEED}", "people": len(people),
             "nights": sum(person.nights for person in people)}  # fmt: skip
    return _run(people, replace(plan, truth=truth), about, advance)


def _run(
    people: list[BenchPerson], plan: Plan, about: Mapping[str, Any], advance: Callable[[float], None]
) -> dict[str, Any]:
    started = perf_counter()
    about = {**about, "silent": _prepared()}
    versions = {name: forecaster.version for name, forecaster in find_forecasters().items()}
    code = hashlib.sha256(
        canonical_json([versions, package_digest(), shipped_digest()]).encode()
    ).hexdigest()[:12]
    key = hashlib.sha256(
        canonical_json([about, code, plan.against, plan.ladder, plan.seed]).encode()
    ).hexdigest()[:16]
    plan = replace(plan, folder=plan.folder / key)
    scores = report.with_best_auto(evaluate(people, plan, advance=advance))
    seed = plan.seed
    rows = list(report.skill_rows(scores, seed=seed, product=(PRODUCT, SHIPPED, TRUE_LAW)))
    return {
        "about": dict(about) | {
            "against": plan.against, "seed": seed, "code": code, "versions": versions,
            "machine": f"{platform.machine()} {platform.system()}, Python {platform.python_version()}",
            "workers": plan.workers,
            "seconds": round(perf_counter() - started, 1),
        },
        "goals": goal_rows(rows), "rows": rows,
        "calibration": list(report.calibration_rows(scores)), "people": list(report.person_rows(scores)),
        "cold_start": list(report.cold_start_rows(scores)), "ladder": list(report.ladder_rows(scores, seed=seed)),
        "weeks": list(report.week_rows(scores, seed=seed)),
        "confidence_sets": list(report.confidence_sets(scores, seed=seed)),
    }  # fmt: skip


def _prepared() -> dict[str, str]:
    """Fetch weights before anybody is measured, where that is allowed; name -> why, of those that stay silent."""
    silent = {}
    for name, forecaster in find_forecasters().items():
        try:
            if hasattr(forecaster, "prepare"):
                forecaster().prepare()
        except Refusal as refusal:
            silent[name] = str(refusal)
    return silent


def write_results(result: dict[str, Any], folder: Path, text: str) -> list[Path]:
    """Rows as JSON, the tables as text, and the pictures.

    Returns
    -------
    list of Path
        What was written.
    """
    from model_training.bench.plots import draw

    folder.mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in result.items() if key != "people"}
    written = [folder / "results.json", folder / "RESULTS.md"]
    write_bytes_atomic(written[0], (json.dumps(kept, indent=1, default=_plain) + "\n").encode())
    write_bytes_atomic(written[1], f"{text}\n".encode())
    return written + draw(result, folder)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, pl.Series):
        return value.to_list()
    raise TypeError(f"expected a plain value, got {type(value).__name__}")
