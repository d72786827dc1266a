"""What was heard: the text, its words with their time and probability, and which parts of it are doubtful."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["DOUBTFUL_BELOW", "Transcript", "Word", "uncertain_spans"]

DOUBTFUL_BELOW = 0.5
"""Probability of a word below which it may well be another one (measured: one in four is)."""


@dataclass(frozen=True)
class Word:
    """A word as heard, with its punctuation: when it was said (seconds) and how probable it is, 0 … 1."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True)
class Transcript:
    """What was said.

    Attributes
    ----------
    text : str
        The words joined by blanks.
    seconds : float
        Length of the recording.
    model, model_sha256 : str
        Who heard it.
    language : str
        ISO 639-1 code of the language spoken.
    words : tuple of Word
        In the order in which they were said; ``text`` is made of them.
    """

    text: str
    seconds: float
    model: str
    model_sha256: str
    language: str = "en"
    words: tuple[Word, ...] = ()


def uncertain_spans(text: str, words: Sequence[Word], below: float = DOUBTFUL_BELOW) -> list[tuple[int, int]]:
    """Spans [start, end) of ``text`` whose words are less probable than ``below``, neighbours joined.

    Parameters
    ----------
    text : str
        The transcript's text, or one that still holds its words in the same order.

    Returns
    -------
    list of (start, end)
        In order. A word that the text does not hold (any more) is passed over.
    """
    spans: list[tuple[int, int]] = []
    position = 0
    for word in words:
        start = text.find(word.text, position)
        if start < 0:
            continue
        position = start + len(word.text)
        if word.probability >= below:
            continue
        if spans and not re.search(r"\S", text[spans[-1][1] : start]):
            spans[-1] = (spans[-1][0], position)
        else:
            spans.append((start, position))
    return spans
