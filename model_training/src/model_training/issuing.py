"""Issue the forecasts that are due: every registered forecaster and their mix; then what the product stands by.

What is in the ledger stays: a second run of the same issue fits nothing and writes nothing. The mix is made of the rows
that the ledger holds, not of newer ones that it refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hrv_shared.constants import AGENT_CALIBRATED, HORIZONS, MODEL_COMBINATION, PRODUCT
from hrv_shared.errors import HrvError, LedgerError, Refusal
from hrv_shared.forecaster import Forecaster, find_forecasters
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.past_scores import known_scores
from hrv_shared.store import Store
from model_training.errors import NothingToCombine
from model_training.explanation import final_with_parts, mix_with_parts
from model_training.final import final_rows
from model_training.issued import issued_for, newest
from model_training.mix import mix_rows
from model_training.rolling import forecast_rows

__all__ = ["combine", "issue_forecasts"]


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
    held = issued_for(store, issue)
    result: dict[str, Any] = {
        "issue": issue.describe(), "written": 0, "already": 0, "refusals": [], "failures": [], "mix_weights": {}
    }  # fmt: skip
    for name, forecaster in registered.items():
        if _is_issued(held, issue, name, forecaster.version):
            result["already"] += len(HORIZONS)
        else:
            _issue_one(store, issue, name, forecaster, history, result)
        advance(1.0)
    said = newest(issued_for(store, issue), *registered)
    mixed = mix_with_parts(history, said, mix_rows(said, known_scores(store, issue)), registered)
    _issue(store, issue, mixed, result)
    kept = newest(issued_for(store, issue), MODEL_COMBINATION)
    result["mix_weights"] = {row.horizon: row.reasons["weights"] for row in kept if row.reasons}
    return result


def combine(store: Store, issue: Issue) -> dict[str, Any]:
    """Issue ``final`` for one issue from the ledger's rows of ``mix`` and ``agent_calibrated``.

    Raises
    ------
    NothingToCombine
        There is no row of ``mix``.
    """
    parts = newest(issued_for(store, issue), MODEL_COMBINATION, AGENT_CALIBRATED)
    rows = final_with_parts(parts, final_rows(parts, known_scores(store, issue)))
    if not rows:
        raise NothingToCombine(
            f"Expected forecasts of {MODEL_COMBINATION!r} for {issue.name} in the {issue.book} book, found none. "
            "Run first: python -m model_training forecast"
        )
    result: dict[str, Any] = {"issue": issue.describe(), "written": 0, "already": 0}
    _issue(store, issue, rows, result)
    kept = newest(issued_for(store, issue), PRODUCT)
    return {
        **result,
        "agent_spoke": any(row.forecaster == AGENT_CALIBRATED for row in parts),
        "weights": {row.horizon: row.reasons["weights"] for row in kept if row.reasons},
        "agent": next((row.reasons["agent"] for row in kept if "agent" in (row.reasons or {})), {}),
    }


def _issue_one(
    store: Store,
    issue: Issue,
    name: str,
    forecaster: type[Forecaster],
    history: History,
    result: dict[str, Any],
) -> None:
    try:
        _issue(store, issue, forecast_rows(forecaster().fit(history), history, issue), result)
    except Refusal as refusal:
        result["refusals"].append(_record_silence(store, issue, name, forecaster, refusal.code, str(refusal)))
    except LedgerError:
        raise
    except HrvError as error:
        result["failures"].append(_record_silence(store, issue, name, forecaster, error.code, str(error)))
    except Exception as error:  # a forecaster may be anybody's; its fault must not silence the others
        told = f"{name} broke off with {type(error).__name__}; the others have spoken. Mend or uninstall it."
        result["failures"].append(_record_silence(store, issue, name, forecaster, "ForecasterFailed", told))


def _is_issued(held: list[ForecastRow], issue: Issue, name: str, version: str) -> bool:
    """All horizons are there; the live book keeps what was said first, whatever version said it."""
    own = {
        row.horizon
        for row in held
        if row.forecaster == name and (issue.book == "live" or row.version == version)
    }
    return own >= set(HORIZONS)


def _issue(store: Store, issue: Issue, rows: list[ForecastRow], result: dict[str, Any]) -> None:
    outcome = store.ledger.issue(issue.book, rows, utc_offset_min=issue.utc_offset_min)
    result["written"] += outcome.written
    result["already"] += outcome.already


def _record_silence(
    store: Store, issue: Issue, name: str, forecaster: type[Forecaster], code: str, message: str
) -> dict[str, str]:
    payload = {
        "forecaster": name, "version": forecaster.version, "code": code, "message": message, "book": issue.book,
        "slot": issue.slot, "origin_day": issue.origin_day.isoformat(),
    }  # fmt: skip
    store.record.append(
        issue.member_id, "refusal", f"{issue.book}-{issue.name}-{name}", payload,
        known_at=store.clock(), basis="seen", source="model_training",
    )  # fmt: skip
    return {"forecaster": name, "code": code, "message": message}
