"""Words of Markdown reports: tables, numbers, escaped text, the list of evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping

from data_intelligence.summary import EvidenceItem

__all__ = ["escape", "evidence_lines", "number", "table"]


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def evidence_lines(items: Mapping[str, EvidenceItem]) -> str:
    """What each id stands for, a line an id."""
    return "\n".join(
        f"- **{key}** {item.kind}: {escape(item.what)} (`{'`, `'.join(item.where)}`)"
        for key, item in items.items()
    )


def number(value: float | None, form: str = ".1f") -> str:
    """A number, or the word unknown."""
    return "unknown" if value is None else format(value, form)


def escape(text: str) -> str:
    """Keep journal words from acting as Markdown or HTML."""
    flat = re.sub(r"\s+", " ", text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#!])", r"\\\1", flat)
