"""When a notification is due: once a day, when the morning's forecast stands, and not while the wearer sleeps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from hrv_shared.daytime import local_time
from orchestrator.due import MemberView, offset_of
from orchestrator.errors import NotifyFailed

__all__ = ["QuietHours", "day_to_tell"]


@dataclass(frozen=True)
class QuietHours:
    """From one local time to another, over midnight where the first is the later one; equal ones are no hours."""

    begins: time
    ends: time

    @classmethod
    def read(cls, text: str) -> QuietHours:
        """Such as ``22:00-07:30``.

        Raises
        ------
        NotifyFailed
            It is not of that form.
        """
        found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)", text.strip())
        if not found:
            raise NotifyFailed(
                f"Expected quiet hours like 22:00-07:30 (setting notify_quiet), got {text!r}. None: 00:00-00:00."
            )
        a, b, c, d = (int(part) for part in found.groups())
        return cls(time(a, b), time(c, d))

    def hold(self, at: time) -> bool:
        """Whether nothing may be sent at this local time."""
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


def day_to_tell(view: MemberView, last_told: date | None, quiet: QuietHours, now: datetime) -> date | None:
    """The wake day whose forecast should be told of now, or None.

    Only today's, on the wearer's clock: a machine that slept tells nothing late.
    """
    local = local_time(now, offset_of(view.nights))
    today = local.date()
    if (last_told is not None and last_told >= today) or quiet.hold(local.time()):
        return None
    return today if (today, "morning") in view.issued else None
