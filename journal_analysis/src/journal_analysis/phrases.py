"""The small words around the rules' own (negation, plans, days …), read from ``data/phrases.toml`` and, for what is
simply named, ``data/phrases_mentions.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache

from journal_analysis.behaviours import data_file

__all__ = ["phrase"]


def phrase(table: str, name: str) -> re.Pattern[str]:
    """One compiled pattern of the files."""
    return re.compile(_tables()[table][name].replace("\n", ""))


@cache
def _tables() -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for name in ("phrases.toml", "phrases_mentions.toml"):
        with data_file(name).open("rb") as file:
            tables |= tomllib.load(file)
    return tables
