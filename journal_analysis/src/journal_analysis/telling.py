"""When a note was told, and to which wake day it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from hrv_shared.daytime import format_instant, local_time, origin_day
from hrv_shared.history import as_of_days
from journal_analysis.errors import BadEntry

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["Spoken", "spoken_at", "wearers_offset_min"]

_AHEAD_ALLOWED = timedelta(minutes=5)
_LONGEST_DAY = timedelta(hours=36)
"""Nobody is awake for longer: an older waking says nothing about where the wearer is now."""


@dataclass(frozen=True)
class Spoken:
    """When a note was told: the instant, minutes east of UTC there, and the wake day it belongs to."""

    at: datetime
    utc_offset_min: int
    day: date

    @property
    def minutes_of_day(self) -> int:
        """Minutes after midnight on the wearer's clock."""
        local = local_time(self.at, self.utc_offset_min)
        return local.hour * 60 + local.minute


def spoken_at(store: Store, member_id: str, recorded_at: datetime, *, now: datetime) -> Spoken:
    """The wake day of a note told at ``recorded_at``.

    A note told after midnight belongs to the day before, until a waking of the new day is known; one told before a
    sleep that is known to have begun later belongs to the day before that sleep, also at dawn. Naps are no waking.

    Parameters
    ----------
    recorded_at : datetime
        With its own offset, or in UTC: then the wearer's offset known for that time counts, else this machine's.

    Raises
    ------
    BadEntry
        ``recorded_at`` lies ahead of ``now``.
    """
    said = recorded_at.utcoffset()
    if said is None:
        raise BadEntry(f"Expected the time of the note with its offset from UTC, got {recorded_at}.")
    if recorded_at.year < 1970:
        raise BadEntry(f"Expected the time of a note since 1970, got {recorded_at}.")
    if recorded_at > now + _AHEAD_ALLOWED:  # before its conversion: the end of the year 9999 has none
        raise BadEntry(
            f"Expected a note from the past, but it says it was recorded at {recorded_at} "
            f"and it is {format_instant(now)} now. Give the right time with --recorded-at, or set the clock."
        )
    at = recorded_at.astimezone(UTC)
    own = recorded_at.tzinfo is not UTC
    days = as_of_days(store.read_table("days").filter(pl.col("member_id") == member_id), now)
    offset_min = int(said.total_seconds() // 60) if own else wearers_offset_min(days, at)
    woken = days.filter(pl.col("wake_at") <= at)["day"].max()
    day = origin_day(at, offset_min, woken)
    sleeps_later = days.filter(pl.col("day") == day, pl.col("sleep_onset_at") > at)
    if len(sleeps_later) and sleeps_later["sleep_onset_at"].max() - at < _LONGEST_DAY:
        day -= timedelta(days=1)
    return Spoken(at, offset_min, day)


def wearers_offset_min(days: pl.DataFrame, at: datetime) -> int:
    """The wearer's offset at ``at``: of the last waking before, else of the first day known, else this machine's."""
    known = days.filter(pl.col("utc_offset_min").is_not_null()).sort("day", "known_at")
    before = known.filter(pl.coalesce("wake_at", pl.col("day").cast(pl.Datetime("us", "UTC"))) <= at)
    for rows in (before.tail(1), known.head(1)):
        if len(rows):
            return int(rows["utc_offset_min"][0])
    here = local_time(at, 0).astimezone().utcoffset()
    return int(here.total_seconds() // 60) if here else 0
