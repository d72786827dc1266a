"""How our plots look and how they become SVG: same input, same bytes; no fonts or links from elsewhere.

Every colour stands twice: as an attribute (the light look, for a printer or a page without style sheets) and,
by ``THEME_SHEET``, as a CSS variable that follows the reader's choice of light or dark. A page that holds several plots
takes the sheet once and the plots ``without_sheet``. Text is drawn as outlines.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "ACCENT", "BAND", "GREEN", "INK", "MUTED", "PANEL", "THEME_SHEET", "WARM", "Margins", "new_axes", "new_figure",
    "say_nothing", "to_svg", "without_sheet",
]  # fmt: skip

PANEL, INK, MUTED, BAND = "#fcfcfa", "#1f2430", "#6b7280", "#d9dee8"
ACCENT, WARM, GREEN = "#1b6ca8", "#b4531a", "#2f7d4f"
"""Blue and rust: told apart by people with any colour vision, and by their darkness in grey print."""

_DARK = {
    "panel": (PANEL, "#181b21"), "ink": (INK, "#e7e9ee"), "muted": (MUTED, "#a3abba"), "band": (BAND, "#3a4150"),
    "accent": (ACCENT, "#6fb3e6"), "warm": (WARM, "#eda06e"), "green": (GREEN, "#6fcf9a"),
}  # fmt: skip

PARAMETERS: dict[str, Any] = {
    "svg.fonttype": "path", "font.family": ["DejaVu Sans"], "font.size": 8.0, "axes.unicode_minus": False,
    "axes.edgecolor": MUTED, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "text.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.facecolor": PANEL, "figure.facecolor": PANEL,
    "path.simplify": False,
}  # fmt: skip


def _sheet() -> str:
    light = "".join(f"--{name}:{colours[0]};" for name, colours in _DARK.items())
    dark = "".join(f"--{name}:{colours[1]};" for name, colours in _DARK.items())
    rules = "".join(
        f'.hrv-plot [{part}="{colours[0]}"]{{{part}:var(--{name})}}'
        for name, colours in _DARK.items()
        for part in ("fill", "stroke")
    )
    return f".hrv-plot{{{light}}}@media screen and (prefers-color-scheme:dark){{.hrv-plot{{{dark}}}}}{rules}"


THEME_SHEET = _sheet()
"""Light in print and by default, dark on a screen whose reader wants it."""

_STYLE = re.compile(r' style="([^"]*)"')
_PROLOG = re.compile(r"\A.*?(?=<svg)", re.S)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.S)
_SHEET = re.compile(r'\s*<style type="text/css">.*?</style>', re.S)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.S)
_OWN_SHEET = re.compile(r"<style>[^<]*</style>")


@dataclass(frozen=True)
class Margins:
    """Room around the axes, in inches; ``between`` two pairs of axes as a share of their width."""

    left: float = 0.52
    right: float = 0.08
    top: float = 0.28
    bottom: float = 0.42
    between: float = 0.2

    def shares(self, width_in: float, height_in: float) -> dict[str, float]:
        """The same as matplotlib's grid takes it."""
        return {
            "left": self.left / width_in, "right": 1 - self.right / width_in, "top": 1 - self.top / height_in,
            "bottom": self.bottom / height_in, "wspace": self.between,
        }  # fmt: skip


WITH_LABELS = Margins()


def new_figure(
    width_in: float, height_in: float, *, margins: Margins | None = WITH_LABELS
) -> tuple[Figure, Axes]:
    """A figure with one pair of axes in our look, without pyplot and its global state.

    Parameters
    ----------
    margins : Margins, optional
        None measures the labels, which takes as long as drawing; for those whose length is not known beforehand.
    """
    figure, axes = new_axes(width_in, height_in, 1, margins=margins)
    return figure, axes[0]


def new_axes(
    width_in: float, height_in: float, columns: int, *, ratios: tuple[float, ...] | None = None,
    margins: Margins | None = WITH_LABELS,
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """A figure with several pairs of axes side by side."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(PARAMETERS):
        figure = Figure(figsize=(width_in, height_in), layout="constrained" if margins is None else None)
        places = {} if margins is None else margins.shares(width_in, height_in)
        grid = figure.add_gridspec(1, columns, width_ratios=ratios, **places)
        axes = [figure.add_subplot(grid[0, at]) for at in range(columns)]
        for one in axes:
            one.grid(axis="y", color=BAND, linewidth=0.5)
            one.set_axisbelow(True)
    return figure, axes


def say_nothing(axes: Axes, sentence: str) -> None:
    """Say in the plot that there is nothing to show."""
    axes.set_axis_off()
    axes.text(
        0.5, 0.5, sentence, ha="center", va="center", fontsize=10, color=MUTED, transform=axes.transAxes
    )


def to_svg(figure: Figure, salt: str, title: str, description: str = "") -> str:
    """The figure as a self-contained SVG element that follows light, dark and print.

    Parameters
    ----------
    salt : str
        Goes into the ids, so that several plots can stand on one page.
    title, description : str
        For screen readers: what it shows, and what is to be seen in it.
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
    name = escape(title, {'"': "&quot;"})
    told = f"<desc>{escape(description)}</desc>" if description else ""
    text = re.sub(
        r"<svg ([^>]*)>",
        lambda m: (
            f'<svg {m[1]} class="hrv-plot" role="img" aria-label="{name}" stroke-linejoin="round" '
            f'stroke-linecap="butt"><title>{name}</title>{told}<style>{THEME_SHEET}</style>'
        ),
        text,
        count=1,
    )
    return _scoped(text, salt)


def without_sheet(svg: str) -> str:
    """A plot for a page that brings ``THEME_SHEET`` itself, or that takes no style sheets."""
    return _OWN_SHEET.sub("", svg, count=1)


def _to_attributes(match: re.Match[str]) -> str:
    pairs = (part.split(":", 1) for part in match[1].split(";") if ":" in part)
    return "".join(f' {name.strip()}="{value.strip()}"' for name, value in pairs)


def _scoped(text: str, salt: str) -> str:
    """Prefix every id, so that glyphs and clips of two plots on one page do not collide."""
    prefix = re.sub(r"[^A-Za-z]", "", salt)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', text)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", text)
