"""The behaviours that the room understands: the core in ``behaviours.toml``, the rest in ``mentions.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

__all__ = ["Behaviour", "behaviours", "data_file"]

FILES = ("behaviours.toml", "mentions.toml")
KINDS = frozenset({"amount", "yes", "time", "scale"})
SIGNS = frozenset({"negative", "positive", "mixed", "unknown"})


@dataclass(frozen=True)
class Behaviour:
    """One behaviour of the ontology and the words for it; ``options`` are what its rule needs besides."""

    name: str
    rule: str
    kind: str
    unit: str
    sign: str
    label: str
    options: Mapping[str, Any]

    def pattern(self, option: str) -> re.Pattern[str] | None:
        """The words of one option, compiled to whole words, or None where the behaviour has none."""
        return _compiled(self.name, option)


@cache
def behaviours() -> Mapping[str, Behaviour]:
    """Every behaviour by its name in the journal ontology.

    Raises
    ------
    ValueError
        A data file names an unknown kind or sign, or both tell the same behaviour (a mistake in the package).
    """
    found: dict[str, Behaviour] = {}
    for file_name in FILES:
        for name, behaviour in _read(file_name).items():
            if name in found:
                raise ValueError(f"{file_name} [{name}]: one of {FILES} only")
            found[name] = behaviour
    return MappingProxyType(found)


def _read(file_name: str) -> dict[str, Behaviour]:
    with data_file(file_name).open("rb") as file:
        tables = tomllib.load(file)
    found = {}
    for name, table in tables.items():
        options = {
            key: value.replace("\n", "") if isinstance(value, str) else value for key, value in table.items()
        }
        rule, kind, sign, label = (options.pop(key) for key in ("rule", "kind", "sign", "label"))
        if kind not in KINDS or sign not in SIGNS:
            raise ValueError(
                f"{file_name} [{name}]: kind one of {sorted(KINDS)}, sign one of {sorted(SIGNS)}"
            )
        found[name] = Behaviour(
            name, rule, kind, options.pop("unit", ""), sign, label, MappingProxyType(options)
        )
    return found


def data_file(name: str) -> Any:
    """A file shipped in the package's ``data`` folder."""
    return resources.files("journal_analysis") / "data" / name


@cache
def _compiled(name: str, option: str) -> re.Pattern[str] | None:
    words = behaviours()[name].options.get(option)
    if not words:
        return None
    return re.compile(rf"(?<!\w){words}" if option == "amount" else rf"(?<![a-z0-9'-])(?:{words})(?![a-z])")
