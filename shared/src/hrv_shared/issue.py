"""Which forecast is due now: one answer for every room, computed from the data and the clock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from hrv_shared.constants import SLOTS, STALE_AFTER_DAYS
from hrv_shared.daytime import replay_evening_at, slot_and_origin, slot_closes_at, slot_of, slot_opens_at
from hrv_shared.errors import ConfigurationError, SlotNotOpen, TooFewNights
from hrv_shared.history import as_of_days
from hrv_shared.store import Store

__all__ = ["ISSUE_VARIABLE", "Issue", "current_issue", "issue_choice", "past_issues"]

ISSUE_VARIABLE = "HRV_ISSUE"
"""Environment variable by which a run tells each of its steps which slot it was started for: ``evening:2026-11-21``."""

GRACE = timedelta(hours=2)
"""A run that was started in its slot may end this much after it; the ledger's own limits stand besides."""


@dataclass(frozen=True)
class Issue:
    """A forecast to be made: for whom, when, from which origin, into which book.

    Attributes
    ----------
    note : str
        Why it is a replay, in words for the wearer; empty when live.
    """

    member_id: str
    book: str
    slot: str
    as_of: datetime
    origin_day: date
    utc_offset_min: int
    note: str = ""

    @property
    def name(self) -> str:
        """File stem of its reports, such as ``me-2026-11-23-evening``."""
        return f"{self.member_id}-{self.origin_day.isoformat()}-{self.slot}"

    def describe(self) -> dict[str, str | int]:
        """The issue as JSON values."""
        return {
            "member_id": self.member_id, "book": self.book, "slot": self.slot, "as_of": self.as_of.isoformat(),
            "origin_day": self.origin_day.isoformat(), "utc_offset_min": self.utc_offset_min, "note": self.note,
        }  # fmt: skip


def current_issue(store: Store, member_id: str, *, asked: str | None = None) -> Issue:
    """The forecast of now.

    Live, unless the last scored night is more than three days old: then nothing honest can be said about tomorrow, and
    the issue is a replay at the end of the data that says so.

    Parameters
    ----------
    asked : str, optional
        Slot and day of the run that asks, as in ``HRV_ISSUE`` (the default): every step of a run speaks of the same
        issue, also when the clock passes 18:00 or 04:00 on the way.

    Raises
    ------
    TooFewNights
        There is no scored night at all.
    SlotNotOpen
        The slot that was asked for is over, or has not begun.
    """
    now = store.clock()
    days = store.read_table("days").filter(pl.col("member_id") == member_id)
    seen = as_of_days(days, now)
    scored = seen.filter(pl.col("state") == "scored")
    if scored.is_empty():
        raise TooFewNights(
            f"No scored night of {member_id} is known yet. Pull from WHOOP (hrv pull) "
            "or import an export (hrv import PATH)."
        )
    offset = (
        int(scored["utc_offset_min"].drop_nulls().tail(1).item(0)) if scored["utc_offset_min"].count() else 0
    )
    last_night: date = scored["day"].max()
    asked = os.environ.get(ISSUE_VARIABLE, "") if asked is None else asked
    slot, origin = (
        _open_slot(asked, now, offset) if asked else slot_and_origin(now, offset, seen["day"].max())
    )
    if origin - last_night <= timedelta(days=STALE_AFTER_DAYS):
        return Issue(member_id, "live", slot, now, origin, offset)
    return _at_the_end(member_id, seen, last_night, offset, now)


def issue_choice(slot: str, day: date) -> str:
    """How a run names its issue to its steps."""
    return f"{slot}:{day.isoformat()}"


def past_issues(store: Store, member_id: str, *, nights: int, slot: str, before: Issue) -> list[Issue]:
    """Replay issues of the last ``nights`` origin days before ``before``, oldest first.

    A replayed evening is set at the sleep onset of the coming night, a morning when its night became known; both are
    instants by which a live forecast could have been made.
    """
    seen = as_of_days(store.read_table("days").filter(pl.col("member_id") == member_id), before.as_of)
    own = seen.filter(
        pl.col("day") < before.origin_day, pl.col("state").is_in(["scored", "calibrating", "no_sleep"])
    )
    issues = []
    for row in own.tail(nights).iter_rows(named=True):
        offset = row["utc_offset_min"] or 0
        if slot == "evening":
            as_of = replay_evening_at(row["day"], offset, row["day_closed_at"])
        else:
            as_of = row["known_at"] if row["wake_at"] is None else row["wake_at"] + timedelta(hours=1)
        if as_of < before.as_of:
            issues.append(Issue(member_id, "replay", slot, as_of, row["day"], offset, "replayed"))
    return issues


def _open_slot(asked: str, now: datetime, utc_offset_min: int) -> tuple[str, date]:
    slot, _, text = asked.partition(":")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or slot not in SLOTS:
        raise ConfigurationError(
            f"Expected {ISSUE_VARIABLE} such as evening:2026-11-21, got {asked!r}. Unset it."
        )
    if now < slot_opens_at(day, slot, utc_offset_min):
        raise SlotNotOpen(
            f"The {slot} of {day} lies ahead; no forecast is made out before its time. Run: hrv daily"
        )
    if now >= slot_closes_at(day, slot, utc_offset_min) + GRACE:
        raise SlotNotOpen(
            f"The {slot} of {day} is over; no forecast is made out late under its name. Run: hrv daily"
        )
    return slot, day


def _at_the_end(member_id: str, seen: pl.DataFrame, last_night: date, offset: int, now: datetime) -> Issue:
    last = seen.filter(pl.col("day") == last_night).row(0, named=True)
    closed = last["day_closed_at"]
    as_of = last["known_at"] if closed is None else replay_evening_at(last_night, offset, closed)
    # data may end in an open cycle, late in its day: that is an evening too
    slot = "evening" if closed is not None else slot_of(as_of, offset)
    note = (
        f"Replayed as of {last_night}: the last scored night is {(now.date() - last_night).days} days old, so no "
        "honest forecast of tomorrow exists. Pull or import newer data for a live one."
    )
    return Issue(member_id, "replay", slot, max(as_of, last["wake_at"] or as_of), last_night, offset, note)
