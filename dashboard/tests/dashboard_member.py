"""A member who does not exist, for whom it is evening now: nights, a morning's live forecast, nothing of the evening.

The morning's forecast is made by the rooms' real verbs, at a clock of that morning; so what the page shows changes when
the evening's is made with what was told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from hrv_shared import schemas
from hrv_shared.store import Store

EVENING_MIN = 20 * 60


def evening_offset_min(now: datetime) -> int:
    """Minutes east of UTC of a place where it is eight in the evening now."""
    offset = EVENING_MIN - (now.hour * 60 + now.minute)
    return offset - 1440 if offset > 840 else offset + 1440 if offset < -720 else offset


def make_nights(home: Path, *, nights: int, seed: int = 3, member_id: str = "me") -> Store:
    """A store with ``nights`` nights up to this morning."""
    now = datetime.now(UTC)
    offset = evening_offset_min(now)
    today = (now + timedelta(minutes=offset)).date()
    draw = np.random.default_rng(seed)
    level = 62 + np.cumsum(draw.normal(0, 0.8, nights))
    rows = []
    for back in range(nights - 1, -1, -1):
        day = today - timedelta(days=back)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(minutes=offset)
        wake = midnight + timedelta(hours=7)
        row = dict.fromkeys(schemas.TABLES["days"].columns)
        row |= {
            "member_id": member_id, "day": day, "known_at": wake + timedelta(minutes=30), "basis": "seen",
            "source": "whoop-api", "state": "scored", "utc_offset_min": offset,
            "sleep_onset_at": midnight - timedelta(minutes=40), "wake_at": wake, "flags": [],
            "hrv_rmssd_ms": float(max(20, level[nights - 1 - back] + draw.normal(0, 7))),
            "resting_hr_bpm": float(round(52 + draw.normal(0, 1.5))), "asleep_min": float(430 + draw.normal(0, 30)),
            "day_closed_at": None if back == 0 else midnight + timedelta(hours=23.2),
            "strain_0_21": None if back == 0 else float(np.clip(10 + draw.normal(0, 3), 2, 20)),
        }  # fmt: skip
        rows.append(row)
    store = Store(home)
    store.write_table("days", pl.DataFrame(rows, schema=schemas.TABLES["days"].columns, orient="row"))
    return store


def issue_morning(store: Store, member_id: str = "me") -> None:
    """The live forecast of this morning and its summary, as of half past eight."""
    from data_intelligence import chosen_issue, write_daily
    from model_training import combine, issue_forecasts

    last = store.read_table("days").sort("day").row(-1, named=True)
    morning = Store(store.home, clock=lambda: last["wake_at"] + timedelta(minutes=90))
    issue = chosen_issue(morning, member_id)
    assert (issue.book, issue.slot) == ("live", "morning"), issue
    morning.ledger.record_outcomes(morning.read_table("days"))
    issue_forecasts(morning, issue)
    combine(morning, issue)
    write_daily(morning, issue)
    morning.ledger.close()
    morning.record.close()
