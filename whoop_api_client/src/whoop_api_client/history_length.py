"""How far back an account goes, to a month, in a handful of questions: for the estimate of what is left to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from whoop_api_client.client import WhoopClient
from whoop_api_client.models import CYCLES
from whoop_api_client.questions import page

NONE_BEFORE = datetime(2015, 1, 1, tzinfo=UTC)
"""WHOOP's first strap was sold in this year."""
PRECISION = timedelta(days=31)


def first_cycle_near(client: WhoopClient, now: datetime) -> datetime | None:
    """An instant less than a month before the account's first cycle; None when there is no cycle.

    Asks by halving: is there any cycle before this instant? The API has no count and no oldest-first order.
    """

    def any_before(instant: datetime) -> bool:
        return bool(client.ask(page(CYCLES, None, instant, None, size=1)).get("records"))

    if not any_before(now):
        return None
    nothing_before, something_before = NONE_BEFORE, max(now, NONE_BEFORE)
    while something_before - nothing_before > PRECISION:
        middle = nothing_before + (something_before - nothing_before) / 2
        if any_before(middle):
            something_before = middle
        else:
            nothing_before = middle
    return nothing_before
