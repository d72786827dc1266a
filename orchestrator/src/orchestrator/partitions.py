"""Partitions: one a wake day, for what speaks of a day; record, tables and models are of all days at once."""

from __future__ import annotations

import dagster as dg

__all__ = ["WAKE_DAYS"]

WAKE_DAYS = dg.DailyPartitionsDefinition(start_date="2014-01-01", end_offset=2)
"""Two days ahead of UTC's last full one: today's local date is a wake day from midnight on, also at UTC+14."""
