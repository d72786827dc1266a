"""A trained reader for the default model: what a sentence is about, from the model's inner state after reading it.

A small model knows more than it says: its states in the middle, over the words of a sentence and over those of a
question after it, read through a linear head that was fitted on labelled sentences, tell more than its answers do
(``benchmarks/agent/RESULTS.md``). The head fits one file of weights and one wording, so it is bound to both.

Each sentence is read alone, so that no other sentence, whoever wrote it, can sway its verdict.
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
from llm_agent.prompts import Prompt

__all__ = ["MOVES_FROM", "SURE_FROM", "Reader", "Verdict", "reader_for", "reader_frame", "reader_text"]

MOVES_FROM = 0.7
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


@dataclass(frozen=True)
class Reader:
    """A linear head on the hidden states of one model under one wording.

    Attributes
    ----------
    model_sha256 : str
        Of the model's file.
    prompt_digest : str
        Of the wording; a head under another wording is refused.
    blocks : int
        Of the model, after which its state is read.
    kinds : tuple of str [K]
        ``daily life``, ``others``, ``plan``, ``message`` and those that move a night.
    weights, bias : ndarray [K, 2 x width], [K]
        Softmax regression on the states: means of the sentence's words and of the question's, each of unit length.
    strength_weights, strength_bias : ndarray [S, 2 x width], [S]
        The same, for ``a little``, ``clearly``, ``a lot`` of a sentence that moves.
    inserted_weights, inserted_bias : ndarray [2 x width], float
        Logistic regression: whether the words are no account of the writer's day at all, where half of them are not.
    digest : str
        Of the file; part of the score segment.
    """

    model_sha256: str
    prompt_digest: str
    blocks: int
    kinds: tuple[str, ...]
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
        states : ndarray [n, 2 x width]

        Returns
        -------
        ndarray [n, K]
        """
        return _softmax(states @ self.weights.T + self.bias)

    def inserted(self, states: np.ndarray) -> np.ndarray:
        """Probability that each is other text that got into the diary, at ``INSERTED_SHARE``.

        Parameters
        ----------
        states : ndarray [n, 2 x width]

        Returns
        -------
        ndarray [n]
        """
        prior = np.log(INSERTED_SHARE / (1.0 - INSERTED_SHARE))
        return np.exp(-np.logaddexp(0.0, -(states @ self.inserted_weights + self.inserted_bias + prior)))

    def verdicts(self, states: np.ndarray, message_odds: Sequence[float]) -> list[Verdict]:
        """The likeliest kind on the likeliest side; a side that moves must have more than ``MOVES_FROM``.

        What may be other text is that much less likely to tell of the writer.

        Parameters
        ----------
        states : ndarray [n, 2 x width]
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
        """Write the head; half precision, the same bytes for the same head."""
        about = {
            "model_sha256": self.model_sha256,
            "prompt_digest": self.prompt_digest,
            "blocks": self.blocks,
            "kinds": list(self.kinds),
        }
        rows = [
            self.weights, self.bias[:, None], self.strength_weights, self.strength_bias[:, None],
            self.inserted_weights, np.array([self.inserted_bias]),
        ]  # fmt: skip
        with path.open("wb") as file:
            file.write(json.dumps(about).encode() + b"\n")
            for row in rows:
                np.save(file, row.astype(np.float16), allow_pickle=False)


def reader_frame(prompt: Prompt) -> tuple[str, str]:
    """What is read before a sentence, and the question that is read after it."""
    before, after = prompt.content["text"].split("{sentence}")
    return before, after


def reader_text(sentence: str, prompt: Prompt) -> str:
    """The words that the model reads, to the letter."""
    before, after = reader_frame(prompt)
    return before + sentence + after


@cache
def reader_for(model_sha256: str, prompt_digest: str) -> Reader | None:
    """The head that was fitted for this model's file under this wording; None: there is none."""
    for entry in files("llm_agent").joinpath("data/readers").iterdir():
        if entry.name.endswith(".head"):
            reader = read_head(entry.read_bytes())
            if (reader.model_sha256, reader.prompt_digest) == (model_sha256, prompt_digest):
                return reader
    return None


def read_head(data: bytes) -> Reader:
    """A head from the bytes of its file."""
    stream = io.BytesIO(data)
    about: dict[str, Any] = json.loads(stream.readline())
    weights, bias, strength_weights, strength_bias, inserted_weights, inserted_bias = (
        np.load(stream, allow_pickle=False).astype(np.float32) for _ in range(6)
    )
    return Reader(
        about["model_sha256"], about["prompt_digest"], about["blocks"], tuple(about["kinds"]), weights,
        bias[:, 0], strength_weights, strength_bias[:, 0], inserted_weights, float(inserted_bias[0]),
        sha256(data).hexdigest()[:8],
    )  # fmt: skip


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
