"""What is being done about a run of days without usable HRV: asked again and until when, or nothing and why.

The rules are those of `sync`: a pull re-reads seven days, once a week thirty, and what is pending until it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from whoop_api_client.sync import LONG_WINDOW, WINDOW

_WHY_NOTHING = {
    "missing": "no record tells of it; a newer export may, or hrv pull --day {day} from a connected account",
    "no_sleep": "the strap was not worn, or no sleep was seen",
    "unscorable": "WHOOP could not score it",
    "calibrating": "WHOOP was still learning this wearer",
    "invalid": "the export shows a nap in the place of the night; a connected account brings the night: "
    "hrv connect, hrv pull --full",
    "vanished": "it was deleted at WHOOP; the record keeps what was there",
}


@dataclass(frozen=True)
class GapAction:
    """`text` for people; `until` is the last day on which a pull asks again by itself, None: for ever or never."""

    text: str
    is_asked_again: bool
    until: date | None = None


def what_is_done(state: str, first: date, last: date, today: date, *, connected: bool) -> GapAction:
    """The action for a run of days of one state.

    Parameters
    ----------
    connected : bool
        Without a login nothing is asked again.
    """
    nothing = _WHY_NOTHING.get(state, "nothing is known of it").format(day=first)
    if not connected:
        if state == "pending":
            return GapAction("nothing while not connected: hrv connect, then hrv pull", False)
        return GapAction(f"nothing: {nothing}", False)
    if state == "pending":
        return GapAction("asked for again at every pull until WHOOP has scored it", True)
    often, rarely = last + WINDOW, last + LONG_WINDOW
    if today <= often:
        return GapAction(f"re-read at every pull until {often}, once a week until {rarely}", True, rarely)
    if today <= rarely:
        return GapAction(f"re-read once a week until {rarely}", True, rarely)
    return GapAction(f"nothing: {nothing}", False)
