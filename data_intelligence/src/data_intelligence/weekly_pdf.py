"""A weekly summary as one page of PDF, set by Typst: vector plots, tagged for screen readers, equal bytes each time.

Fonts are those that matplotlib brings, so that no font of the machine gets in; the document's date is the issue's.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from data_intelligence.figure import without_sheet
from data_intelligence.page_templates import TEMPLATES
from data_intelligence.weekly_layout import NAMED, WeeklySummary

__all__ = ["weekly_pdf", "weekly_pngs"]

PLOT_FILES = ("history.svg", "skill.svg")


def weekly_pdf(summary: WeeklySummary, plots: tuple[str, ...]) -> bytes:
    """The week as PDF; ``plots`` are history and skill."""
    return _compile(summary, plots, "pdf")


def weekly_pngs(summary: WeeklySummary, plots: tuple[str, ...]) -> list[bytes]:
    """The same pages as pictures."""
    pages = _compile(summary, plots, "png", ppi=110.0)
    return pages if isinstance(pages, list) else [pages]


def _compile(summary: WeeklySummary, plots: tuple[str, ...], kind: str, **options):
    import matplotlib
    import typst

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as folder:
        for name, svg in zip(PLOT_FILES, plots, strict=True):
            (Path(folder) / name).write_text(without_sheet(svg), encoding="utf-8")
        values = summary.model_dump(mode="json", exclude={"evidence"}) | {"named": list(NAMED)}
        (Path(folder) / "week.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
        (Path(folder) / "week.typ").write_bytes((TEMPLATES / "weekly.typ").read_bytes())
        compiler = typst.Compiler(
            Path(folder) / "week.typ", root=folder, font_paths=[str(fonts)], ignore_system_fonts=True
        )
        return compiler.compile(format=kind, timestamp=int(summary.issue.as_of.timestamp()), **options)
