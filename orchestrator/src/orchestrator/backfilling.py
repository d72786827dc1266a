"""`hrv backfill FROM..TO`: what would have been said on past days, and the reports of each, as of then."""

from __future__ import annotations

import subprocess
from datetime import date, datetime, timedelta
from typing import Any

from hrv_shared.cli import progress
from hrv_shared.constants import SLOTS
from hrv_shared.issue import Issue, current_issue, past_issues
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator.daily import DailyRun, run_job
from orchestrator.errors import BadRange
from orchestrator.instance import opened
from orchestrator.rooms import quiet_environment, room_command

__all__ = ["backfill_range", "parse_range"]

_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def parse_range(text: str) -> tuple[date, date]:
    """Read ``2026-05-01..2026-05-31``, or one day.

    Raises
    ------
    BadRange
        Another form, or the end lies before the beginning.
    """
    first, dots, last = text.partition("..")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise BadRange(f"Expected days such as 2026-05-01..2026-05-31, got {text!r}.") from None
    if days[1] < days[0]:
        raise BadRange(f"Expected the earlier day first, got {text!r}. Write {last}..{first}.")
    return days


def backfill_range(settings: Settings, first: date, last: date, *, reports: bool = True) -> dict[str, Any]:
    """Replay both slots of every wake day of the range; write the reports of its evenings and of its weeks.

    Raises
    ------
    BadRange
        There is no night in the range that a forecast could have started from.
    """
    from orchestrator.runner import MEMBER_TAG, RoomRunner

    store = Store.open(settings)
    issues = _evenings(store, settings, first, last)
    if not issues:
        raise BadRange(
            f"No day of {first} … {last} has a night in the record. hrv status shows what there is."
        )
    run, rooms = DailyRun(), RoomRunner(environment={"HRV_HOME": str(settings.home)})
    tags = dict(zip(_RANGE_TAGS, (first.isoformat(), last.isoformat()), strict=True))
    before = len(store.ledger.forecasts("replay", settings.member_id))
    with opened(settings.home) as instance:
        run_job(instance, "backfill", rooms, run, tags=tags | {MEMBER_TAG: settings.member_id})
    written = len(store.ledger.forecasts("replay", settings.member_id)) - before
    made, without = _reports(issues) if reports else (0, [])
    days = len(issues)
    return {
        "first": first,
        "last": last,
        "days": days,
        "written": written,
        "reports": made,
        "without": without,
    }


def _evenings(store: Store, settings: Settings, first: date, last: date) -> list[Issue]:
    now = current_issue(store, settings.member_id, asked="")
    span = max((now.origin_day - first).days, 1)
    past = past_issues(store, settings.member_id, nights=span, slot=SLOTS[-1], before=now)
    return [issue for issue in past if first <= issue.origin_day <= last]


def _reports(issues: list[Issue]) -> tuple[int, list[str]]:
    """Reports of each evening, and of each Sunday's week; those that can't be made are said, not fatal."""
    wanted = [("daily", issue.as_of) for issue in issues]
    wanted += [
        ("weekly", issue.as_of) for issue in issues if issue.origin_day.weekday() == 6 or issue is issues[-1]
    ]
    made, without = 0, []
    with progress("Writing reports", total=len(wanted)) as advance:
        for period, as_of in wanted:
            error = _report(period, as_of)
            made, without = (made + 1, without) if error is None else (made, [*without, error])
            advance(1.0)
    return made, without


def _report(period: str, as_of: datetime) -> str | None:
    command = room_command(
        "intelligence", period, "--slot", SLOTS[-1], "--as-of", as_of.isoformat(), "--json"
    )
    done = subprocess.run(command, env=quiet_environment(), capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    day = (as_of - timedelta(hours=12)).date()
    return f"No {period} report about {day}: hrv report {period} --as-of {as_of.isoformat()} says why."
