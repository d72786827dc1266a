"""How our plots look and how they become SVG: same input, same bytes; no fonts, styles or links from elsewhere.

The panel is opaque and near white, so that a plot reads the same in print, on a light page and on a dark one. Text is
drawn as outlines. Inline ``style`` attributes become presentation attributes, because a page with a strict content
security policy drops the former.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ACCENT", "BAND", "INK", "MUTED", "WARM", "new_figure", "say_nothing", "to_svg"]

PANEL, INK, MUTED, BAND = "#fcfcfa", "#1f2430", "#6b7280", "#d9dee8"
ACCENT, WARM = "#1b6ca8", "#b4531a"
"""Blue and rust: told apart by people with any colour vision, and by their darkness in grey print."""

PARAMETERS: dict[str, Any] = {
    "svg.fonttype": "path", "font.family": ["DejaVu Sans"], "font.size": 8.0, "axes.unicode_minus": False,
    "axes.edgecolor": MUTED, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "text.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.facecolor": PANEL, "figure.facecolor": PANEL,
    "path.simplify": False,
}  # fmt: skip

_STYLE = re.compile(r' style="([^"]*)"')
_PROLOG = re.compile(r"\A.*?(?=<svg)", re.S)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.S)
_SHEET = re.compile(r'\s*<style type="text/css">.*?</style>', re.S)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.S)


def new_figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes in our look, without pyplot and its global state."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(PARAMETERS):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        axes = figure.add_subplot()
        axes.grid(axis="y", color=BAND, linewidth=0.5)
        axes.set_axisbelow(True)
    return figure, axes


def say_nothing(axes: Axes, sentence: str) -> None:
    """Say in the plot that there is nothing to show."""
    axes.set_axis_off()
    axes.text(
        0.5, 0.5, sentence, ha="center", va="center", fontsize=10, color=MUTED, transform=axes.transAxes
    )


def to_svg(figure: Figure, salt: str, description: str) -> str:
    """The figure as a self-contained SVG element.

    Parameters
    ----------
    salt : str
        Goes into the ids, so that several plots can stand on one page.
    description : str
        For screen readers.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with matplotlib.rc_context(PARAMETERS | {"svg.hashsalt": salt}):
        buffer = io.StringIO()
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    for pattern in (_PROLOG, _METADATA, _SHEET, _COMMENT):
        text = pattern.sub("", text)
    text = _STYLE.sub(_to_attributes, text)
    title = escape(description, {'"': "&quot;"})
    text = re.sub(
        r"<svg ([^>]*)>",
        lambda m: (
            f'<svg {m[1]} role="img" aria-label="{title}" stroke-linejoin="round" stroke-linecap="butt">'
            f"<title>{title}</title>"
        ),
        text,
        count=1,
    )
    return _scoped(text, salt)


def _to_attributes(match: re.Match[str]) -> str:
    pairs = (part.split(":", 1) for part in match[1].split(";") if ":" in part)
    return "".join(f' {name.strip()}="{value.strip()}"' for name, value in pairs)


def _scoped(text: str, salt: str) -> str:
    """Prefix every id, so that glyphs and clips of two plots on one page do not collide."""
    prefix = re.sub(r"[^A-Za-z]", "", salt)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
