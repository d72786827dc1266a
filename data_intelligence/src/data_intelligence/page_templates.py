"""Reports as pages of their own: one file, no request to anywhere, light, dark and print."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_intelligence.figure import THEME_SHEET, without_sheet

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["TEMPLATES", "render_page"]

TEMPLATES = Path(__file__).with_name("templates")


def render_page(template: str, plots: tuple[str, ...], **values: Any) -> str:
    """Fill a template; everything but our own plots and style sheet is escaped.

    Parameters
    ----------
    plots : tuple of str
        SVG texts made by ``figure.to_svg``.
    """
    from markupsafe import Markup

    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8") + THEME_SHEET
    drawn = tuple(Markup(without_sheet(svg)) for svg in plots)
    text = _environment().get_template(template).render(sheet=Markup(sheet), plots=drawn, **values)
    return text.lstrip()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
