"""The journal by week: how many days of yes, no and unknown, and the amounts added up, as known at each instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

__all__ = ["monday_of", "week_rows"]


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_rows(days: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of ``journal_weeks`` from the rows of ``journal_days`` of one member, whole weeks of them.

    Each is a vintage too: a week's row changes with every row of its days.
    """
    weeks: dict[tuple[date, str], list[dict[str, Any]]] = {}
    for row in days:
        weeks.setdefault((monday_of(row["day"]), row["behaviour"]), []).append(row)
    found = []
    for (week, behaviour), rows in sorted(weeks.items(), key=itemgetter(0)):
        rows.sort(key=itemgetter("known_at", "day"))
        in_force: dict[date, dict[str, Any]] = {}
        before = None
        for k, row in enumerate(rows):
            in_force[row["day"]] = row
            if k + 1 < len(rows) and rows[k + 1]["known_at"] == row["known_at"]:
                continue
            now = _summed(in_force)
            if now != before:
                found.append({"week": week, "behaviour": behaviour, "known_at": row["known_at"], **now})
                before = now
    return found


def _summed(in_force: dict[date, dict[str, Any]]) -> dict[str, Any]:
    rows = [in_force[day] for day in sorted(in_force)]
    done = [row for row in rows if row["state"] != "unknown" and not row["is_plan"]]
    amounts = [row["amount"] for row in done if row["amount"] is not None]
    return {
        "yes_days": sum(row["state"] == "yes" for row in done),
        "no_days": sum(row["state"] == "no" for row in done),
        "unknown_days": sum(row["state"] == "unknown" for row in rows),
        "plan_days": sum(row["is_plan"] for row in rows),
        "amount_total": sum(amounts) if amounts else None,
        "amount_days": len(amounts),
        "unit": max((row["unit"] for row in rows), default=""),
    }
