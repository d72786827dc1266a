"""Short forms and slips of the pen: what ``didnt``, ``tmrw``, ``10a``, ``1h20`` and ``magneisum`` stand for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache

from journal_analysis.behaviours import data_file

__all__ = ["REWRITES", "mended_word"]

_LEAST_GUESSED = 6
"""Letters from which one slip still leaves a word plainly itself."""

REWRITES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), stands_for)
    for pattern, stands_for in (
        (r"[ \t]*(?:\.{2,}|…)[ \t]*", ", "),
        (r"×", "x"),
        (r"[☕🍵]\ufe0f?", " coffee"),
        (r"[🍺🍻]\ufe0f?", " beer"),
        (r"[🍷🥂]\ufe0f?", " wine"),
        (r"[🍸🍹🥃]\ufe0f?", " cocktail"),
        (r"🏃[^ \w]*", " run"),
        (r"🚴[^ \w]*", " ride"),
        (r"🏊[^ \w]*", " swim"),
        (r"🏋[^ \w]*", " weights"),
        (r"🧘[^ \w]*", " yoga"),
        (r"[✅✔☑]\ufe0f?", " yes"),
        (r"[❌✗✘]\ufe0f?", " no"),
        (r"\b(approximately|vs|e\.g|i\.e|incl|ca|dr|mr|mrs|st)\.(?= ?[a-z0-9])", r"\1"),
        (r"(?<=\d) ?½", ".5"),
        (r"½", "half"),
        (r"(?<=\d) ?¼", ".25"),
        (r"(?<=\d) ?¾", ".75"),
        (r"\bw/o\b", "without"),
        (r"\bw/ ?(?=[a-z0-9])", "with "),
        (r"\bb/c\b", "because"),
        (r" & ", " and "),
        (r"(?<=\d) ?[+](?= ?\d)", " + "),
        (r"(?<![\d,.])(\d{1,3}),(\d{3})(?![\d,])", r"\1\2"),
        (r"(?<![\d,.])(\d{1,3}),(\d{1,2})(?=\s?(?:%|l\b|lit|ltr|k[mg]\b|h\b|hours?\b|hrs?\b))", r"\1.\2"),
        (r"\b(\d{1,2})(?:[:.](\d\d))?([ap])(?=[\s.,;:!?)]|$)", lambda m: _half_day(m)),
        (r"\ba\.\s?m\.?(?=\W|$)", "am"),
        (r"\bp\.\s?m\.?(?=\W|$)", "pm"),
        (r"(?<=\d)\s?(?:o['’]\s?clock|oclock|o clock)\b", " oclock"),
        (r"\bo['’]\s?clock\b|\bo clock\b", "oclock"),
        (r"(?<=\d)[- ]?ish\b", ""),
        (r"\b(noon|midday|midnight|evening)[- ]?ish\b", r"\1"),
        (
            r"(?<!\bat )(?<!\bby )(?<!\baround )(?<!\buntil )(?<!\btill )\b"
            r"(\d{1,2}) ?(?:h|hours?) ?(\d{2})(?! ?(?:pm|am|oclock|k|km|miles?|mi|laps|lengths))\b"
            r"(?: ?(?:m|mins?|minutes)\b)?",
            lambda m: _hours_minutes(m),
        ),
        (r"\b(\d{1,3}) ?['′](?=[\s,.;)]|$)", r"\1 minutes"),
        (r"(?<=\d) ?x ?(?=\d)", " x "),
        (r"(?<=\d) ?x (?=[a-z])", " "),
        (r"(?<=[a-z] )x ?(?=\d)", "x "),
    )
)
"""Applied in this order to the lower-cased text."""


def mended_word(word: str) -> str:
    """What a word stands for: itself, unless it is a known short form or one slip away from a word of ours."""
    known = _words().get(word)
    if known is not None:
        return known
    if len(word) < _LEAST_GUESSED or word in _spared():
        return word
    return _guessed().get(word, word)


@cache
def _tables() -> dict[str, dict[str, str]]:
    with data_file("spelling.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def _words() -> dict[str, str]:
    return _tables()["words"]


@cache
def _spared() -> frozenset[str]:
    """Words that are right as they are: those spared by name, and every word that a pattern of ours knows."""
    known = set(_tables()["guessed"]["spared"].split())
    for file in data_file("").iterdir():
        if file.name.endswith(".toml") and file.name != "spelling.toml":
            known |= set(re.findall(r"[a-z]{5,}", file.read_text(encoding="utf-8")))
    return frozenset(known)


@cache
def _guessed() -> dict[str, str]:
    """Every spelling one slip (letters swapped, one missing, doubled or other) from a word, first letter kept."""
    right = _tables()["guessed"]["words"].split()
    slips: dict[str, str] = {}
    for word in right:
        for spelling in _slips_of(word):
            slips.setdefault(spelling, word)
    for word in right:
        slips.pop(word, None)
    return slips


def _slips_of(word: str) -> set[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    places = range(1, len(word))
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places if i + 1 < len(word)}
    missing = {word[:i] + word[i + 1 :] for i in places if i + 1 < len(word) or not word.endswith("s")}
    doubled = {word[:i] + word[i] + word[i:] for i in places}
    other = {word[:i] + c + word[i + 1 :] for i in places if i + 1 < len(word) for c in letters}
    return swapped | missing | doubled | other


def _half_day(match: re.Match[str]) -> str:
    hour, minute, half = match.groups()
    return f"{hour}:{minute}{half}m" if minute else f"{hour}{half}m"


def _hours_minutes(match: re.Match[str]) -> str:
    """ "1h20" is eighty minutes; "22h30" is a time of day."""
    hours, minutes = int(match.group(1)), int(match.group(2))
    if hours > 12 or minutes > 59:
        return match.group()
    return f"{60 * hours + minutes} minutes"
