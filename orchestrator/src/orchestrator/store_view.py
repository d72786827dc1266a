"""What `due` looks at, read from a store: the last weeks of nights, the slots that stand, the notes of today."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from hrv_shared.constants import PRODUCT
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator.due import MemberView, NightSeen, StoreView

__all__ = ["last_training_day", "members_of", "reports_are_due", "training_is_due", "view_of"]

LOOK_BACK_DAYS = 15
"""Far more than the three days after which a last night is stale, so that a wrong clock does not hide it."""
NOTES_BACK = timedelta(days=2)
_DAY = re.compile(r"-(\d{4}-\d{2}-\d{2})-")


def members_of(store: Store, settings: Settings) -> list[str]:
    """For whom forecasts are made: the setting's member, or everybody in the record."""
    return store.record.members() if settings.all_members else [settings.member_id]


def view_of(store: Store, settings: Settings, *, members: Iterable[str] | None = None) -> StoreView:
    """Read what `due` needs, as it stands now."""
    days = store.read_table("days").select("member_id", "day", "state", "known_at", "utc_offset_min")
    own = [
        _member_view(store, member, days.filter(pl.col("member_id") == member))
        for member in (members_of(store, settings) if members is None else members)
    ]
    return StoreView(own, store.ledger.last_issued_at(), settings.evening_hour)


def _member_view(store: Store, member_id: str, days: pl.DataFrame) -> MemberView:
    if days.is_empty():
        return MemberView(member_id, ())
    since: date = days["day"].max() - timedelta(days=LOOK_BACK_DAYS)
    nights = days.filter(pl.col("day") >= since).sort("day", "known_at").drop("member_id")
    told: Iterable[datetime] = (
        fact.known_at
        for fact in store.record.facts("journal_entry", member_id, known_since=store.clock() - NOTES_BACK)
    )
    return MemberView(
        member_id,
        [NightSeen(*row) for row in nights.iter_rows()],
        frozenset(store.ledger.issued_slots(member_id, PRODUCT, since)),
        sorted(told),
    )


def last_training_day(store: Store, member_id: str) -> date | None:
    """The origin day of the last training that counts."""
    path = store.home / "models" / f"training-{member_id}.json"
    if not path.exists():
        return None
    return date.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["issue"]["origin_day"])


def reports_are_due(home: Path, member_id: str, day: date, *, every_days: int = 7) -> bool:
    """Whether the week's report is a week old at a wake day, or was never written."""
    names = (path.name for path in (home / "reports" / "weekly").glob(f"{member_id}-*.json"))
    written = [date.fromisoformat(found[1]) for name in names if (found := _DAY.search(name)) is not None]
    return not written or (day - max(written)).days >= every_days


def training_is_due(last_origin: date | None, newest_night: date | None, *, every_days: int = 7) -> bool:
    """Whether the models should be trained: never yet, or a week of nights ago; not on the data of long ago."""
    if newest_night is None:
        return False
    return last_origin is None or (newest_night - last_origin).days >= every_days
