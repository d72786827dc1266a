"""The small words around the rules' own (negation, plans, days …), read from ``data/phrases.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache

from journal_analysis.behaviours import data_file

__all__ = ["phrase"]


def phrase(table: str, name: str) -> re.Pattern[str]:
    """One compiled pattern of the file."""
    return re.compile(_tables()[table][name].replace("\n", ""))


@cache
def _tables() -> dict[str, dict[str, str]]:
    with data_file("phrases.toml").open("rb") as file:
        return tomllib.load(file)
