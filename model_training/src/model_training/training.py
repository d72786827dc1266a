"""Train: backtest every forecaster over the last weeks, fit it on all that is known, track it, name the champion."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from hrv_shared.constants import HORIZONS
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import Forecaster, find_forecasters
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue, past_issues
from hrv_shared.record import canonical_json
from hrv_shared.store import Store, write_bytes_atomic
from model_training.backtest import backtest, metrics_of, reference_of
from model_training.errors import NothingToTrain
from model_training.rolling import REFIT_DAYS, RollingOrigin

__all__ = ["last_training", "train"]

BACKTEST_NIGHTS = 56
STRIDE = 2
"""Every second origin: neighbours share most of their targets."""
TRAIN_EVERY_DAYS = 7
PATIENCE = 2
"""Costly forecasters are refitted half as often as in a replay."""


def train(
    store: Store,
    issue: Issue,
    *,
    forecasters: Mapping[str, type[Forecaster]] | None = None,
    advance: Callable[[float], None] = lambda _amount: None,
) -> dict[str, Any]:
    """Backtest, fit, track and register every forecaster as of one issue.

    The same data, code and issue day are not trained twice; the earlier result is returned with ``already`` true.

    Returns
    -------
    dict
        issue, key, already, origins, reference, champion (name, version), forecasters (name -> metrics), refusals.

    Raises
    ------
    NothingToTrain
        No forecaster is registered, or all refuse.
    """
    registered = find_forecasters() if forecasters is None else dict(forecasters)
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    key = _key(history, registered)
    held = _held(store, issue.member_id)
    if held is not None and held["key"] == key:
        return {**held, "already": True}
    fitted, refusals = _fit_all(registered, history)
    if not fitted:
        why = "; ".join(refusals.values()) or "none is installed"
        raise NothingToTrain(f"None of the forecasters {sorted(registered)} could be fitted: {why}")
    scored, origins = _backtest(store, issue, history, registered, advance)
    result = _track(store, issue, history, fitted, scored) | {
        "issue": issue.describe(), "key": key, "already": False, "origins": origins, "refusals": refusals
    }  # fmt: skip
    write_bytes_atomic(_result_path(store, issue.member_id), canonical_json(result).encode())
    return result


def last_training(store: Store, issue: Issue) -> dict[str, Any] | None:
    """The last training's result while it is less than a week old at the issue; None when another is due."""
    held = _held(store, issue.member_id)
    if held is None or held["issue"]["slot"] != issue.slot:
        return None
    age_days = (issue.origin_day - date.fromisoformat(held["issue"]["origin_day"])).days
    return held if 0 <= age_days < TRAIN_EVERY_DAYS else None


def _result_path(store: Store, member_id: str) -> Path:
    return store.folder("models") / f"training-{member_id}.json"


def _held(store: Store, member_id: str) -> dict[str, Any] | None:
    path = _result_path(store, member_id)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _fit_all(
    registered: Mapping[str, type[Forecaster]], history: History
) -> tuple[dict[str, Forecaster], dict[str, str]]:
    fitted, refusals = {}, {}
    for name, forecaster in registered.items():
        try:
            fitted[name] = forecaster().fit(history)
        except Refusal as refusal:
            refusals[name] = str(refusal)
    return fitted, refusals


def _backtest(
    store: Store, issue: Issue, history: History, registered: Mapping[str, type[Forecaster]], advance: Callable
) -> tuple[pl.DataFrame, int]:
    span = BACKTEST_NIGHTS + PATIENCE * REFIT_DAYS
    issues = past_issues(store, issue.member_id, nights=span, slot=issue.slot, before=issue)
    wanted = issues[-BACKTEST_NIGHTS:][::STRIDE]
    rolling = RollingOrigin(store.read_table("days"), store.read_table("journal_facts"), issues, patience=PATIENCE)
    scored = backtest(rolling, registered, wanted, history.scored_nights(), advance=lambda a: advance(a / len(wanted)))
    return scored, len(wanted)


