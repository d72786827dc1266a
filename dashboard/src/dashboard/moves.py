"""The What moves you page: effects with intervals, experiments, the calendar, and where a value came from."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import polars as pl

from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.rooms import ask_room
from dashboard.track import track
from hrv_shared.history import as_of_days
from hrv_shared.store import Store

__all__ = ["evidence", "gather_moves", "lineage", "moves"]

CALENDAR_WEEKS = 26
REPORT_NAME = r"[A-Za-z0-9_.-]{1,64}-\d{4}-\d{2}-\d{2}-(morning|evening)"
QUANTITIES = (
    ("hrv", "HRV"), ("rhr", "resting heart rate"), ("resp", "breaths"), ("sleep", "time asleep"), ("strain", "strain"),
    ("recovery", "recovery"),
)  # fmt: skip


def moves(desk: Desk) -> dict[str, Any]:
    """The page's data, kept until the store changes."""
    return desk.kept("moves", lambda: gather_moves(desk), also=desk.clock().date())


def gather_moves(desk: Desk) -> dict[str, Any]:
    """Effects of the newest summary, experiments, and 26 weeks of nights."""
    member = desk.settings.member_id
    with desk.store() as store:
        summary = newest_summary(store, member)
        days = as_of_days(store.read_table("days").filter(pl.col("member_id") == member), store.clock())
        experiments = _experiments(store, member)
    effects = [_effect(row, summary["evidence"]) for row in summary["effects"]] if summary else []
    shown = [row for row in effects if row["label"] != "too little data"]
    return {
        "as_of": None if summary is None else summary["issue"]["as_of"],
        "effects": sorted(shown, key=lambda row: row["effect_ms"]),
        "too_few": sorted((row for row in effects if row["label"] == "too little data"), key=lambda r: -r["n_yes"]),
        "experiments": experiments, "weeks": _calendar(days, track(desk)["nights"]), "quantities": QUANTITIES,
        "last_day": None if days.is_empty() else days["day"].max().isoformat(),
    }  # fmt: skip


def newest_summary(store: Store, member_id: str) -> dict[str, Any] | None:
    """The newest daily summary of a member."""
    for path in sorted(store.reports_dir("daily").glob(f"{member_id}-????-??-??-*.json"), reverse=True):
        summary = json.loads(path.read_text(encoding="utf-8"))
        if summary.get("issue", {}).get("member_id") == member_id:
            return summary
    return None


def lineage(desk: Desk, day: str, quantity: str) -> dict[str, Any]:
    """``hrv why DAY QUANTITY``: the value in force, the record behind it, what it replaced.

    Raises
    ------
    BadRequest
        Not a day, or what the command says.
    """
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise BadRequest(f"Expected a day such as 2026-11-20, got {day[:20]!r}.") from None
    if not quantity.replace("_", "").isalnum() or len(quantity) > 40:
        raise BadRequest("Expected the name of a quantity, such as hrv.")
    return ask_room(desk.environment, "whoop_api_client", "why", wanted.isoformat(), quantity)


def evidence(desk: Desk, key: str, name: str) -> dict[str, Any]:
    """``hrv evidence ID --issue NAME``: the cells, ledger rows, scores or fit that a number rests on.

    Raises
    ------
    BadRequest
        Not an id or a report's name, or what the command says.
    """
    if not re.fullmatch(r"E\d{1,5}", key) or not re.fullmatch(REPORT_NAME, name):
        raise BadRequest("Expected an id such as E12 and the name of a report.")
    return ask_room(desk.environment, "data_intelligence", "evidence", key, "--issue", name)


def _effect(row: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    names = ("behaviour", "text", "label", "effect_ms", "low80_ms", "high80_ms", "low95_ms", "high95_ms", "n_yes",
             "n_no", "clear", "retrospective", "phrase", "p_harm", "shown", "evidence")  # fmt: skip
    told = {name: row.get(name) for name in names}
    solid = told["clear"] if told["shown"] is None else told["shown"]
    return told | {"solid": bool(solid), "evidence_what": evidence.get(row["evidence"], {}).get("what", "")}


def _experiments(store: Store, member_id: str) -> list[dict[str, Any]]:
    """Every experiment of the record, newest first: its habit, its nights, how it stands and what came of it."""
    events: dict[str, dict[str, Any]] = {}
    for fact in store.record.facts("experiment", member_id):
        name, _, event = fact.key.rpartition(":")
        events.setdefault(name, {}).setdefault(event, fact.payload)
    found = []
    for parts in events.values():
        if (begun := parts.get("started")) is None:
            continue
        found.append({
            "behaviour": begun["behaviour"].replace("_", " "), "first_evening": begun["first_evening"],
            "evenings": len(begun["plan"]),
            "state": "running" if "ended" not in parts else parts["ended"].get("reason", "ended"),
            "result": parts.get("result", {}).get("by_intention"),
        })  # fmt: skip
    return list(reversed(found))


def _calendar(days: pl.DataFrame, nights: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Weeks of nights, Monday first: how each compares with the 60 nights before, and whether our band held it."""
    if days.is_empty():
        return []
    held = {night["day"]: night["in_80"] for night in nights}
    by_day = {row["day"]: row for row in days.iter_rows(named=True)}
    last = days["day"].max()
    first = last - timedelta(days=7 * CALENDAR_WEEKS - 1)
    first -= timedelta(days=first.weekday())
    weeks: list[list[dict[str, Any]]] = []
    day = first
    while day <= last:
        if day.weekday() == 0:
            weeks.append([])
        weeks[-1].append(_cell(day, by_day, held.get(day.isoformat())))
        day += timedelta(days=1)
    return weeks


def _cell(day: date, by_day: dict[date, dict[str, Any]], in_80: bool | None) -> dict[str, Any]:
    row = by_day.get(day)
    value = row["hrv_rmssd_ms"] if row and row["state"] == "scored" else None
    before = [
        r["hrv_rmssd_ms"] for k in range(1, 61)
        if (r := by_day.get(day - timedelta(days=k))) and r["state"] == "scored" and r["hrv_rmssd_ms"]
    ]  # fmt: skip
    level = None
    if value is not None and len(before) >= 14:
        mean = sum(before) / len(before)
        sd = (sum((b - mean) ** 2 for b in before) / (len(before) - 1)) ** 0.5 or 1.0
        z = (value - mean) / sd
        level = -2 if z < -1.5 else -1 if z < -0.5 else 0 if z <= 0.5 else 1 if z <= 1.5 else 2
    return {
        "day": day.isoformat(), "state": row["state"] if row else "missing",
        "hrv_ms": None if value is None else round(value, 1), "level": level, "missed": in_80 is False,
    }  # fmt: skip
