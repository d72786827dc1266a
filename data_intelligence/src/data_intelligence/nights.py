"""The nights themselves: how fresh they are, the last one, the last 28, and the personal baseline.

A night that is missing or pending stays so: no earlier value is ever shown under its date.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np

from data_intelligence.evidence import EvidenceBook
from data_intelligence.summary import Baseline, Freshness, LastNight, NightRow
from hrv_shared.daytime import local_time
from hrv_shared.history import History
from hrv_shared.issue import Issue

__all__ = ["baseline_of", "freshness_of", "last_night_of", "recent_nights", "state_of", "usable_hrv"]

SHOWN_NIGHTS = 28
BASELINE_DAYS, WEEK_DAYS = 60, 7
MIN_MEAN, MIN_SD, MIN_WEEK, MIN_CV = 7, 14, 3, 5
"""Nights below which a mean, an SD, a week's mean or its CV is not stated (forecasting.md 4.2)."""

STATE_WORDS = {
    "pending": "WHOOP has not scored it yet",
    "unscorable": "WHOOP could not score it",
    "calibrating": "the strap was still calibrating, so its value is not used",
    "no_sleep": "no sleep was recorded (not worn)",
    "invalid": "its value was overwritten by a nap and is not used",
    "missing": "nothing about it has been received",
}


def usable_hrv(history: History) -> dict[date, float]:
    """RMSSD of every night that counts, ms."""
    nights = history.scored_nights()
    return dict(zip(nights["day"], nights["hrv_rmssd_ms"], strict=True))


def state_of(history: History) -> dict[date, str]:
    """State of every day that has a row; a day without one is missing."""
    return dict(zip(history.days["day"], history.days["state"], strict=True))


def freshness_of(history: History, issue: Issue, book: EvidenceBook) -> Freshness:
    """How new the newest row is, and how many nights the newest usable one lies behind."""
    newest: datetime = history.days["known_at"].max()
    last = max(usable_hrv(history))
    behind = (issue.origin_day - last).days
    age_hours = (issue.as_of - newest).total_seconds() / 3600
    local = local_time(newest, issue.utc_offset_min)
    words = "last night is in" if behind == 0 else f"the last scored night is {last}, {behind} behind"
    return Freshness(
        newest_known_at=newest, age_hours=round(age_hours, 1), last_scored_day=last, nights_behind=behind,
        sentence=f"newest data {local:%Y-%m-%d %H:%M} local; {words}",
        evidence=book.cite("days", "newest row known and last scored night", [f"days/{last}/known_at"]),
    )  # fmt: skip


def last_night_of(history: History, issue: Issue, baseline: Baseline, book: EvidenceBook) -> LastNight:
    """The night of the origin day; without a usable value it says why."""
    day = issue.origin_day
    value = usable_hrv(history).get(day)
    state = "scored" if value is not None else _unusable(state_of(history).get(day, "missing"))
    z = None
    if value is None:
        sentence = f"The night to {day} has no HRV: {STATE_WORDS[state]}."
    else:
        sentence = f"The night to {day}: {value:.1f} ms."
        if baseline.mean_60d_ms is not None and baseline.sd_60d_ms:
            z = round((value - baseline.mean_60d_ms) / baseline.sd_60d_ms, 2)
            sentence = f"The night to {day}: {value:.1f} ms, {z:+z.1f} SD from the 60-day mean."
    return LastNight(
        day=day, state=state, hrv_rmssd_ms=None if value is None else round(value, 1), z=z, sentence=sentence,
        evidence=book.cite("days", f"HRV of the night to {day}", [f"days/{day}/hrv_rmssd_ms", f"days/{day}/state"]),
    )  # fmt: skip


def recent_nights(history: History, issue: Issue, book: EvidenceBook) -> tuple[NightRow, ...]:
    """The last 28 calendar days, oldest first."""
    values, states = usable_hrv(history), state_of(history)
    rows = []
    for back in range(SHOWN_NIGHTS - 1, -1, -1):
        day = issue.origin_day - timedelta(days=back)
        value = values.get(day)
        state = "scored" if value is not None else _unusable(states.get(day, "missing"))
        cited = book.cite(
            "days", f"HRV of the night to {day}", [f"days/{day}/hrv_rmssd_ms", f"days/{day}/state"]
        )
        rows.append(
            NightRow(
                day=day, state=state, hrv_rmssd_ms=None if value is None else round(value, 1), evidence=cited
            )
        )
    return tuple(rows)


def baseline_of(history: History, issue: Issue, book: EvidenceBook) -> Baseline:
    """Mean and SD of 60 days, mean and CV of 7, and half an SD as the smallest change worth a word."""
    values = usable_hrv(history)
    wide = _window(values, issue.origin_day, BASELINE_DAYS)
    week = _window(values, issue.origin_day, WEEK_DAYS)
    mean = float(np.mean(wide)) if len(wide) >= MIN_MEAN else None
    sd = float(np.std(wide, ddof=1)) if len(wide) >= MIN_SD else None
    week_mean = float(np.mean(week)) if len(week) >= MIN_WEEK else None
    cv = 100 * float(np.std(week, ddof=1) / np.mean(week)) if len(week) >= MIN_CV else None
    first = issue.origin_day - timedelta(days=BASELINE_DAYS - 1)
    where = [f"days/{first}..{issue.origin_day}/hrv_rmssd_ms"]
    return Baseline(
        mean_60d_ms=_round(mean), sd_60d_ms=_round(sd), n_60d=len(wide), mean_7d_ms=_round(week_mean), n_7d=len(week),
        smallest_worthwhile_change_ms=_round(None if sd is None else sd / 2), cv_7d_pct=_round(cv),
        evidence=book.cite("derived", "personal baseline: mean and SD of 60 days, mean and CV of 7", where),
    )  # fmt: skip


def _window(values: dict[date, float], last: date, days: int) -> np.ndarray:
    return np.array([v for day, v in values.items() if last - timedelta(days=days) < day <= last])


def _unusable(state: str) -> str:
    """A scored row whose value is implausible does not count as scored."""
    return "unscorable" if state == "scored" else state


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
