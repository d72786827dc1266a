"""Words of Markdown reports: tables, numbers, escaped text, the list of evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping

from data_intelligence.summary import EvidenceItem

__all__ = ["escape", "evidence_lines", "id_ranges", "number", "table"]


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


def id_ranges(ids: list[str]) -> str:
    """Evidence ids with neighbours drawn together: ``E4–E9, E12``."""
    runs: list[list[int]] = []
    for at in sorted({int(key.removeprefix("E")) for key in ids}):
        if runs and at == runs[-1][-1] + 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    return ", ".join(f"E{run[0]}" if len(run) == 1 else f"E{run[0]}–E{run[-1]}" for run in runs)


def number(value: float | None, form: str = ".1f") -> str:
    """A number, or the word unknown."""
    return "unknown" if value is None else format(value, form)


def escape(text: str) -> str:
    """Keep journal words from acting as Markdown or HTML."""
    flat = re.sub(r"\s+", " ", text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|#!])", r"\\\1", flat)
