"""Fixed notices for red flags in the wearer's own words: rules, no model, no diagnosis.

A notice is shown as it stands, whatever the language model says; nothing of it moves a number. The rules read English
only and err towards showing a notice. They look past what is denied ("no chest pain"), what is said of others ("my
father fainted"), told in films and books, or an idiom ("killing it", "a stroke of luck").
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

__all__ = ["NOTICES", "Notice", "red_flag_notices"]

_TOLD = tomllib.loads(files("llm_agent").joinpath("data/red_flags.toml").read_text(encoding="utf-8"))
_FRAGMENTS: dict[str, str] = _TOLD["fragments"]

NOTICES: dict[str, str] = {notice["kind"]: notice["text"] for notice in _TOLD["notice"]}
"""Kind -> the words shown; urgent kinds first."""

FACTS = {"beta_blocker": "cardiac_medicine", "pregnancy_week": "pregnancy", "palpitations": "chest_pain"}
"""Behaviours of the ontology that bring a notice by themselves."""

CLAUSE_ENDS = re.compile(r"[,;:]|\bbut\b|\bthough\b|\bstill\b")
"""Where a denial ends."""

DENIALS = re.compile(
    r"\b(?:no|not|never|without|denied|denies|don't|didn't|doesn't|isn't|wasn't|haven't|hasn't|nor|free of|instead of)"
    r"(?: (?!only\b)[\w'-]+){0,4} ?$"
)
"""A denial within five words before what it denies."""

OTHERS = re.compile(
    rf"\b(?:my|our|the|a|his|her|their|\w+'s) (?:\w+ )?(?:{_FRAGMENTS['people']})\b"
    r"|\b(?:he|she|him|himself|herself|they|team|somebody|someone|kids|children)\b"
)
MYSELF = re.compile(rf"\b(?:i|i'm|i've|i'd|i'll|me|myself)\b|\bmy (?!(?:\w+ )?(?:{_FRAGMENTS['people']})\b)")

STORIES = re.compile(
    r"\b(?:films?|movie|novel|documentar\w+|the plot|commentator|comedian|character|series about|podcast|"
    r"book (?:on|about)|prevention|read about)\b"
)


@dataclass(frozen=True)
class Notice:
    """What is shown, and the words that brought it."""

    kind: str
    text: str
    because: str


def red_flag_notices(words: Iterable[str], facts: Iterable[Mapping[str, Any]] = ()) -> tuple[Notice, ...]:
    """Find the notices that the wearer's words and facts call for.

    Parameters
    ----------
    words : iterable of str
        Today's journal transcripts.
    facts : iterable of mapping
        Accepted facts with ``behaviour``, ``kind``, ``amount`` and ``text`` (rows of a summary).

    Returns
    -------
    tuple of Notice
        At most one of each kind, urgent ones first.
    """
    found: dict[str, str] = {}
    for text in words:
        for sentence in _sentences(text):
            for kind, pattern in _PHRASES:
                if kind not in found and (said := _said_of_oneself(sentence, pattern)):
                    found[kind] = said
    for fact in facts:
        kind = FACTS.get(fact["behaviour"])
        if kind and fact["kind"] != "no" and not (fact["kind"] == "amount" and fact.get("amount") == 0):
            found.setdefault(kind, fact.get("text") or fact["behaviour"])
    return tuple(Notice(kind, text, found[kind]) for kind, text in NOTICES.items() if kind in found)


def _sentences(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u200b", "").lower()
    return [part for part in re.split(r"(?<=[.!?;])\s+|\n+", plain) if part.strip()]


def _said_of_oneself(sentence: str, pattern: re.Pattern[str]) -> str | None:
    """The words that match, unless they are denied, said of somebody else, or told in a story."""
    if STORIES.search(sentence):
        return None
    for match in pattern.finditer(sentence):
        before = sentence[: match.start()]
        clause = CLAUSE_ENDS.split(before)[-1]
        if not DENIALS.search(clause) and not _about_others(before, match.group()):
            return match.group()
    return None


def _about_others(before: str, said: str) -> bool:
    """Whether the person named last before the words is somebody else, and the words name no "I"."""
    others = [match.end() for match in OTHERS.finditer(before)]
    own = [match.end() for match in MYSELF.finditer(before + said)]
    return bool(others) and max(others) > max(own, default=-1)


def _compiled(phrase: str) -> re.Pattern[str]:
    for name, fragment in _FRAGMENTS.items():
        phrase = phrase.replace(f"<{name}>", f"(?:{fragment})")
    return re.compile(phrase)


_PHRASES = [(notice["kind"], _compiled(phrase)) for notice in _TOLD["notice"] for phrase in notice["phrases"]]
