"""When a forecaster may speak at all: enough nights, and a recent one."""

from __future__ import annotations

from hrv_shared.constants import STALE_AFTER_DAYS
from hrv_shared.errors import StaleData, TooFewNights
from hrv_shared.history import History

__all__ = ["require_nights"]


def require_nights(history: History, at_least: int, forecaster: str) -> None:
    """Refuse a history that does not bear a forecast.

    Raises
    ------
    TooFewNights
        Fewer than ``at_least`` scored nights.
    StaleData
        The last scored night lies more than three days before the origin.
    """
    nights = history.scored_nights()["day"]
    if len(nights) < at_least:
        raise TooFewNights(
            f"{forecaster} needs {at_least} scored nights, {len(nights)} are known on {history.origin_day}. "
            "It will speak once they are there; until then the simpler rules do."
        )
    age = (history.origin_day - nights.max()).days
    if age > STALE_AFTER_DAYS:
        raise StaleData(
            f"{forecaster}: the last scored night before {history.origin_day} is {age} days old, more than "
            f"{STALE_AFTER_DAYS}. Pull or import newer nights."
        )
