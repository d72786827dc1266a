"""The trained reader: what a sentence of the evening is about, told by a small network that was tuned to diaries.

What was learned (``benchmarks/agent/fit_reader.py``) is one file of this package: thin matrices that are added to the
published network's, and three heads on the mean of its states: what a sentence is about, how strong that is, and
whether it is other text that got into the diary. It fits one file of weights, and is bound to it.

Each sentence is read alone, so that no other sentence, whoever wrote it, can make it move the night; ``other_text``
may take one for other text by the company that it keeps.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from llm_agent.choice import MOVED, STRENGTHS
from llm_agent.encoder import MATRICES, MODEL, Encoder, Thin, logistic, read_array, softmax, write_arrays
from llm_agent.other_text import shipped_other_text

__all__ = ["MODEL", "MOVES_FROM", "SURE_FROM", "Reader", "Verdict", "read_reader", "shipped_reader"]

MOVES_FROM = 0.75
"""Least probability that the night goes one way, for a sentence to move it at all; above a half, because the bank holds
more that moves than evenings do."""
RELIEF_ODDS = 1.35
"""By how much the odds of relief are raised: the bank tells far more often of strain, a life does not."""
SURE_FROM = 0.8
"""Below this probability less of the size is taken, and the band of the night is wider."""
INSERTED_SHARE = 0.05
"""How much of what is read is taken to be other text (a film's line, a drill, a label) before it is looked at."""


@dataclass(frozen=True)
class Verdict:
    """What one sentence is about.

    Attributes
    ----------
    about : str
        A kind of the reader, with its strength where it moves the night: ``others``, ``body, clearly``.
    sure : float
        Probability that the night goes the way that it says (down, up, neither).
    """

    about: str
    sure: float

    @property
    def moves(self) -> bool:
        """Whether the night goes one way for it."""
        return self.about.partition(", ")[0] in MOVED


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
        For ``Encoder.states``.
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

    @property
    def label(self) -> str:
        """Stands where a prompt's would: ``read-1a2b3c4d``."""
        return f"read-{self.digest}"

    def encoder(self, folder: Path) -> Encoder:
        """The tuned network, from the folder of the published one, for sentences alone and in their notes.

        Raises
        ------
        ModelTampered
        """
        return Encoder(folder, self.tuned, shipped_other_text().tuned, model_id=MODEL)

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

    def inserted(self, states: np.ndarray) -> np.ndarray:
        """Probability that each is other text that got into the diary, at ``INSERTED_SHARE``.

        Parameters
        ----------
        states : ndarray [n, width]

        Returns
        -------
        ndarray [n]
        """
        prior = np.log(INSERTED_SHARE / (1.0 - INSERTED_SHARE))
        return logistic(states @ self.inserted_weights + self.inserted_bias + prior)

    def verdicts(self, states: np.ndarray, message_odds: Sequence[float]) -> list[Verdict]:
        """The likeliest kind on the likeliest side; a side that moves must have more than ``MOVES_FROM``.

        What may be other text is that much less likely to tell of the writer.

        Parameters
        ----------
        states : ndarray [n, width]
        message_odds : sequence [n] of float
            By how much the odds of a message are raised: ``AddressScreen.message_odds`` of each sentence.
        """
        strengths = states @ self.strength_weights.T + self.strength_bias
        said = []
        shares = zip(self.probabilities(states), self.inserted(states), strengths, message_odds, strict=True)
        for p, inserted, how, odds in shares:
            weighed = p * [{"relief": RELIEF_ODDS, "message": odds}.get(kind, 1.0) for kind in self.kinds]
            by_kind = dict(zip(self.kinds, weighed / weighed.sum() * (1.0 - inserted), strict=True))
            by_kind["others"] += inserted
            up = by_kind["relief"]
            down = sum(by_kind[kind] for kind in MOVED) - up
            still = 1.0 - up - down
            if max(up, down) > MOVES_FROM:
                side = ("relief",) if up > down else tuple(kind for kind in MOVED if kind != "relief")
                about = max(side, key=by_kind.__getitem__)
                said.append(Verdict(f"{about}, {STRENGTHS[int(how.argmax())]}", float(max(up, down))))
            else:
                about = max((kind for kind in self.kinds if kind not in MOVED), key=by_kind.__getitem__)
                said.append(Verdict(about, float(still)))
        return said

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
    """The one of this package."""
    return read_reader(files("llm_agent").joinpath(f"data/{MODEL}.reader").read_bytes())


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
