"""When each cycle of a cycles file ended: told, or inferred where the file does not say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from whoop_api_client.export.known_at import OPEN_FOR
from whoop_api_client.export.nights import NONE, whose_night
from whoop_api_client.export.rows import ExportRow

__all__ = ["CLOSED_INFERRED", "Closing", "closings"]

CLOSED_INFERRED = "Cycle end time (inferred, UTC)"
"""Our one addition to a raw row: set when WHOOP left the end of a past cycle empty."""

_LONGEST = timedelta(hours=36)
"""A following cycle that begins later than this does not tell when this one ended (the strap was off)."""


@dataclass(frozen=True)
class Closing:
    """When the row is complete, by which rule, and the inferred end as text if the file had none."""

    at: datetime
    rule: str
    inferred_text: str = ""


def closings(rows: list[ExportRow]) -> dict[int, Closing]:
    """Find out when each cycle closed.

    Parameters
    ----------
    rows : list of ExportRow
        All rows of a cycles file, in any order.

    Returns
    -------
    dict of int to Closing
        By line number.
    """
    ordered = sorted(rows, key=lambda row: (row.cycle_start_at, row.line))
    return {row.line: _closing(row, ordered[place + 1 : place + 50]) for place, row in enumerate(ordered)}


def _closing(row: ExportRow, later: list[ExportRow]) -> Closing:
    if row.cycle_end_at is not None:
        return Closing(row.cycle_end_at, "cycle-end")
    open_until = row.cycle_start_at + OPEN_FOR
    if not later:
        return Closing(open_until, "cycle-start+24h")
    night = whose_night(row.cycle_start_at, row.start_at)
    after = row.cycle_start_at if night == NONE or row.end_at is None else max(row.end_at, row.cycle_start_at)
    following = next((r.cycle_start_at for r in later if r.cycle_start_at > after), None)
    if following is None or following - row.cycle_start_at > _LONGEST:
        end, rule = max(open_until, after), "cycle-start+24h"
    else:
        end, rule = following, "next-cycle-start"
    return Closing(end, rule, end.strftime("%Y-%m-%dT%H:%M:%SZ"))
