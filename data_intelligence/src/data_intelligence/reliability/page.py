"""The reliability report as one page of HTML."""

from __future__ import annotations

from itertools import groupby

from data_intelligence.page_templates import render_page
from data_intelligence.reliability.layout import Reliability

__all__ = ["reliability_html"]


def reliability_html(report: Reliability, plots: tuple[str, ...]) -> str:
    """Render the report; ``plots`` are reliability, skill and calendar."""
    shown = [row for row in report.rows if row.horizons in ("1", "2-7")]
    tables = [(key, list(rows)) for key, rows in groupby(shown, key=lambda r: (r.book, r.slot, r.horizons))]
    focus = report.focus
    near = None if focus is None else (focus.book, focus.slot, "1")
    first = [t for t in tables if t[0] == near]
    rest = [t for t in tables if t[0] != near]
    return render_page("reliability.html", plots, r=report, first=first, rest=rest)
