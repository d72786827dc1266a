"""Whose night a cycles row shows: its own, a nap's, or another cycle's (whoop_export.md 6.1).

Exports made since late 2025 overwrite the sleep and recovery columns of a cycle with those of its nap; the nap's
"recovery" is bogus. Exports put together from API snapshots also repeat a night under the next cycle.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

__all__ = ["COPIED", "NAP", "NONE", "OWN", "OWN_WITHIN", "SAME_INSTANT", "whose_night"]

OWN, NAP, COPIED, NONE = "own", "nap", "copied", "none"

SAME_INSTANT = timedelta(seconds=2)
"""Two starts this close are the same cycle, sleep or workout: exports cut the milliseconds off."""

OWN_WITHIN = timedelta(minutes=5)
"""A main sleep begins its cycle; exports of 2019 differ by a second."""


def whose_night(
    cycle_start_at: datetime, onset_at: datetime | None, nap_onsets: Collection[datetime] = ()
) -> str:
    """Tell whose sleep a cycles row shows: ``own``, ``nap``, ``copied`` or ``none``."""
    if onset_at is None:
        return NONE
    if onset_at - cycle_start_at > OWN_WITHIN or onset_at in nap_onsets:
        return NAP
    return COPIED if cycle_start_at - onset_at > OWN_WITHIN else OWN
