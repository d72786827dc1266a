"""Your own guess of tomorrow's number, entered before the night and scored like any other forecaster."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import polars as pl

from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.rooms import room_command, verb
from hrv_shared.errors import HrvError

__all__ = ["enter_guess", "gather_guess"]

GUESS = "guess"
PLAUSIBLE_MS = (5.0, 300.0)


def gather_guess(desk: Desk) -> dict[str, Any]:
    """Whether a guess can be made now, and the one that was."""
    with desk.store() as store:
        try:
            issue = verb("data_intelligence", "chosen_issue")(store, desk.settings.member_id)
        except HrvError as error:
            return {"open": False, "why": str(error), "made": None}
        rows = store.ledger.forecasts(
            issue.book, issue.member_id, forecaster=GUESS, origin_day=issue.origin_day
        )
        rows = rows.filter(pl.col("horizon") == 1)
        made = None if rows.is_empty() else rows["quantiles_ms"][-1].to_list()
    if made is not None:
        return {"open": False, "why": "", "made": {"median_ms": round(made[11], 1), "low_ms": round(made[3], 1),
                                                    "high_ms": round(made[19], 1)}}  # fmt: skip
    if issue.book != "live":
        return {
            "open": False,
            "why": "There is no coming night to guess: the data end some days ago.",
            "made": None,
        }
    return {"open": True, "why": "", "made": None}


def enter_guess(desk: Desk, said: dict[str, Any]) -> dict[str, Any]:
    """Enter it through ``hrv guess``; the ledger refuses it when the night has begun.

    Raises
    ------
    BadRequest
        Not a plausible number, or what the command says.
    """
    try:
        value = float(said.get("median_ms"))
    except (TypeError, ValueError):
        raise BadRequest("Expected your guess in ms, such as 58.") from None
    if not PLAUSIBLE_MS[0] <= value <= PLAUSIBLE_MS[1]:
        raise BadRequest(
            f"Expected a guess of {PLAUSIBLE_MS[0]:.0f} to {PLAUSIBLE_MS[1]:.0f} ms, got {value:g}."
        )
    command = room_command("hrv_shared", "guess", f"{value:g}", "--json")
    done = subprocess.run(
        command,
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    try:
        told = json.loads(done.stdout or b"{}")
    except ValueError:
        told = {}
    if done.returncode != 0:
        raise BadRequest(
            told.get("error", {}).get("message") or "The guess could not be entered; run: hrv guess --help"
        )
    desk.forget()
    return gather_guess(desk)
