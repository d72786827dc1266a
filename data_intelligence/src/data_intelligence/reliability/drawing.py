"""The three plots of a reliability report."""

from __future__ import annotations

import polars as pl

from data_intelligence.reliability.report import RANK, ReliabilityView
from data_intelligence.segments import newest_segments
from data_intelligence.skill_plots import calendar_svg, reliability_svg, skill_svg

__all__ = ["draw_reliability"]

MAX_LINES, MIN_NIGHTS = 4, 14


def draw_reliability(view: ReliabilityView) -> tuple[str, str, str]:
    """Reliability with PIT, skill over time, calendar of misses; equal views give equal bytes."""
    report, focus = view.report, view.report.focus
    salt = f"{report.issue.origin_day}"
    if focus is None:
        empty = view.near.clear()
        return (
            reliability_svg({}, f"levels-{salt}"),
            skill_svg(empty, None, f"skill-{salt}"),
            calendar_svg(empty, "nobody", report.issue.origin_day, f"calendar-{salt}"),
        )
    newest = newest_segments(view.near).sort("target_day")
    by_name = {name: newest.filter(pl.col("forecaster") == name)["pit"].to_numpy() for name in RANK}
    order = [focus.forecaster, *(name for name in RANK if name != focus.forecaster)]
    lines = {n: by_name[n] for n in order if len(by_name[n]) >= MIN_NIGHTS or n == focus.forecaster}
    lines = dict(list(lines.items())[:MAX_LINES])
    own = newest.filter(pl.col("forecaster") == focus.forecaster)
    return (
        reliability_svg(lines, f"levels-{salt}"),
        skill_svg(newest, focus.forecaster, f"skill-{salt}"),
        calendar_svg(own, focus.forecaster, own["target_day"].max(), f"calendar-{salt}"),
    )
