"""What a CSV file of the export is: told by its header, in any of five languages, never by its name."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

from whoop_api_client.export.errors import DamagedExport

__all__ = ["Header", "fold", "read_header", "translated"]

LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "pt": "Portuguese", "fr": "French"}

_JOURNAL = ("Cycle start time", "Cycle end time", "Cycle timezone", "Question text", "Answered yes", "Notes")


@dataclass(frozen=True)
class Header:
    """A recognised header.

    Attributes
    ----------
    kind : str
        ``cycles``, ``sleeps``, ``workouts`` or ``journal``.
    columns : tuple of str
        English name of every column; an unknown column keeps its own name.
    is_by_place : bool
        A journal in a language whose words for question, answer and notes nobody has seen yet (French): the three
        columns of the cycle are known, the other three are taken by their place.
    """

    kind: str
    language: str
    columns: tuple[str, ...]
    is_by_place: bool = False


def read_header(names: list[str], file: str) -> Header | None:
    """Recognise a header line; None when it is not one of a WHOOP export.

    Raises
    ------
    DamagedExport
        It is one, but columns are missing, doubled, or joined by the wrong separator.
    """
    known = _aliases()
    if len(names) == 1 and (separator := _other_separator(names[0])):
        raise DamagedExport(
            f"{file}: expected columns separated by commas, got {separator}. A spreadsheet program has saved this "
            "file; take the original out of WHOOP's ZIP."
        )
    found = [known.get(fold(name)) for name in names]
    columns = tuple(
        english[1] if english else name.strip() for english, name in zip(found, names, strict=True)
    )
    kind = next((k for k in _table()["kinds"] if k["marker"] in columns), None)
    if kind is None and columns[:3] == _JOURNAL[:3] and len(columns) == len(_JOURNAL) and not any(found[3:]):
        languages = [english[0] for english in found if english]
        return Header("journal", LANGUAGES[max(LANGUAGES, key=languages.count)], _JOURNAL, is_by_place=True)
    if kind is None:
        return None
    missing = [column for column in kind["required"] if column not in columns]
    if missing:
        raise DamagedExport(
            f"{file}: expected the columns of WHOOP's {kind['kind']} file, but {', '.join(missing)} is missing. "
            "Import the export as WHOOP sent it."
        )
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled:
        raise DamagedExport(
            f"{file}: the column {doubled[0]} comes twice. Import the export as WHOOP sent it."
        )
    languages = [english[0] for english in found if english]
    return Header(kind["kind"], LANGUAGES[max(LANGUAGES, key=languages.count)], columns)


def fold(name: str) -> str:
    """Fold a column name so that accents, case, blanks and punctuation do not matter."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).lower().replace("%", " pct ")
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def translated(column: str, language: str) -> str:
    """An English column name in another language (a code of `LANGUAGES`); English where no other is known."""
    digit = re.search(r"Zone (\d)", column)
    number = digit.group(1) if digit else ""
    names = _table()["columns"][column.replace(f"Zone {number}", "Zone {n}") if digit else column]
    return names.get(language, column).replace("{n}", number)


def _other_separator(line: str) -> str | None:
    known = _aliases()
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if sum(fold(part.strip('"')) in known for part in line.split(separator)) >= 3:
            return name
    return None


@cache
def _table() -> dict:
    return tomllib.loads(resources.files(__package__).joinpath("headers.toml").read_text(encoding="utf-8"))


@cache
def _aliases() -> dict[str, tuple[str, str]]:
    """Folded name -> (language, English name)."""
    aliases: dict[str, tuple[str, str]] = {}
    for english, translations in _table()["columns"].items():
        for number in "12345" if "{n}" in english else "1":
            for language, name in {"en": english, **translations}.items():
                aliases.setdefault(
                    fold(name.replace("{n}", number)), (language, english.replace("{n}", number))
                )
    return aliases
