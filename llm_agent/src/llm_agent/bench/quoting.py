"""The wearer's words between quotation marks: no claim of the answer's own, but they must be theirs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["misquotes", "own_words"]

_QUOTED = re.compile(r"\u201c([^\u201d]*)\u201d|\"([^\"]*)\"")


def misquotes(text: str, journal: Iterable[str]) -> list[str]:
    """What stands between quotation marks and not in the notes."""
    told = _folded(" ".join(journal))
    return [quote for quote in map(_quote_of, _QUOTED.finditer(text)) if _folded(quote) not in told]


def own_words(text: str, journal: Iterable[str]) -> str:
    """The text without what it quotes from the notes."""
    told = _folded(" ".join(journal))
    return _QUOTED.sub(lambda match: " " if _folded(_quote_of(match)) in told else match.group(), text)


def _quote_of(match: re.Match[str]) -> str:
    """What a pair of quotation marks holds; the mark of a cut-off end is no part of it."""
    return (match.group(1) or match.group(2) or "").rstrip("\u2026. ")


def _folded(text: str) -> str:
    """Words alone; characters that nobody sees (zero width, soft hyphens) part no word."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(re.sub(r"[^\w\s]", " ", seen.lower()).split())
