"""What of a sentence tells of the day, where it also speaks to the forecaster.

Two screens judge, a written one and, of clauses, a trained one (``written_screen``, ``address``). Which of the written
ones depends on who will read.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

from llm_agent.address import address_screen
from llm_agent.cutting import GAP, WRAPPED, clauses_and_ties, cut_through_quotes, gap_or_line, parts_of
from llm_agent.written_screen import Screen

__all__ = ["ADDRESS_FROM", "BESIDE_FROM", "beside_addresses", "quotes_apart", "read_of", "without_wrapped"]

RAMBLE_WORDS = 40
SCRAP_WORDS = 3
FEWEST_WORDS = 4
ADDRESS_FROM, BESIDE_FROM = 0.6, 0.3
"""Chance from which on a clause is an address: alone, and beside something that speaks to the forecaster."""

_JOINS = re.compile(
    r"^(?:(?:and|but|so|then|which|though|because|hence|therefore|ergo|that),? )+|"
    r"^for (?=(?:i|we|my|our|he|she|they|the)\b)",
    re.I,
)
_NO_MAIN_CLAUSE = re.compile(
    r"(?:(?:and|but|so|then|today|tonight|also),? )*(?:if|in case|once|since|because|as|when\w*|whe(?:re|ther)\w*|"
    r"while|given|unless|for(?! (?:i|we|my|our|he|she|they)\b)|with|after|before|even|though|although|what\w*|who\w*|"
    r"which|any\w*)\b",
    re.I,
)
_NO_SUBJECT = re.compile(
    r"(?:and|but|so|then) (?!(?:i|i'[a-z]+|my|we|our|you|he|his|she|her|they|their|it|its|the|an?|this|that|these|"
    r"those|there|no|some|all|both|then|now|today|tonight)\b)[a-z]"
)
"""Goes on with the subject of the clause before."""
_STEERS = re.compile(
    r"(?:and |so |then |but )*(?:put|set|count|mark|rate|score|treat|take|read|keep|leave|call|make|lower|raise) "
    r"(?:it|this|that|tonight|today|the night|the day|everything|all of)\b",
    re.I,
)


def without_wrapped(plain: str, screen: Screen) -> tuple[str, int]:
    """A text without addresses between brackets or dashes, and how many they were."""
    wrapped = [m for m in WRAPPED.finditer(plain) if _is_address(m.group(1) or m.group(2), screen)]
    for found in reversed(wrapped):
        plain = f"{plain[: found.start()]}{gap_or_line(found)}{plain[found.end() :]}"
    return plain, len(wrapped)


def quotes_apart(sentence: str, screen: Screen) -> list[str]:
    """The sentence; of one that the screen withholds the quoted ones apart, for some of them may pass."""
    return cut_through_quotes(sentence) if screen(sentence) else [sentence]


def beside_addresses(sentences: list[str], screen: Screen) -> list[bool]:
    """What goes along with an address: a single word after it, a scrap between two, and rows of single words."""
    said = [screen(sentence) for sentence in sentences]
    words = [len(sentence.split()) for sentence in sentences]
    aside = list(said)
    for i in range(1, len(sentences)):
        between = i + 1 < len(sentences) and said[i + 1] and words[i] <= SCRAP_WORDS
        aside[i] = aside[i] or (aside[i - 1] and (words[i] == 1 or between))
    for i in range(len(sentences) - 2):
        if words[i : i + 3] == [1, 1, 1]:
            aside[i : i + 3] = [True] * 3
    return aside


def read_of(sentence: str, screen: Screen) -> list[str]:
    """What is read of a sentence, in its parts where it is long; a ramble is judged part by part when it must be."""
    told = _told(sentence, screen)
    if not told and len(sentence.split()) > RAMBLE_WORDS:
        return [part for piece in parts_of(sentence) if (part := _told(piece, screen))]
    return parts_of(told) if told else []


def _told(sentence: str, screen: Screen) -> str:
    """What of a sentence tells of the day; nothing, where it speaks to the forecaster."""
    if screen(sentence) and not screen(aside := WRAPPED.sub(GAP, sentence)):
        sentence = aside
    otherwise = "" if screen(sentence) else sentence
    clauses = clauses_and_ties(sentence)
    if len(clauses) < 2 or (otherwise and not any(_is_address(clause) for clause, _ in clauses)):
        return otherwise
    address = [_is_address(clause, screen) for clause, _ in clauses]
    for i in range(1, len(clauses)):
        address[i] = address[i] or (address[i - 1] and _hangs_on(clauses[i][0], address[i + 1 : i + 2]))
    if all(address) or not any(address):
        return "" if all(address) else otherwise
    runs = [
        "".join(f"{tie}{clause}" for _, (clause, tie) in run)
        for is_address, run in groupby(zip(address, clauses, strict=True), key=itemgetter(0))
        if not is_address
    ]
    rest = _JOINS.sub("", GAP.join(runs).strip(" ,:"))
    if len(rest.split()) < FEWEST_WORDS or _NO_MAIN_CLAUSE.match(rest) or _is_address(rest, screen):
        return otherwise
    ending = sentence[-1] if sentence[-1] in ".!…" and rest[-1] not in ".!?…" else ""
    return rest[0].upper() + rest[1:] + ending


def _hangs_on(clause: str, next_is_address: list[bool]) -> bool:
    """Whether a clause belongs to the address before: "and climbed to the top", "whatever the thermometer says"."""
    if not next_is_address:
        return bool(_NO_SUBJECT.match(clause))
    is_scrap = next_is_address[0] and len(clause.split()) <= SCRAP_WORDS  # "sir or madam"
    return bool(_NO_SUBJECT.match(clause) or _NO_MAIN_CLAUSE.match(clause)) or is_scrap


def _is_address(clause: str, screen: Screen | None = None) -> bool:
    """With a screen, of a clause beside something that speaks to the forecaster: less makes it suspect."""
    if _STEERS.match(clause) or (screen and screen(clause)):
        return True
    return address_screen().chance(clause) > (BESIDE_FROM if screen else ADDRESS_FROM)
