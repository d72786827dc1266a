"""Numbers as people say them: one canonical text with digits, and the way back to the words that were said.

``canonical("Two glasses, forty five minutes")`` reads ``2 glasses, 45 minutes``; `Canonical.quote` gives the original
words of any span of it, so that every fact can show what it rests on. Clock times and durations are `clocks`' work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Canonical", "canonical"]

UNITS = {w: n for n, w in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen".split()
)}  # fmt: skip
TENS = {w: 20 + 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
PRONOUN_ONE = frozenset(
    "last this that no any each every another which second good bad rough big tough long little small hard easy "
    "the same next some".split()
)
"""Words after which "one" stands for a thing and not for the number."""

PHRASES = (
    (r"an? hour and an? half", "90 minutes"),
    (r"half an hour|half a hour|a half hour|half hour", "30 minutes"),
    (r"(?:three|3) quarters of an hour", "45 minutes"),
    (r"(?:a )?quarter of an hour", "15 minutes"),
    (r"an hour", "1 hour"),
    (r"half a (?=dozen)", "0.5 "),
    (r"a couple(?: of)?|couple of", "2"),
    (r"half a liter|half a litre", "0.5 litres"),
    (r"a dozen", "12"),
    (r"a\.\s?m\.?(?=\W|$)", "am"),
    (r"p\.\s?m\.?(?=\W|$)", "pm"),
    (r"o['’]?\s?clock", "oclock"),
    (r"\bx(?=\s?\d)", "times"),
)
"""Fixed phrases, longest first; each becomes what it stands for."""

_WORD = re.compile(r"[a-z]+")
_PHRASE = re.compile(
    "|".join(f"(?P<p{i}>(?<![a-z]){pattern})(?![a-z])" for i, (pattern, _) in enumerate(PHRASES))
)


@dataclass(frozen=True)
class Canonical:
    """A text in lower case with its numbers as digits.

    ``starts[i]`` and ``ends[i]`` are the span in ``original`` of character ``i`` of ``text``.
    """

    original: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def quote(self, start: int, end: int) -> str:
        """The original words of the canonical span [start, end)."""
        if start >= end:
            return ""
        return self.original[self.starts[start] : self.ends[end - 1]].strip()


def canonical(original: str) -> Canonical:
    """Lower the case, write spoken numbers as digits and unify a few spellings, keeping the way back."""
    plain = original.lower().replace("’", "'").replace("‘", "'").replace("\u00a0", " ")
    if len(plain) != len(
        original
    ):  # a letter whose lower case is longer (İ): give up case folding of such letters
        plain = "".join(c.lower() if len(c.lower()) == 1 else c for c in original).replace("’", "'")
    pieces: list[tuple[str, int, int]] = []
    position = 0
    while position < len(plain):
        found = _phrase_at(plain, position) or _number_at(plain, position)
        if found:
            text, end = found
            pieces += [(c, position, end) for c in text]
            position = end
        else:
            pieces.append((plain[position], position, position + 1))
            position += 1
    return Canonical(
        original, "".join(p[0] for p in pieces), tuple(p[1] for p in pieces), tuple(p[2] for p in pieces)
    )


def _phrase_at(plain: str, position: int) -> tuple[str, int] | None:
    match = _PHRASE.match(plain, position)
    if not match:
        return None
    index = next(i for i in range(len(PHRASES)) if match.group(f"p{i}") is not None)
    return PHRASES[index][1], match.end()


def _number_at(plain: str, position: int) -> tuple[str, int] | None:
    """A number in words that begins at ``position``: its digits and its end."""
    if position and (plain[position - 1].isalpha() or plain[position - 1] in "'’"):
        return None
    word = _word(plain, position)
    if word not in UNITS and word not in TENS:
        return None
    if word == "one" and _previous_word(plain, position) in PRONOUN_ONE:
        return None
    value, end = _below_hundred(plain, position)
    after = _skip(plain, end)
    if after and _word(plain, after) == "hundred":
        value, end = value * 100, after + len("hundred")
        tail = _skip(plain, end)
        if tail and _word(plain, tail) == "and":
            tail = _skip(plain, tail + 3)
        if tail and (_word(plain, tail) in UNITS or _word(plain, tail) in TENS):
            rest, end = _below_hundred(plain, tail)
            value += rest
    halved = re.compile(r" and a half(?![a-z])").match(plain, end)
    if halved:
        return f"{value}.5", halved.end()
    return str(value), end


def _below_hundred(plain: str, position: int) -> tuple[int, int]:
    word = _word(plain, position)
    end = position + len(word)
    if word in UNITS:
        return UNITS[word], end
    after = _skip(plain, end)
    unit = _word(plain, after) if after else ""
    if unit in UNITS and 1 <= UNITS[unit] <= 9:
        return TENS[word] + UNITS[unit], after + len(unit)
    return TENS[word], end


def _word(plain: str, position: int) -> str:
    match = _WORD.match(plain, position)
    return match.group() if match else ""


def _skip(plain: str, position: int) -> int:
    """The place behind one blank or hyphen, or 0 where something else stands."""
    return position + 1 if position + 1 < len(plain) and plain[position] in " -" else 0


def _previous_word(plain: str, position: int) -> str:
    match = re.search(r"([a-z]+)[ -]$", plain[max(0, position - 20) : position])
    return match.group(1) if match else ""
