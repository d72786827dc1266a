"""The What moves you page: effects with intervals, experiments, the calendar, and where a value came from."""

from __future__ import annotations

import json
import subprocess
from datetime import date, timedelta
from typing import Any

import polars as pl

from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.rooms import room_command
from dashboard.track import track
from hrv_shared.history import as_of_days
from hrv_shared.store import Store

__all__ = ["gather_moves", "lineage", "moves"]

CALENDAR_WEEKS = 26
QUANTITIES = (
    ("hrv", "HRV"), ("rhr", "resting heart rate"), ("resp", "breaths"), ("sleep", "time asleep"), ("strain", "strain"),
    ("recovery", "recovery"),
)  # fmt: skip
WAIT_S = 30


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
    command = room_command("whoop_api_client", "why", wanted.isoformat(), quantity, "--json")
    done = subprocess.run(
        command,
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=WAIT_S,
        check=False,
    )
    told = json.loads(done.stdout or b"{}")
    if done.returncode != 0:
        raise BadRequest(told.get("error", {}).get("message", "Where this value came from can't be told."))
    return told


def _effect(row: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    names = ("behaviour", "text", "label", "effect_ms", "low80_ms", "high80_ms", "low95_ms", "high95_ms", "n_yes",
             "n_no", "clear", "retrospective", "phrase", "p_harm", "shown", "evidence")  # fmt: skip
    told = {name: row.get(name) for name in names}
    return told | {"evidence_what": evidence.get(row["evidence"], {}).get("what", "")}


def _experiments(store: Store, member_id: str) -> list[dict[str, Any]]:
    """What the record tells of experiments, newest first."""
    found = [fact.key for fact in store.record.facts("experiment", member_id)]
    latest = store.record.latest("experiment", member_id)
    return [latest[key].payload | {"key": key} for key in reversed(list(dict.fromkeys(found)))]


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
