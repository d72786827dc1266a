"""What was learned from labelled diaries: to tell what a sentence of the evening is about.

A reader is one file of this package: thin matrices that are added to the published network's, and three heads on the
mean of its states: what a sentence is about, how strong that is, and whether it is other text that got into the diary.
It fits one file of weights, and is bound to it. Two ship: one for sentences alone (``benchmarks/agent/fit_reader.py``),
one for sentences in their note (``fit_in_note.py``); what the two make of an evening: ``reading``.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from llm_agent.encoder import MATRICES, MODEL, Thin, logistic, read_array, softmax, write_arrays

__all__ = ["MODEL", "Reader", "read_reader", "shipped_in_note", "shipped_reader"]


@dataclass(frozen=True)
class Reader:
    """What was learned: thin matrices for the network, and heads on its states.

    Attributes
    ----------
    model_sha256 : str
        Of the network's files.
    kinds : tuple of str [K]
        ``daily life``, ``others``, ``plan``, ``message`` and those that move a night.
    tuned : Thin
        What is added to the network.
    weights, bias : ndarray [K, width], [K]
        Softmax regression on the states.
    strength_weights, strength_bias : ndarray [S, width], [S]
        The same, for ``a little``, ``clearly``, ``a lot`` of a sentence that moves.
    inserted_weights, inserted_bias : ndarray [width], float
        Logistic regression: whether the words are no account of the writer's day at all, where half of them are not.
    digest : str
        Of the file; part of the score segment.
    """

    model_sha256: str
    kinds: tuple[str, ...]
    tuned: Thin = field(repr=False)
    weights: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)
    strength_weights: np.ndarray = field(repr=False)
    strength_bias: np.ndarray = field(repr=False)
    inserted_weights: np.ndarray = field(repr=False)
    inserted_bias: float = field(repr=False)
    digest: str = ""

    def probabilities(self, states: np.ndarray) -> np.ndarray:
        """Of each kind.

        Parameters
        ----------
        states : ndarray [n, width]

        Returns
        -------
        ndarray [n, K]
        """
        return softmax(states @ self.weights.T + self.bias)

    def strengths(self, states: np.ndarray) -> np.ndarray:
        """Log-probabilities of each strength, up to a constant -> [n, S]."""
        return states @ self.strength_weights.T + self.strength_bias

    def inserted(self, states: np.ndarray, share: float) -> np.ndarray:
        """Probability that each is other text that got into the diary, where so large a share of them is.

        Parameters
        ----------
        states : ndarray [n, width]
        share : float

        Returns
        -------
        ndarray [n]
        """
        prior = np.log(share / (1.0 - share))
        return logistic(states @ self.inserted_weights + self.inserted_bias + prior)

    def save(self, path: Path) -> None:
        """Write it; half precision, the same bytes for the same reader."""
        about = {"model_sha256": self.model_sha256, "kinds": list(self.kinds)}
        rows = [
            *(thin for name in MATRICES for thin in self.tuned[name]),
            self.weights, self.bias, self.strength_weights, self.strength_bias,
            self.inserted_weights, np.array([self.inserted_bias]),
        ]  # fmt: skip
        with path.open("wb") as file:
            file.write(json.dumps(about).encode() + b"\n")
            write_arrays(file, rows)


@cache
def shipped_reader() -> Reader:
    """The one for sentences alone."""
    return read_reader(files("llm_agent").joinpath(f"data/{MODEL}.reader").read_bytes())


@cache
def shipped_in_note() -> Reader:
    """The one for sentences in their note."""
    return read_reader(files("llm_agent").joinpath(f"data/{MODEL}.in-note").read_bytes())


def read_reader(data: bytes) -> Reader:
    """A reader from the bytes of its file."""
    file = io.BytesIO(data)
    about: dict[str, Any] = json.loads(file.readline())
    tuned = {name: (read_array(file), read_array(file)) for name in MATRICES}
    *heads, inserted_bias = (read_array(file) for _ in range(6))
    return Reader(
        about["model_sha256"], tuple(about["kinds"]), tuned, *heads, float(inserted_bias[0]),
        sha256(data).hexdigest()[:8],
    )  # fmt: skip
