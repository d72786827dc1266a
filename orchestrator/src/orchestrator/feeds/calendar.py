"""A calendar of the coming nights (RFC 5545): a subscribed one shows the week's forecast, renewed with each issue.

Calendars travel: to a phone, to a provider. So an event says "likely above your usual" and no number, unless asked.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from hrv_shared.constants import MEDIAN_INDEX, QUANTILE_LEVELS

__all__ = ["calendar_of", "words_of"]

LIKELY = 0.65


def calendar_of(rows: pl.DataFrame, usual: pl.DataFrame, *, numbers: bool) -> bytes:
    """The newest forecast of each night as an all-day event on its morning.

    Parameters
    ----------
    rows : DataFrame
        As of `forecast_rows`, of one forecaster.
    usual : DataFrame
        The same of ``last_28``: its median is what "usual" means.
    numbers : bool
        Whether median and 80 % band stand in it.
    """
    from icalendar import Calendar, Event

    calendar = Calendar()
    about = {
        "prodid": "-//hrv//forecasts//EN",
        "version": "2.0",
        "method": "PUBLISH",
        "x-wr-calname": "HRV forecast",
    }
    for name, value in about.items():
        calendar.add(name, value)
    keys = ["member", "origin_day", "slot", "target_day"]
    medians = usual.with_columns(pl.col("quantiles_ms").list.get(MEDIAN_INDEX).alias("usual_ms"))
    joined = rows.join(medians.select(*keys, "usual_ms"), on=keys, how="left", maintain_order="left")
    newest = joined.sort("issued_at").unique(["member", "target_day"], keep="last", maintain_order=True)
    for row in newest.sort("target_day", "member").iter_rows(named=True):
        event = Event()
        event.add("uid", f"{row['target_day'].isoformat()}-{row['member']}@hrv")
        event.add("dtstamp", row["issued_at"])
        event.add("last-modified", row["issued_at"])
        event.add("dtstart", row["target_day"])
        event.add("dtend", row["target_day"] + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        event.add("class", "PRIVATE")
        event.add("summary", words_of(row["quantiles_ms"], row["usual_ms"], numbers=numbers))
        made = f"Forecast of {row['origin_day']} ({row['slot']}), {row['horizon']} nights ahead."
        event.add("description", f"{made} No medical advice.")
        calendar.add_component(event)
    return calendar.to_ical()


def words_of(quantiles_ms: list[float], usual_ms: float | None, *, numbers: bool) -> str:
    """The event's title."""
    said = "HRV forecast"
    if usual_ms is not None:
        above = 1 - float(np.interp(usual_ms, quantiles_ms, QUANTILE_LEVELS, left=0.0, right=1.0))
        how = "likely above" if above >= LIKELY else "likely below" if above <= 1 - LIKELY else "about"
        said = f"HRV {how} your usual"
    if not numbers:
        return said
    low, high = (quantiles_ms[QUANTILE_LEVELS.index(level)] for level in (0.10, 0.90))
    return f"{said}: {quantiles_ms[MEDIAN_INDEX]:.0f} ms ({low:.0f} to {high:.0f})"
