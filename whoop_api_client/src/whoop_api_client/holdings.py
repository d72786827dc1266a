"""What the store holds of a member, and what it lacks."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import polars as pl

from hrv_shared.store import Store
from whoop_api_client.gap_actions import what_is_done


def holdings(store: Store, member_id: str) -> dict[str, int]:
    """How many keys (not revisions) of each kind of fact the record holds."""
    keys = {(fact.kind, fact.key) for fact in store.record.facts(member_id=member_id)}
    return dict(sorted(Counter(kind for kind, _ in keys).items()))


def days_without_hrv(
    days: pl.DataFrame, member_id: str, since: date | None = None, *, today: date, connected: bool
) -> dict[str, Any]:
    """Calendar days without usable HRV between the first and the last known day.

    Parameters
    ----------
    days : DataFrame
        The `days` table: vintages; the last one of each day is in force.
    today, connected : date, bool
        Decide what is being done about a gap (see `gap_actions`).

    Returns
    -------
    dict
        ``first_day``, ``last_day``, ``days``, ``scored``, ``counts`` per state, and ``gaps``: runs of equal state as
        ``{"state", "from", "to", "days", "doing", "asked_again", "until"}``. A calendar day without a row is
        ``missing``. ``days_behind``: how many days the last known day lies before ``today``.
    """
    states = dict(
        days.filter(pl.col("member_id") == member_id)
        .sort("day", "known_at")
        .unique("day", keep="last", maintain_order=True)
        .select("day", "state")
        .iter_rows()
    )
    if since is not None:
        states = {day: state for day, state in states.items() if day >= since}
    if not states:
        nothing = {"first_day": None, "last_day": None, "days": 0, "scored": 0, "counts": {}, "gaps": []}
        return nothing | {"days_behind": None}
    first, last = min(states), max(states)
    calendar = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    dense = [(day, states.get(day, "missing")) for day in calendar]
    runs: list[dict[str, Any]] = []
    for day, state in dense:
        if state == "scored":
            continue
        if runs and runs[-1]["state"] == state and runs[-1]["to"] == day - timedelta(days=1):
            runs[-1] |= {"to": day, "days": runs[-1]["days"] + 1}
        else:
            runs.append({"state": state, "from": day, "to": day, "days": 1})
    for run in runs:
        done = what_is_done(run["state"], run["from"], run["to"], today, connected=connected)
        run |= {"doing": done.text, "asked_again": done.is_asked_again, "until": done.until}
    counts = Counter(state for _, state in dense if state != "scored")
    return {
        "first_day": first,
        "last_day": last,
        "days": len(dense),
        "scored": sum(state == "scored" for _, state in dense),
        "counts": dict(sorted(counts.items())),
        "gaps": runs,
        "days_behind": (today - last).days,
    }


def runs_text(found: dict[str, Any]) -> str:
    """`days_without_hrv` for people."""
    if not found["days"]:
        return "The store holds no day of this member. Run: hrv pull, or hrv import PATH"
    head = f"{found['first_day']} to {found['last_day']}: {found['scored']} of {found['days']} days have usable HRV."
    lines = [
        f"  {run['state']:<12}{run['from']}"
        + (f" to {run['to']} ({run['days']} days)" if run["days"] > 1 else "")
        + f"  {run['doing']}"
        for run in found["gaps"]
    ]
    if found["days_behind"] > 1:
        lines.append(
            f"The newest day is {found['days_behind']} days old. For newer ones: hrv pull, or import a newer export."
        )
    return "\n".join([head, *lines])
