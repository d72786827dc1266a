"""A weekly summary as one page of HTML, and its two plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_intelligence.nights import usable_hrv
from data_intelligence.page_templates import render_page
from data_intelligence.plots import history_svg
from data_intelligence.segments import newest_segments
from data_intelligence.skill_plots import skill_svg
from data_intelligence.weekly_layout import NAMED, WeeklySummary

if TYPE_CHECKING:
    from data_intelligence.weekly import WeekView

__all__ = ["draw_week", "weekly_html"]

SHOWN_EFFECTS = 5


def draw_week(view: WeekView) -> tuple[str, str]:
    """History with what was and is said of the nights, and the skill over time; equal views give equal bytes."""
    origin = view.summary.last_day
    calls = [call.forecaster for call in view.summary.calls if call.forecaster]
    return (
        history_svg(
            usable_hrv(view.day.history), view.day.summary.baseline, view.day.rows, origin, f"week-{origin}",
            view.summary.calls,
        ),  # fmt: skip
        skill_svg(newest_segments(view.near), calls[0] if calls else None, f"weekskill-{origin}"),
    )


def weekly_html(summary: WeeklySummary, plots: tuple[str, ...]) -> str:
    """Render the week; ``plots`` are history and skill."""
    return render_page("weekly.html", plots, w=summary, effects=summary.effects_seen[:SHOWN_EFFECTS], voices=NAMED)
