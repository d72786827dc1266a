"""Is what the text says in the briefing? Numbers, directions and claims, sentence by sentence.

A number must be one that stands in a line of the briefing, or the result of an operation that code did (the sum of the
listed effects, the shift, the forecast). A direction must agree with the shift. A claim about a topic (drinks, stress,
travel, a meal …) needs a line or a sentence of the wearer that speaks of it and does not deny it. Statistics of earlier
nights must be those of a listed effect. What fails goes, sentence by sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from llm_agent.fold import fold
from llm_agent.prompts import data_json

__all__ = ["Grounds", "check_text", "numbers_in"]

_DOWN = re.compile(
    r"\b(lower(s|ed|ing)?|below|reduc\w+|drop\w*|decreas\w+|down|worse|suppress\w+|less|hold\w* .{0,20}back)\b", re.I
)
_UP = re.compile(r"\b(rais(e|es|ed|ing)|above|higher|increas\w+|improv\w+|up|better|boost\w*)\b", re.I)
_WRONG_SIGN = re.compile(
    r"\b(rais\w+|increas\w+|improv\w+|boost\w*)\b[^.;]{0,60}?(?<![\w.])[-\u2212]\d"
    r"|\b(lower\w*|reduc\w+|decreas\w+|drop\w*)\b[^.;]{0,60}?(?<![\w.])\+\d",
    re.I,
)
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:[.:]\d+)?")
_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100,
    "half": 0.5, "twice": 2, "double": 2, "dozen": 12,
}  # fmt: skip
_HISTORY = re.compile(
    r"\b(?:on|over|in|after|across|during)\b[^.;]{0,40}\b(?:days|nights|times|occasions|evenings)\b|\bon average\b|"
    r"\busually\b[^.;]{0,30}\bby\b|\btypical(?:ly)?\b[^.;]{0,30}\bby\b",
    re.I,
)
_DENIED = re.compile(r"\b(no|not|without|never|none|nothing|didn't|don't|free of|instead of|skipped)\b", re.I)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Grounds:
    """What a text may rest on.

    Attributes
    ----------
    numbers : frozenset of float
        All that stand in the briefing, and those that code derived.
    text : str
        The briefing and the wearer's words, folded.
    denied : frozenset of str
        Topics that the day's facts deny.
    shift_ms : float
    """

    numbers: frozenset[float]
    text: str
    denied: frozenset[str]
    shift_ms: float


def check_text(text: str, grounds: Grounds) -> tuple[str, tuple[str, ...]]:
    """The sentences that stand, and what was wrong with the others.

    Returns
    -------
    sound : str
    faults : tuple of str
    """
    sound, faults = [], []
    for sentence in _SENTENCE_END.split(text.strip()):
        if fault := _fault(sentence, grounds):
            faults.append(f"{fault}: {sentence!r}")
        elif sentence:
            sound.append(sentence)
    kept = " ".join(sound)
    if _against(kept, grounds.shift_ms):
        return "", (*faults, f"the words go against the shift: {kept!r}")
    return kept, tuple(faults)


def numbers_in(text: str) -> list[float]:
    """Every number of a text, in digits or words, without its sign."""
    found = [abs(float(n.replace(":", "."))) for n in _NUMBER.findall(text)]
    return found + [float(_NUMBER_WORDS[w]) for w in fold(text).split() if w in _NUMBER_WORDS]


def topics_of(text: str) -> set[str]:
    """Topics that a text speaks of."""
    folded = f" {fold(text)} "
    return {topic for topic, words in _topics().items() if any(f" {w} " in folded for w in words)}


def denied_topics(facts: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Topics that the day's facts deny: a "no", a zero, a rating at the low end."""
    denied, told = set(), set()
    for fact in facts:
        topics = topics_of(f"{fact['behaviour'].replace('_', ' ')}")
        nothing = fact["kind"] == "no" or (fact["amount"] is not None and fact["amount"] == 0)
        low = fact["kind"] in ("scale", "rating") and fact["amount"] is not None and fact["amount"] <= 3
        (denied if nothing or low else told).update(topics)
    return frozenset(denied - told)


def _fault(sentence: str, grounds: Grounds) -> str | None:
    unknown = [n for n in numbers_in(sentence) if not _known(n, grounds.numbers)]
    if unknown:
        return f"a number that the briefing does not hold ({unknown[0]:g})"
    if _WRONG_SIGN.search(sentence):
        return "a sign against its own number"
    if _HISTORY.search(sentence) and fold(sentence) not in grounds.text and not numbers_in(sentence):
        return "a statistic without its number"
    for topic in sorted(topics_of(sentence)):
        words = _topics()[topic]
        if not any(f" {w} " in f" {grounds.text} " for w in words):
            return f"a claim about {topic}, of which nothing was said"
        if topic in grounds.denied and not _DENIED.search(sentence):
            return f"a claim about {topic}, which was denied"
    return None


def _known(number: float, numbers: frozenset[float]) -> bool:
    """Equal as shown: to one decimal, or rounded to a whole."""
    return any(abs(number - known) < 0.051 or number == round(known) for known in numbers)


def _against(text: str, shift_ms: float) -> bool:
    down, up = len(_DOWN.findall(text)), len(_UP.findall(text))
    return (shift_ms <= -1 and up > down) or (shift_ms >= 1 and down > up)


@cache
def _topics() -> dict[str, tuple[str, ...]]:
    return {topic: tuple(words) for topic, words in data_json("topics.json").items()}
