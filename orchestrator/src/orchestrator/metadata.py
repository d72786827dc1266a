"""What Dagster's page shows of a step: its numbers, its report as Markdown, its plots."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import dagster as dg

__all__ = ["metadata_of"]

LARGEST_JSON = 100_000
LARGEST_PLOT = 80_000
"""Bytes of an SVG that is put into the event log; a larger one is named by its path."""


def metadata_of(result: dict[str, Any], text: str, seconds: float) -> dict[str, Any]:
    """Metadata of one materialisation from a room's answer.

    Files that the answer names under ``files`` are shown: the Markdown as it is, plots as images.
    """
    metadata: dict[str, Any] = {"seconds": seconds, "text": text}
    if text:
        metadata["report"] = dg.MetadataValue.md(f"```\n{text}\n```")
    metadata |= _files([Path(name) for name in result.get("files", ()) if isinstance(name, str)])
    plain = {k: v for k, v in result.items() if isinstance(v, (bool, int, float, str)) and k not in metadata}
    rest = {k: v for k, v in result.items() if isinstance(v, (dict, list))}
    if rest and len(json.dumps(rest)) < LARGEST_JSON:
        metadata["answer"] = dg.MetadataValue.json(rest)
    return metadata | plain


def _files(paths: list[Path]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for path in paths:
        if path.suffix == ".md" and path.exists():
            shown["report"] = dg.MetadataValue.md(path.read_text(encoding="utf-8"))
        elif path.suffix == ".svg" and path.exists():
            name = f"plot_{path.stem.rsplit('-', 1)[-1]}"
            if path.stat().st_size > LARGEST_PLOT:
                shown[name] = dg.MetadataValue.path(str(path))
                continue
            image = base64.b64encode(path.read_bytes()).decode()
            shown[name] = dg.MetadataValue.md(f"![{name}](data:image/svg+xml;base64,{image})")
        elif path.suffix in (".html", ".pdf"):
            shown[f"as_{path.suffix[1:]}"] = dg.MetadataValue.path(str(path))
    return shown
