"""The journal ontology: every behaviour that a fact of the journal may speak of, in one list for all rooms.

The list is ``data/journal_ontology.csv``; which words of a spoken note mean what is the journal room's business.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

__all__ = ["SIGNS", "TYPES", "Behaviour", "behaviours"]

TYPES = frozenset({"boolean", "amount", "duration", "scale", "time_of_day", "category", "text"})
SIGNS = frozenset({"negative", "positive", "mixed", "unknown", "neutral", "not_applicable"})


@dataclass(frozen=True)
class Behaviour:
    """One behaviour.

    Attributes
    ----------
    category : str
        ``substance``, ``nutrition``, ``mental``, …
    type : str
        What a fact of it carries: one of `TYPES`.
    unit : str
        Of an amount, duration, scale or time; the options of a category, separated by ``|``; empty for the rest.
    synonyms : tuple of str
        What people say for it.
    expected_sign : str
        Of its effect on the next night's HRV: one of `SIGNS`.
    private : bool
        Intimate: a question about it never becomes a fact by itself.
    """

    name: str
    category: str
    type: str
    unit: str
    synonyms: tuple[str, ...]
    expected_sign: str
    private: bool = False


@cache
def behaviours() -> Mapping[str, Behaviour]:
    """Every behaviour by its name, in the order of the list.

    Raises
    ------
    ValueError
        The data file is not consistent (a mistake in the package itself).
    """
    file = resources.files("hrv_shared") / "data" / "journal_ontology.csv"
    found: dict[str, Behaviour] = {}
    for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
        name = row["name"]
        if name in found or row["type"] not in TYPES or row["expected_sign"] not in SIGNS:
            raise ValueError(
                f"journal_ontology.csv, {name}: doubled, or its type or sign is none of the known"
            )
        synonyms = tuple(word for word in row["synonyms"].split("|") if word)
        found[name] = Behaviour(
            name,
            row["category"],
            row["type"],
            row["unit"],
            synonyms,
            row["expected_sign"],
            row["private"] == "true",
        )
    return MappingProxyType(found)
