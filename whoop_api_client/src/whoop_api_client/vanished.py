"""Records that WHOOP no longer lists. There is no list of deletions: one is seen by re-reading a window.

Nothing is deleted here; a `gone` fact is added, which a reappearing record takes back. A page that is missing from an
answer looks just like a deletion, so each record is asked for by itself before it is marked (404 is a deletion, an
answer is not); at most five are marked per run, and none when a whole kind came back empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import NotFound
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.notebook import Notebook

if TYPE_CHECKING:
    from whoop_api_client.sync import PullResult

CAP_PER_RUN = 5
ASKED_PER_RUN = 25
SUSPICIOUS_FROM = 3
"""So many known records against an empty answer are a fault of the server, not deletions."""


def mark_vanished(
    book: Notebook,
    client: WhoopClient,
    result: PullResult,
    answered: dict[str, set[str]],
    missing: list[tuple[str, str]],
    start: datetime,
    now: datetime,
) -> None:
    """Mark what should have been answered and was not; writes into `result` what was done.

    Parameters
    ----------
    answered : dict of kind to keys
        Everything that WHOOP listed for a window that is wider than ``[start, now]``.
    missing : list of (kind, key)
        Records that WHOOP denied one by one (404).
    """
    suspects: list[tuple[str, str]] = []
    for kind in COLLECTIONS:
        lost = _not_listed(book, kind, answered[kind], start, now)
        if not answered[kind] and len(lost) >= SUSPICIOUS_FROM:
            result.vanished_held_back += len(lost)
            result.warnings.append(
                f"WHOOP listed no {kind} at all for a window in which we know {len(lost)}; taken for a fault of the "
                "server, nothing was marked."
            )
            continue
        suspects += [(kind, key) for key in lost if (kind, key) not in missing]
    gone = list(missing)
    asked = 0
    while suspects and asked < ASKED_PER_RUN and len(gone) < CAP_PER_RUN:
        kind, key = suspects.pop(0)
        asked += 1
        try:
            book.write_page(kind, [client.record(kind, key)])
        except NotFound:
            gone.append((kind, key))
    for kind, key in gone[:CAP_PER_RUN]:
        book.write_gone(kind, key)
        result.vanished.append(f"{kind}:{key}")
    held_back = len(gone[CAP_PER_RUN:]) + len(suspects)
    if held_back > 0:
        result.vanished_held_back += held_back
        result.warnings.append(
            f"{held_back} more records are no longer listed; at most {CAP_PER_RUN} are marked and {ASKED_PER_RUN} "
            "asked for per pull. If they were really deleted, the next pulls will mark them."
        )


def _not_listed(book: Notebook, kind: str, answered: set[str], start: datetime, now: datetime) -> list[str]:
    """Keys that we hold in the window and WHOOP did not list, oldest first."""
    expected = {
        key: anchor
        for key, fact in book.held(kind).items()
        if key not in answered
        and not book.is_gone(kind, key)
        and (anchor := book.anchor(kind, fact.payload)) is not None
        and start <= anchor <= now
    }
    return sorted(expected, key=lambda key: (expected[key], key))
