"""The texts that are learned from: ``bank/``, ``inserted/``, ``addresses/``."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent


def bank() -> list[dict]:
    """Every labelled sentence once: text, kind, strength, and the note it stands in."""
    found: dict[str, dict] = {}
    for file in sorted((HERE / "bank").glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
            for text, about, strength in json.loads(line)["sentences"]:
                one = {"text": text, "about": about, "strength": strength, "note": f"{file.stem}/{number}"}
                found.setdefault(text, one)
    return list(found.values())


def lines_of(folder: str) -> dict[str, list[dict[str, str]]]:
    """The clauses of ``inserted`` or ``addresses``, by author: text and what it ``is``."""
    return {
        file.stem: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for file in sorted((HERE / folder).glob("*.jsonl"))
    }
