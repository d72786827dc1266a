"""Your own guess of tomorrow's number: into the ledger before the night, scored like any other forecaster's."""

from __future__ import annotations

from typing import Any

import polars as pl

from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.rooms import verb
from hrv_shared.constants import GUESS
from hrv_shared.errors import HrvError
from hrv_shared.guess import enter_guess as enter
from hrv_shared.guess import past_guesses, read_said

__all__ = ["enter_guess", "gather_guess"]

SHOWN = 5


def gather_guess(desk: Desk) -> dict[str, Any]:
    """Whether a guess can be made now, the one that was, and how earlier ones did."""
    member = desk.settings.member_id
    with desk.store() as store:
        try:
            issue = verb("data_intelligence", "chosen_issue")(store, member)
        except HrvError as error:
            return {"open": False, "why": str(error), "made": None, "past": []}
        rows = store.ledger.forecasts(
            "live", member, forecaster=GUESS, slot=issue.slot, origin_day=issue.origin_day
        )
        rows = rows.filter(pl.col("horizon") == 1)
        made = None if rows.is_empty() else rows["quantiles_ms"][-1].to_list()
        past = [told for told in past_guesses(store, member) if told["outcome_ms"] is not None][-SHOWN:]
    shown = [
        {"target_day": str(told["target_day"]), "said": told["said"], "outcome_ms": told["outcome_ms"],
         "inside": told["inside"], "crps_ms": told["crps_ms"], "final_crps_ms": told["final_crps_ms"] or None}
        for told in reversed(past)
    ]  # fmt: skip
    if made is not None:
        told = {"median_ms": round(made[11], 1), "low_ms": round(made[3], 1), "high_ms": round(made[19], 1)}
        return {"open": False, "why": "", "made": told, "past": shown}
    if issue.book != "live":
        return {"open": False, "why": "There is no coming night to guess: the data end some days ago.", "made": None,
                "past": shown}  # fmt: skip
    return {"open": True, "why": "", "made": None, "past": shown}


def enter_guess(desk: Desk, said: dict[str, Any]) -> dict[str, Any]:
    """Enter ``{"said": "55..70"}`` (or one number); what was said first in a slot stands.

    Raises
    ------
    BadRequest
        Not a text.
    HrvError
        Not a plausible guess, said before already, or the night has begun.
    """
    text = said.get("said")
    if not isinstance(text, str) or len(text) > 40:
        raise BadRequest("Expected your guess as a range in ms, such as 55..70, or one number.")
    with desk.store() as store:
        enter(store, desk.settings.member_id, read_said(text))
    return gather_guess(desk)
