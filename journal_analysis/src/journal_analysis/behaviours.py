"""The behaviours that the room understands: the core in ``behaviours.toml``, the rest in ``mentions_<topic>.toml``.

What a table leaves out (kind, unit, sign) is as the ontology has it; a mention needs no ``rule``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from hrv_shared import ontology

__all__ = ["Behaviour", "behaviours", "data_file"]

KINDS = frozenset({"amount", "yes", "time", "scale"})
_KIND_OF_TYPE = {
    "boolean": "yes", "amount": "amount", "duration": "amount", "scale": "scale", "time_of_day": "time",
}  # fmt: skip


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
        A data file names an unknown behaviour, kind or sign, or two tell the same one (a mistake in the package).
    """
    found: dict[str, Behaviour] = {}
    for file_name in _files():
        for name, behaviour in _read(file_name).items():
            if name in found:
                raise ValueError(f"{file_name} [{name}]: another file tells it already")
            found[name] = behaviour
    return MappingProxyType(found)


def _files() -> list[str]:
    mentions = (f.name for f in data_file("").iterdir() if f.name.startswith("mentions_"))
    return ["behaviours.toml", *sorted(mentions)]


def _read(file_name: str) -> dict[str, Behaviour]:
    with data_file(file_name).open("rb") as file:
        tables = tomllib.load(file)
    found = {}
    for name, table in tables.items():
        options = {
            key: value.replace("\n", "") if isinstance(value, str) else value for key, value in table.items()
        }
        known = ontology.behaviours().get(name)
        if known is None:
            raise ValueError(f"{file_name} [{name}]: no behaviour of the ontology")
        kind = options.pop("kind", _KIND_OF_TYPE.get(known.type))
        if kind not in KINDS or options.get("sign", known.expected_sign) not in ontology.SIGNS:
            raise ValueError(
                f"{file_name} [{name}]: kind one of {sorted(KINDS)}, sign one of {sorted(ontology.SIGNS)}"
            )
        unit = "" if kind == "yes" else known.unit.removesuffix(" local")
        found[name] = Behaviour(
            name,
            options.pop("rule", "mention"),
            kind,
            options.pop("unit", unit),
            options.pop("sign", known.expected_sign),
            options.pop("label", name.replace("_", " ")),
            MappingProxyType(options),
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
