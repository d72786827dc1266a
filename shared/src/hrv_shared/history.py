"""The as-of view: what was known at an instant, and nothing else.

Every forecast, summary and prompt starts here. A row with ``known_at`` after ``as_of`` is cut before anything looks at
it; within the origin day a morning sees the night only, an evening the day so far too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hrv_shared.constants import RMSSD_PLAUSIBLE_MS
from hrv_shared.record import canonical_json
from hrv_shared.schemas import DAYTIME_COLUMNS

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["History", "as_of_days", "as_of_journal", "load_history", "make_history"]


@dataclass(frozen=True)
class History:
    """One member as known at ``as_of``.

    Attributes
    ----------
    days : DataFrame
        Schema ``days``, one row a day (its vintage in force at ``as_of``), up to and with ``origin_day``.
    journal : DataFrame
        Schema ``journal_facts``, one row a fact (its revision in force at ``as_of``).
    """

    member_id: str
    as_of: datetime
    slot: str
    origin_day: date
    days: pl.DataFrame
    journal: pl.DataFrame

    def hrv_series(self) -> tuple[list[date], np.ndarray]:
        """Every calendar day from the first scored night to the origin, and its RMSSD.

        Returns
        -------
        days : list of date [N]
        values_ms : ndarray [N], ms
            NaN where there is no usable night.
        """
        nights = self.scored_nights()
        if nights.is_empty():
            return [], np.array([])
        first = nights["day"].min()
        calendar = [first + timedelta(days=i) for i in range((self.origin_day - first).days + 1)]
        known = dict(zip(nights["day"], nights["hrv_rmssd_ms"], strict=True))
        return calendar, np.array([known.get(day, np.nan) for day in calendar])

    def scored_nights(self) -> pl.DataFrame:
        """The days with usable HRV."""
        low, high = RMSSD_PLAUSIBLE_MS
        return self.days.filter(pl.col("state") == "scored", pl.col("hrv_rmssd_ms").is_between(low, high))

    def digest(self) -> str:
        """Digest of everything in it: equal digests mean equal inputs."""
        sha = hashlib.sha256(
            canonical_json(
                [self.member_id, self.as_of.isoformat(), self.slot, self.origin_day.isoformat()]
            ).encode()
        )
        for frame in (self.days, self.journal):
            sha.update(frame.write_json().encode())
        return sha.hexdigest()


def load_history(store: Store, member_id: str, as_of: datetime, origin_day: date, slot: str) -> History:
    """The history of one member, read from the store's tables."""
    return make_history(
        store.read_table("days"), store.read_table("journal_facts"), member_id, as_of, origin_day, slot
    )


def make_history(
    days: pl.DataFrame, journal: pl.DataFrame, member_id: str, as_of: datetime, origin_day: date, slot: str
) -> History:
    """The same as a pure function of the two tables."""
    own = as_of_days(days.filter(pl.col("member_id") == member_id), as_of).filter(pl.col("day") <= origin_day)
    if slot == "morning":
        at_origin = pl.col("day") == origin_day
        own = own.with_columns(
            pl.when(at_origin).then(None).otherwise(pl.col(name)).alias(name) for name in DAYTIME_COLUMNS
        )
    facts = as_of_journal(journal.filter(pl.col("member_id") == member_id), as_of)
    return History(member_id, as_of, slot, origin_day, own, facts)


def as_of_days(days: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The vintage of each day in force at ``as_of``, sorted by member and day; vanished days are left out."""
    return (
        days.filter(pl.col("known_at") <= as_of)
        .sort("member_id", "day", "known_at")
        .unique(["member_id", "day"], keep="last", maintain_order=True)
        .filter(pl.col("state") != "vanished")
    )


def as_of_journal(journal: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The revision of each journal fact in force at ``as_of``; rejected ones are left out."""
    return (
        journal.filter(pl.col("known_at") <= as_of)
        .sort("member_id", "fact_key", "known_at", "revision")
        .unique(["member_id", "fact_key"], keep="last", maintain_order=True)
        .filter(pl.col("status") != "rejected")
    )
