"""Word error rate, on words made comparable: case, punctuation, contractions and the writing of numbers do not count.

"ten thirty", "10:30" and "half past ten" are one word here, as are "one fifty" and "150", "kilos" and "kg". It reads
numbers on its own and not as the extraction does, whose errors would hide here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["align", "comparable_words", "word_errors"]

_CONTRACTIONS = (
    (r"won't", "will not"), (r"can't|cannot", "can not"), (r"n't\b", " not"), (r"'re\b", " are"), (r"'ve\b", " have"),
    (r"'ll\b", " will"), (r"'d\b", " would"), (r"'m\b", " am"),
    (r"\b(it|that|he|she|there|what|here|who|where)'s\b", r"\1 is"), (r"\blet's\b", "let us"),
)  # fmt: skip
_NUMBERS = (
    (r"(\d),(\d{3})(?!\d)", r"\1\2"),
    (r"\b(\d{1,3}) thousand\b", r"\g<1>000"),
    (r"(\d) point (\d)", r"\1.\2"),
    (r"\bhalf past (\d{1,2})\b", r"\1 30"),
    (r"\b(?:a )?quarter past (\d{1,2})\b", r"\1 15"),
    (r"\b(?:a )?quarter to (\d{1,2})\b", lambda m: f"{(int(m[1]) - 2) % 12 + 1} 45"),
    (r"(\d{1,2}):(\d{2})(?!\d)", r"\1 \2"),
    (r"(?<![\d.])(\d+) and a half\b", r"\1.5"),
    (r"(\d) oh (\d)\b", r"\1 0\2"),
    (r"\bo'? ?clock\b", "o'clock"),
    (r"(?<![\d.])(\d{1,2})\.([0-5]\d)(?!\d|\.\d)", r"\1 \2"),
    (r"(?<![\d.])(\d{1,2}) (\d{2})(?!\d|\.\d)", r"\1\2"),
    (r"(\d+) ?/ ?(\d+)", r"\1 out of \2"),
    (r"(\d) ?%", r"\1 percent"),
    (r"(\d)(st|nd|rd|th)\b", r"\1"),
    (r"(\d)-(\d)", r"\1 \2"),
    (r"(\d)-?([a-z])", r"\1 \2"),
)  # fmt: skip
_UNITS = {w: n for n, w in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen".split()
)}  # fmt: skip
_TENS = {
    w: 20 + 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())
}
_NUMBER = "|".join(sorted([*_UNITS, *_TENS, "hundred", "thousand"], key=len, reverse=True))
_RUN = re.compile(rf"\b(?:{_NUMBER})(?:[ -](?:and )?(?:{_NUMBER}))*\b")
_ORDINALS = {w: str(n) for n, w in enumerate(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth".split(), start=1
)}  # fmt: skip
_SPELLINGS = {
    "ok": "okay", "alright": "all right", "mr": "mister", "dr": "doctor", "favourite": "favorite", "litre": "liter",
    "litres": "liters", "colour": "color", "grey": "gray", "yoghurt": "yogurt", "kilos": "kg", "kilograms": "kg",
    "kilogram": "kg", "mg": "milligrams", "g": "grams", "km": "kilometers", "ml": "milliliters", "m": "meters",
    "mins": "minutes", "hrs": "hours", "neighbour": "neighbor", "neighbours": "neighbors",
    "whiskey": "whisky", "programme": "program", "cancelled": "canceled", "anymore": "any more",
}  # fmt: skip
_FILLERS = frozenset(("uh", "um", "uhm", "hmm", "mm", "er", "erm"))


def comparable_words(text: str) -> list[str]:
    """The words of a text in a form in which equal speech is equal."""
    plain = text.lower().replace("’", "'").replace("\u00a0", " ")
    plain = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", plain)
    plain = re.sub(r"\ba (?=hundred\b|thousand\b)", "one ", plain)
    plain = _RUN.sub(lambda run: _digits(run.group()), plain)
    for pattern, full in _CONTRACTIONS:
        plain = re.sub(pattern, full, plain)
    for pattern, written in _NUMBERS:
        plain = re.sub(pattern, written, plain)
    plain = re.sub(r"\b([a-z]) (?=[a-z]\b(?! [a-z]{2}))(?<!\ba )(?<!\bi )", r"\1", plain)
    words = []
    for word in re.findall(r"\d+(?:\.\d+)?|[a-zà-ÿ]+(?:'[a-z]+)?", plain):
        if word in _FILLERS:
            continue
        word = re.sub(r"(met|milligram|millilit|kilomet|centimet)re(s?)$|milligramme(s?)$", r"\1er\2", word)
        words += _SPELLINGS.get(_ORDINALS.get(word, word), _ORDINALS.get(word, word)).split()
    return words


def _digits(run: str) -> str:
    """A run of number words in digits: "two hundred and ten" is 210, "one fifty" stays two numbers, "1 50"."""
    numbers: list[str] = []
    thousands, value, room = 0, -1, 0

    def close() -> None:
        nonlocal thousands, value, room
        if value >= 0 or thousands:
            numbers.append(str(thousands + max(value, 0)))
        thousands, value, room = 0, -1, 0

    for word in run.replace("-", " ").split():
        if word == "and" and room < 100:
            close()
            numbers.append("and")
        elif word == "thousand":
            thousands, value, room = 1000 * max(value, 1), -1, 1000
        elif word == "hundred":
            value, room = 100 * max(value, 1), 100
        elif word != "and":
            own = _UNITS.get(word, _TENS.get(word, 0))
            if value >= 0 and 0 < own < room:
                value += own
            elif value >= 0:
                close()
                value = own
            else:
                value = own
            room = 10 if word in _TENS else 0
    close()
    return " ".join(numbers)


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """Edit distance in words, and the number of words of the reference.

    Returns
    -------
    errors, words : int
        Their quotient is the word error rate.
    """
    expected, got = comparable_words(reference), comparable_words(heard)
    return sum(a != b for a, b in align(expected, got)), len(expected)


def align(expected: Sequence[str], got: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    """Pairs of words of two texts along their shortest edit path; None where one of them has no word."""
    rows = [list(range(len(got) + 1))]
    for i, word in enumerate(expected, start=1):
        row, above = [i], rows[-1]
        for j, other in enumerate(got, start=1):
            row.append(min(row[-1] + 1, above[j] + 1, above[j - 1] + (word != other)))
        rows.append(row)
    i, j, pairs = len(expected), len(got), []
    while i or j:
        here = rows[i][j]
        if i and j and here == rows[i - 1][j - 1] + (expected[i - 1] != got[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((expected[i], got[j]))
        elif i and here == rows[i - 1][j] + 1:
            i -= 1
            pairs.append((expected[i], None))
        else:
            j -= 1
            pairs.append((None, got[j]))
    return reversed(pairs)
