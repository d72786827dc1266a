"""What else the body says: sleep, resting heart rate, strain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from data_intelligence.evidence import EvidenceBook
from data_intelligence.nights import state_of
from data_intelligence.summary import Load, RestingHr, SleepBlock
from hrv_shared.daytime import local_time
from hrv_shared.history import History
from hrv_shared.issue import Issue

__all__ = ["load_of", "resting_hr_of", "sleep_of"]

ACUTE_DAYS, CHRONIC_DAYS, MIN_ACUTE, MIN_CHRONIC = 7, 28, 4, 14


def sleep_of(history: History, issue: Issue, book: EvidenceBook) -> SleepBlock | None:
    """Sleep of the night to the origin day, or None when none is on record."""
    row = _row(history, issue.origin_day)
    if row is None or row["asleep_min"] is None:
        return None
    onset = row["sleep_onset_at"]
    offset = row["utc_offset_min"] if row["utc_offset_min"] is not None else issue.utc_offset_min
    fields = (
        "asleep_min",
        "sleep_efficiency_pct",
        "sleep_performance_pct",
        "sleep_debt_min",
        "sleep_onset_at",
    )
    return SleepBlock(
        day=issue.origin_day,
        asleep_h=_hours(row["asleep_min"]),
        efficiency_pct=_round(row["sleep_efficiency_pct"]),
        performance_pct=_round(row["sleep_performance_pct"]),
        debt_h=_hours(row["sleep_debt_min"]),
        onset_local=None if onset is None else f"{local_time(onset, offset):%H:%M}",
        evidence=book.cite(
            "days", "sleep last night", [f"days/{issue.origin_day}/{name}" for name in fields]
        ),
    )


def resting_hr_of(history: History, issue: Issue, book: EvidenceBook) -> tuple[RestingHr, ...]:
    """Resting heart rate of the last three nights, oldest first."""
    states, rows = state_of(history), []
    for back in (2, 1, 0):
        day = issue.origin_day - timedelta(days=back)
        row = _row(history, day)
        value = None if row is None or states[day] != "scored" else row["resting_hr_bpm"]
        cited = book.cite("days", f"resting heart rate of the night to {day}", [f"days/{day}/resting_hr_bpm"])
        rows.append(
            RestingHr(day=day, state=states.get(day, "missing"), resting_hr_bpm=_round(value), evidence=cited)
        )
    return tuple(rows)


def load_of(history: History, issue: Issue, book: EvidenceBook) -> Load:
    """Acute and chronic strain over complete days, and the origin day's strain (so far)."""
    today = _row(history, issue.origin_day)
    strain = None if today is None else today["strain_0_21"]
    is_final = None if strain is None else bool(today["strain_is_final"])
    last = issue.origin_day if is_final else issue.origin_day - timedelta(days=1)
    complete = {
        row["day"]: row["strain_0_21"]
        for row in history.days.iter_rows(named=True)
        if row["strain_0_21"] is not None and row["strain_is_final"]
    }
    acute = [complete[d] for d in _back(last, ACUTE_DAYS) if d in complete]
    chronic = [complete[d] for d in _back(last, CHRONIC_DAYS) if d in complete]
    acute_mean = float(np.mean(acute)) if len(acute) >= MIN_ACUTE else None
    chronic_mean = float(np.mean(chronic)) if len(chronic) >= MIN_CHRONIC else None
    where = [
        f"days/{last - timedelta(days=CHRONIC_DAYS - 1)}..{last}/strain_0_21",
        f"days/{issue.origin_day}/strain_0_21",
    ]
    return Load(
        acute_7d_strain=_round(acute_mean), chronic_28d_strain=_round(chronic_mean),
        ratio=round(acute_mean / chronic_mean, 2) if acute_mean and chronic_mean else None,
        n_7d=len(acute), n_28d=len(chronic), today_strain_0_21=_round(strain), today_is_final=is_final,
        evidence=book.cite("derived", "mean daily strain of 7 and 28 complete days, and today's", where),
    )  # fmt: skip


def _row(history: History, day: date) -> dict[str, Any] | None:
    found = history.days.filter(history.days["day"] == day)
    return found.row(0, named=True) if len(found) else None


def _back(last: date, days: int) -> list[date]:
    return [last - timedelta(days=i) for i in range(days)]


def _hours(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes / 60, 1)


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), 1)
