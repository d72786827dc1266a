"""Numbers and days in words for somebody who has just woken up."""

from __future__ import annotations

from datetime import date, datetime, timedelta

__all__ = [
    "chance_words",
    "clock_words",
    "compared_words",
    "day_words",
    "local_words",
    "lower_first",
    "short_day",
]

WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def compared_words(p_above: float | None) -> str:
    """How tomorrow compares with the usual level; empty when that is unknown."""
    if p_above is None:
        return ""
    steps = (
        (0.10, "very likely below your usual"),
        (0.30, "probably below your usual"),
        (0.45, "perhaps a little below your usual"),
        (0.55, "about your usual"),
        (0.70, "perhaps a little above your usual"),
        (0.90, "probably above your usual"),
    )
    return next((words for below, words in steps if p_above < below), "very likely above your usual")


def chance_words(p_above: float | None) -> str:
    """The chance of lying above the baseline, as a person would say it."""
    if p_above is None:
        return "unknown, there is no baseline yet"
    tens = round(10 * p_above)
    return {0: "less than 1 in 10", 10: "more than 9 in 10"}.get(tens, f"about {tens} in 10")


def day_words(text: str) -> str:
    """``2026-07-01`` as ``Wednesday``: the days of a week need no date."""
    return WEEKDAYS[date.fromisoformat(text).weekday()]


def short_day(text: str | date) -> str:
    """``2026-07-01`` as ``Wed 1 Jul``, whatever the locale."""
    day = text if isinstance(text, date) else date.fromisoformat(text[:10])
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1]}"


def local_words(instant: str | datetime, utc_offset_min: int) -> str:
    """An instant on the wearer's clock: ``Wed 1 Jul, 21:40``."""
    at = instant if isinstance(instant, datetime) else datetime.fromisoformat(instant)
    local = at + timedelta(minutes=utc_offset_min) - (at.utcoffset() or timedelta(0))
    return f"{short_day(local.date())}, {local:%H:%M}"


def clock_words(instant: str | datetime, utc_offset_min: int) -> str:
    """An instant on the wearer's clock: ``21:40``."""
    return local_words(instant, utc_offset_min).rsplit(", ", 1)[1]


def lower_first(text: str) -> str:
    """For the middle of a sentence."""
    return text[:1].lower() + text[1:]
