"""Whether a sentence, seen in its note, is other text: a film's line, a stranger's words, a drill, a fairy tale.

Read alone such a sentence is a diary's ("I have not slept in six nights."); what tells is the company that it keeps.
So those sentences that would move the night are read once more, each with its neighbours and the quotation marks that
it stood in. All that this second reading can do is to take a sentence for other text: no neighbour can make one move
the night, or move it more. (Where an evening's sentences point both ways, one that is taken out lets the other speak.)

What was learned (``benchmarks/agent/fit_other_text.py``) is one file of this package: thin matrices beside the network
that the reader's stand beside, too, and one head.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import numpy as np

from llm_agent.encoder import MATRICES, MODEL, Thin, logistic, read_array, write_arrays
from llm_agent.sentences import Sentence

__all__ = ["OTHER_FROM", "OtherText", "as_it_stands", "notes_of", "read_other_text", "shipped_other_text"]

OTHER_FROM = 0.5
"""Least probability from which on a sentence is taken for other text."""


@dataclass(frozen=True)
class OtherText:
    """What was learned.

    Attributes
    ----------
    tuned : Thin
        For ``Encoder.states_in_note``.
    weights, bias : ndarray [width], float
        Logistic regression on the states.
    digest : str
        Of the file; part of the score segment.
    """

    tuned: Thin = field(repr=False)
    weights: np.ndarray = field(repr=False)
    bias: float = field(repr=False)
    digest: str = ""

    def probabilities(self, states: np.ndarray) -> np.ndarray:
        """That each is other text.

        Parameters
        ----------
        states : ndarray [n, width]

        Returns
        -------
        ndarray [n]
        """
        return logistic(states @ self.weights + self.bias)

    def save(self, path: Path) -> None:
        """Write it; half precision, the same bytes for the same one."""
        with path.open("wb") as file:
            thin = (one for name in MATRICES for one in self.tuned[name])
            write_arrays(file, (*thin, self.weights, np.array([self.bias])))


def as_it_stands(sentence: Sentence) -> str:
    """The sentence with the quotation marks that it stood in."""
    return f'"{sentence.text}"' if sentence.quoted else sentence.text


def notes_of(asked: Sequence[Sentence], moving: Sequence[int]) -> list[tuple[list[str], list[int], list[str]]]:
    """Each note that holds a moving sentence: its sentences as they stand, which of them these are, and their ids."""
    found = []
    for note in dict.fromkeys(asked[i].note for i in moving):
        inside = [i for i, sentence in enumerate(asked) if sentence.note == note]
        these = [i for i in moving if i in inside]
        parts = [as_it_stands(asked[i]) for i in inside]
        found.append((parts, [inside.index(i) for i in these], [asked[i].id for i in these]))
    return found


@cache
def shipped_other_text() -> OtherText:
    """The one of this package."""
    return read_other_text(files("llm_agent").joinpath(f"data/{MODEL}.other-text").read_bytes())


def read_other_text(data: bytes) -> OtherText:
    """From the bytes of its file."""
    file = io.BytesIO(data)
    tuned = {name: (read_array(file), read_array(file)) for name in MATRICES}
    return OtherText(tuned, read_array(file), float(read_array(file)[0]), sha256(data).hexdigest()[:8])