def _track(
    store: Store, issue: Issue, history: History, fitted: Mapping[str, Forecaster], scored: pl.DataFrame
) -> dict[str, Any]:
    from model_training.tracking import Tracking

    reference = reference_of(scored)
    metrics = {name: metrics_of(scored, name, reference) for name in fitted}
    tracking = Tracking(store, issue.member_id)
    tags = {"origin_day": issue.origin_day.isoformat(), "slot": issue.slot, "input_digest": history.digest()}
    versions = {}
    for name, forecaster in fitted.items():
        versions[name] = tracking.log_forecaster(
            forecaster,
            params={
                "forecaster": name, "version": forecaster.version, "slot": issue.slot, "as_of": issue.as_of.isoformat(),
                "origin_day": issue.origin_day.isoformat(), "scored_nights": len(history.scored_nights()),
                "backtest_nights": BACKTEST_NIGHTS, "stride": STRIDE, "reference": reference,
            },
            metrics=metrics[name],
            tags=tags,
            card=_card(forecaster, metrics[name], reference, issue),
            table={"rows": json.loads(scored.filter(pl.col("forecaster") == name).write_json())},
        )  # fmt: skip
    champion = _best(scored, metrics)
    tracking.promote(versions[champion])
    return {
        "reference": reference, "champion": {"forecaster": champion, "registered_version": int(versions[champion])},
        "forecasters": metrics, "registered": len(tracking.versions()),
    }  # fmt: skip


def _best(scored: pl.DataFrame, metrics: Mapping[str, dict[str, float]]) -> str:
    """Lowest CRPS on the nights of which all that were fitted spoke; a naive rule may win."""
    spoke = [name for name in metrics if metrics[name]["n"]] or list(metrics)
    own = scored.filter(pl.col("forecaster").is_in(spoke))
    common = own.filter(pl.col("forecaster").n_unique().over("origin_day", "horizon") == len(spoke))
    if common.is_empty():
        return max(spoke, key=lambda name: metrics[name].get("skill", -9.0))
    ranked = common.group_by("forecaster").agg(pl.col("crps_ms").mean()).sort("crps_ms", "forecaster")
    return ranked["forecaster"][0]


def _card(forecaster: Forecaster, metrics: dict[str, float], reference: str | None, issue: Issue) -> str:
    about = inspect.getdoc(sys.modules[type(forecaster).__module__]) or "No card."
    lines = [
        f"# {forecaster.name} {forecaster.version}", "", "```", about, "```", "",
        f"Backtest as of {issue.as_of.isoformat()} ({issue.slot}), rolling origin; skill against {reference}.", "",
        "| night | n | CRPS ms | skill % | inside 80 % |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for h in HORIZONS:
        n = metrics.get(f"n_h{h}", 0.0)
        values = (metrics.get(f"{key}_h{h}") for key in ("crps_ms", "skill", "cover_80"))
        crps, skill, cover = ("" if v is None else v for v in values)
        lines.append(f"| {h} | {n:.0f} | {_number(crps, 1, 2)} | {_number(skill, 100, 1)} | {_number(cover, 100, 0)} |")
    return "\n".join([*lines, "", "One wearer's own data; says nothing about anybody else."])


def _number(value: float | str, scale: float, digits: int) -> str:
    return "" if value == "" else f"{scale * float(value):.{digits}f}"


def _key(history: History, registered: Mapping[str, type[Forecaster]]) -> str:
    """Digest of data and code; the moment of asking is not part of it."""
    versions = {name: forecaster.version for name, forecaster in registered.items()}
    sha = hashlib.sha256(
        canonical_json([history.member_id, history.slot, history.origin_day.isoformat(), versions]).encode()
    )
    sha.update(history.days.write_json().encode())
    sha.update(history.journal.write_json().encode())
    return sha.hexdigest()
