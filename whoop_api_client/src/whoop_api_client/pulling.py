"""The room's main verb: pull what is new at WHOOP into the store that the settings name."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from hrv_shared.clock import Clock, system_clock
from hrv_shared.daytime import parse_instant
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from whoop_api_client.budget import open_budget
from whoop_api_client.client import WhoopClient
from whoop_api_client.connection import open_connection
from whoop_api_client.day import synchronise_day
from whoop_api_client.sync import Progress, synchronise
from whoop_api_client.tables import refresh
from whoop_api_client.urls import connection_name


def pull(
    settings: Settings,
    *,
    member_id: str | None = None,
    day: date | None = None,
    full: bool = False,
    on_page: Progress = lambda kind, count, back_to: None,
    on_first: Callable[[datetime | None], None] = lambda first_at: None,
    clock: Clock = system_clock,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Bring record and tables up to date.

    Parameters
    ----------
    day : date, optional
        Only this wake day; its summary is then under ``"day"``.
    full : bool
        Read the whole history again.

    Returns
    -------
    dict
        See `sync.PullResult`.

    Raises
    ------
    WhoopError
        See `errors`. Whatever was read before stays; run it again to carry on.
    """
    member = member_id or settings.member_id
    name = connection_name(member, settings.whoop_api_base)
    store = Store.open(settings, clock)
    tokens = open_connection(settings, member, clock=clock, sleep=sleep)
    try:
        budget = open_budget(settings, tokens.client_id)
        with WhoopClient(tokens, settings.whoop_api_base, budget=budget, sleep=sleep) as client:
            if day is not None:
                result, shown = synchronise_day(store, client, day, member_id=member, connection=name)
            else:
                shown = None
                result = synchronise(
                    store,
                    client,
                    member_id=member,
                    connection=name,
                    full=full,
                    on_page=on_page,
                    on_first=on_first,
                )
        # always, also when nothing was new: the run before may have died between record and tables
        result.tables = refresh(store, member)
        return result.as_dict() | ({"day": shown} if shown else {})
    finally:
        store.record.close()


def last_pull_at(store: Store, settings: Settings, member_id: str) -> datetime | None:
    """When the last pull from this WHOOP was finished."""
    text = store.record.get_cursor(
        f"whoop:{connection_name(member_id, settings.whoop_api_base)}:last_pull_at"
    )
    return parse_instant(text) if text else None
