"""Records that WHOOP no longer lists. There is no list of deletions: one is seen by re-reading a window.

Nothing is deleted here; a `gone` fact is added, which a reappearing record takes back. Because a faulty answer looks
just like a deletion, at most five are marked per run, and none when a whole kind came back empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from whoop_api_client.models import COLLECTIONS
from whoop_api_client.notebook import Notebook

if TYPE_CHECKING:
    from whoop_api_client.sync import PullResult

CAP_PER_RUN = 5
SUSPICIOUS_FROM = 3
"""So many known records against an empty answer are a fault of the server, not deletions."""


def mark_vanished(
    book: Notebook,
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
    vanished = list(missing)
    for kind in COLLECTIONS:
        expected = {
            key: anchor
            for key, fact in book.held(kind).items()
            if not book.is_gone(kind, key)
            and (anchor := book.anchor(kind, fact.payload)) is not None
            and start <= anchor <= now
        }
        lost = [
            key for key in sorted(expected, key=lambda key: (expected[key], key)) if key not in answered[kind]
        ]
        if not answered[kind] and len(lost) >= SUSPICIOUS_FROM:
            result.vanished_held_back += len(lost)
            result.warnings.append(
                f"WHOOP listed no {kind} at all for a window in which we know {len(lost)}; taken for a fault of the "
                "server, nothing was marked."
            )
            continue
        vanished += [(kind, key) for key in lost]
    for kind, key in vanished[:CAP_PER_RUN]:
        book.write_gone(kind, key)
        result.vanished.append(f"{kind}:{key}")
        result.written["gone"] = result.written.get("gone", 0) + 1
    held_back = len(vanished) - CAP_PER_RUN
    if held_back > 0:
        result.vanished_held_back += held_back
        result.warnings.append(
            f"{held_back} more records are no longer listed; at most {CAP_PER_RUN} are marked per pull. "
            "If they were really deleted, the next pulls will mark them."
        )
