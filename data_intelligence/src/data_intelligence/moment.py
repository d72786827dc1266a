"""Which issue a command speaks of: the one that is due, or an earlier one that was asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from data_intelligence.errors import BadMoment
from hrv_shared.constants import SLOTS
from hrv_shared.daytime import origin_day, parse_instant, slot_of
from hrv_shared.errors import TooFewNights
from hrv_shared.history import as_of_days
from hrv_shared.issue import Issue, current_issue
from hrv_shared.store import Store

__all__ = ["chosen_issue"]

JUST_CLOSED = timedelta(hours=1)
"""An instant this soon after sleep onset still is the evening of the day that it closed."""


def chosen_issue(store: Store, member_id: str, *, slot: str | None = None, as_of: str | None = None) -> Issue:
    """The issue that is due now, or with ``as_of`` the replay of that instant.

    Parameters
    ----------
    slot : str, optional
        ``morning`` or ``evening`` in place of the one that the clock says.
    as_of : str, optional
        ISO 8601 instant; without an offset it is UTC.

    Raises
    ------
    BadMoment
        Not an instant, later than now, or an unknown slot.
    TooFewNights
        No scored night was known then.
    """
    if slot is not None and slot not in SLOTS:
        raise BadMoment(f"Expected --slot morning or evening, got {slot!r}.")
    if as_of is None:
        issue = current_issue(store, member_id)
        return issue if slot is None else replace(issue, slot=slot)
    moment = _read_instant(as_of, store.clock())
    days = store.read_table("days").filter(pl.col("member_id") == member_id)
    seen = as_of_days(days, moment)
    scored = seen.filter(pl.col("state") == "scored")
    if scored.is_empty():
        raise TooFewNights(
            f"No scored night of {member_id} was known at {moment.isoformat()}. Choose a later --as-of."
        )
    last = seen.row(-1, named=True)
    offsets = scored["utc_offset_min"].drop_nulls()
    offset = int(offsets[-1]) if len(offsets) else 0
    closed = last["day_closed_at"]
    if closed is not None and closed <= moment <= closed + JUST_CLOSED:
        origin, by_clock = last["day"], "evening"
    else:
        origin, by_clock = origin_day(moment, offset, last["day"]), slot_of(moment, offset)
    return Issue(
        member_id, "replay", slot or by_clock, moment, origin, offset, f"Replayed as of {moment.isoformat()}."
    )


def _read_instant(text: str, now: datetime) -> datetime:
    try:
        moment = parse_instant(text)
    except ValueError:
        raise BadMoment(
            f"Expected --as-of as an ISO instant such as 2026-11-20T21:00:00+01:00, got {text!r}."
        ) from None
    if moment > now:
        raise BadMoment(
            f"--as-of {text} lies in the future; the summary can only look back from now ({now:%Y-%m-%dT%H:%MZ})."
        )
    return moment
