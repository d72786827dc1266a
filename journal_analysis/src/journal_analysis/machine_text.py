"""Text of a note that speaks to a program and not of a day: markup, code, commands, instructions to a model.

It stays in the transcript as it was written and is blanked out before the rules read it, so that nothing in it can
become a fact. Blanks keep every other character in its place: quotes of facts are the wearer's own words.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import NamedTuple

from journal_analysis.behaviours import data_file

__all__ = ["blanked"]

_ENDLESS_NUMBER = re.compile(r"\d(?:[,._]?\d){7,}|\b\d+(?:\.\d+)?e[+-]?\d{2,}\b", re.IGNORECASE)
"""No amount of a day has eight digits."""
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d|[⁰¹²³⁴-⁹₀-₉①-⓿]")
_SENTENCE_END = re.compile(r"(?<=[.!?;])(?=\s)|(?<=\n)")
_POLITE = (
    r"^\W{0,40}(?:(?:please|now|then|and|also|instead|so|just|simply|only|always|never|do not|don't|"
    r"you (?:must|should|will)) )*"
)


class _Patterns(NamedTuple):
    code: tuple[re.Pattern[str], ...]
    to_a_program: re.Pattern[str]
    order: re.Pattern[str]


def blanked(text: str) -> str:
    """The text with everything that speaks to a program as blanks, of the same length."""
    patterns = _patterns()
    for pattern in patterns.code:
        text = pattern.sub(lambda m: _blank(m.group()), text)
    text = _ENDLESS_NUMBER.sub(lambda m: "#" * len(m.group()), _FOREIGN_DIGIT.sub("#", text))
    pieces, addressed = [], False
    for sentence in _SENTENCE_END.split(text):
        to_a_program = patterns.to_a_program.search(sentence) is not None
        is_order = addressed and patterns.order.search(sentence) is not None
        addressed = addressed or to_a_program
        pieces.append(_blank(sentence) if to_a_program or is_order else sentence)
    return "".join(pieces)


def _blank(text: str) -> str:
    """Blanks of the same length; line ends stay, and the last sign ends a sentence."""
    blank = re.sub(r"[^\n]", " ", text)
    return blank if len(text) < 2 or text.endswith("\n") or not re.search(r"\w", text) else f"{blank[:-1]}."


@cache
def _patterns() -> _Patterns:
    with data_file("machine_text.toml").open("rb") as file:
        told = tomllib.load(file)
    orders, about, things = (told[n].replace("\\\n", "") for n in ("orders", "orders_about", "things"))
    order_about = rf"{_POLITE}(?:{about})\b[^\n]{{0,60}}\b(?:{things})\b"
    return _Patterns(
        tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in told["code"]),
        re.compile("|".join([*told["to_a_program"], order_about]), re.IGNORECASE),
        re.compile(rf"{_POLITE}(?:{orders})\b", re.IGNORECASE),
    )
