"""Word error rate, on words made comparable: case, punctuation, contractions and spoken numbers do not count."""

from __future__ import annotations

import re
from collections.abc import Sequence

from journal_analysis.spoken import canonical

__all__ = ["comparable_words", "word_errors"]

_CONTRACTIONS = (
    (r"won't", "will not"), (r"can't", "can not"), (r"n't\b", " not"), (r"'re\b", " are"), (r"'ve\b", " have"),
    (r"'ll\b", " will"), (r"'d\b", " would"), (r"'m\b", " am"), (r"\b(it|that|he|she|there|what)'s\b", r"\1 is"),
)  # fmt: skip
_SPELLINGS = {
    "ok": "okay",
    "mr": "mister",
    "dr": "doctor",
    "metres": "meters",
    "favourite": "favorite",
    "per": "per",
}


def comparable_words(text: str) -> list[str]:
    """The words of a text in a form in which equal speech is equal."""
    plain = canonical(text).text
    plain = re.sub(r"(\d{1,2})[:.](\d{2})(?!\d)", r"\1 \2", plain)
    plain = re.sub(r"\boclock\b|(?<=\d) ?(?:am|pm)\b", lambda m: " " + m.group().strip(), plain)
    for pattern, full in _CONTRACTIONS:
        plain = re.sub(pattern, full, plain)
    plain = re.sub(r"(\d+) ?/ ?(\d+)", r"\1 out of \2", plain)
    words = re.findall(r"\d+(?:\.\d+)?|[a-zà-ÿ]+(?:'[a-z]+)?", plain)
    return [_SPELLINGS.get(w, w) for w in words if w not in ("uh", "um", "hmm", "mm")]


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """Edit distance in words, and the number of words of the reference.

    Returns
    -------
    errors, words : int
        Their quotient is the word error rate.
    """
    expected, got = comparable_words(reference), comparable_words(heard)
    return _edit_distance(expected, got), len(expected)


def _edit_distance(expected: Sequence[str], got: Sequence[str]) -> int:
    row = list(range(len(got) + 1))
    for i, word in enumerate(expected, start=1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(got, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
