"""Issue the forecasts that are due: every registered forecaster, then their mix, then what the product stands by.

What is in the ledger stays: a second run of the same issue fits nothing and writes nothing. The mix is made of the rows
that the ledger holds, not of newer ones that it refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from hrv_shared.constants import AGENT, HORIZONS, MODEL_COMBINATION, PRODUCT
from hrv_shared.errors import HrvError, LedgerError, Refusal
from hrv_shared.forecaster import Forecaster, find_forecasters
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store
from model_training import final, mix
from model_training.errors import NothingToCombine
from model_training.past_scores import ledger_frame, scored_by
from model_training.rolling import forecast_rows

__all__ = ["combine", "issue_forecasts", "issued_rows", "known_scores"]


def issue_forecasts(
    store: Store,
    issue: Issue,
    *,
    forecasters: Mapping[str, type[Forecaster]] | None = None,
    advance: Callable[[float], None] = lambda _amount: None,
) -> dict[str, Any]:
    """Issue every forecaster and ``mix`` for one issue.

    Returns
    -------
    dict
        issue, written, already, refusals (forecaster, code, message), failures (likewise), mix_weights.

    Raises
    ------
    LedgerError
        The ledger would not take rows (the night has begun, the clock stands behind).
    """
    registered = find_forecasters() if forecasters is None else dict(forecasters)
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    held = _complete(issued_rows(store, issue), issue)
    result: dict[str, Any] = {
        "issue": issue.describe(), "written": 0, "already": 0, "refusals": [], "failures": [], "mix_weights": {}
    }  # fmt: skip
    for name, forecaster in registered.items():
        if held.get(name) in (forecaster.version, "kept"):
            result["already"] += len(HORIZONS)
        else:
            _issue_one(store, issue, name, forecaster, history, result)
        advance(1.0)
    rows = _latest(issued_rows(store, issue), (*registered, MODEL_COMBINATION))
    if held.get(MODEL_COMBINATION) in (mix.VERSION, "kept"):
        mixed = [row for row in rows if row.forecaster == MODEL_COMBINATION]
        result["already"] += len(mixed)
    else:
        mixed = mix.mix_rows(rows, known_scores(store, issue))
        _count(result, store.ledger.issue(issue.book, mixed, utc_offset_min=issue.utc_offset_min))
    result["mix_weights"] = {row.horizon: row.reasons["weights"] for row in mixed if row.reasons}
    return result


def combine(store: Store, issue: Issue) -> dict[str, Any]:
    """Issue ``final`` for one issue from the ledger's rows of ``mix`` and ``agent``.

    Raises
    ------
    NothingToCombine
        There is no row of ``mix``.
    """
    rows = _latest(issued_rows(store, issue), (MODEL_COMBINATION, AGENT))
    final_rows = final.final_rows(rows, known_scores(store, issue))
    if not final_rows:
        raise NothingToCombine(
            f"Expected forecasts of {MODEL_COMBINATION!r} for {issue.name} in the {issue.book} book, found none. "
            "Run first: python -m model_training forecast"
        )
    outcome = store.ledger.issue(issue.book, final_rows, utc_offset_min=issue.utc_offset_min)
    kept = _latest(issued_rows(store, issue), (PRODUCT,))
    return {
        "issue": issue.describe(), "written": outcome.written, "already": outcome.already,
        "agent_spoke": any(row.forecaster == AGENT for row in rows),
        "weights": {row.horizon: row.reasons["weights"] for row in kept if row.reasons},
        "agent": next((row.reasons["agent"] for row in kept if row.reasons), {}),
    }  # fmt: skip


def issued_rows(store: Store, issue: Issue) -> pl.DataFrame:
    """The ledger's rows for exactly this issue's book, slot and origin."""
    return store.ledger.forecasts(issue.book, issue.member_id, slot=issue.slot, origin_day=issue.origin_day)


def known_scores(store: Store, issue: Issue) -> pl.DataFrame:
    """Scores of both books known at the issue's as_of, of the same slot."""
    rows = ledger_frame(store.ledger.forecasts(None, issue.member_id, slot=issue.slot))
    return scored_by(rows, store.ledger.outcomes(issue.member_id, as_of=issue.as_of), issue.as_of)


def _issue_one(
    store: Store, issue: Issue, name: str, forecaster: type[Forecaster], history: History, result: dict[str, Any]
) -> None:
    try:
        rows = forecast_rows(forecaster().fit(history), history, issue)
        _count(result, store.ledger.issue(issue.book, rows, utc_offset_min=issue.utc_offset_min))
    except Refusal as refusal:
        result["refusals"].append(_record_silence(store, issue, name, forecaster, refusal.code, str(refusal)))
    except LedgerError:
        raise
    except HrvError as error:
        result["failures"].append(_record_silence(store, issue, name, forecaster, error.code, str(error)))
    except Exception as error:  # noqa: BLE001 - a forecaster may be anybody's; its fault must not silence the others
        told = f"{type(error).__name__}; the forecaster is at fault, the others have spoken"
        result["failures"].append(_record_silence(store, issue, name, forecaster, "ForecasterFailed", told))


def _record_silence(
    store: Store, issue: Issue, name: str, forecaster: type[Forecaster], code: str, message: str
) -> dict[str, str]:
    payload = {
        "forecaster": name, "version": forecaster.version, "code": code, "message": message, "book": issue.book,
        "slot": issue.slot, "origin_day": issue.origin_day.isoformat(),
    }  # fmt: skip
    key = f"{issue.book}-{issue.name}-{name}"
    store.record.append(
        issue.member_id, "refusal", key, payload, known_at=store.clock(), basis="seen", source="model_training"
    )
    return {"forecaster": name, "code": code, "message": message}


def _complete(rows: pl.DataFrame, issue: Issue) -> dict[str, str]:
    """Forecasters with all horizons in the ledger -> their latest version; "kept" in the live book, whatever version."""
    held = {}
    for (name, version), own in rows.group_by("forecaster", "version", maintain_order=True):
        if own["horizon"].n_unique() == len(HORIZONS):
            held[name] = "kept" if issue.book == "live" else version
    return held


def _latest(rows: pl.DataFrame, names: tuple[str, ...]) -> list[ForecastRow]:
    """The newest ledger row of each forecaster and horizon, as it was issued."""
    newest = (
        rows.filter(pl.col("forecaster").is_in(list(names)))
        .sort("n")
        .unique(["forecaster", "horizon"], keep="last", maintain_order=True)
    )
    return [
        ForecastRow(
            row["member_id"], row["slot"], row["as_of"], row["origin_day"], row["target_day"], row["horizon"],
            row["forecaster"], row["version"], tuple(row["quantiles_ms"]), row["input_digest"],
            None if row["reasons"] is None else json.loads(row["reasons"]),
        )
        for row in newest.iter_rows(named=True)
    ]  # fmt: skip


def _count(result: dict[str, Any], outcome: Any) -> None:
    result["written"] += outcome.written
    result["already"] += outcome.already
