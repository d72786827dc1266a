"""The model that reads sentences: MPNet-base (110 million parameters) in numpy, tuned to evening diaries.

MPNet is the network of Song et al. 2020 (arXiv:2004.09297): a BERT whose attention has a bias by distance. The weights
are those of ``all-mpnet-base-v2`` (sentence-transformers, Apache-2.0), which were trained to tell what sentences mean;
what was learned from labelled diaries stands beside its matrices, two thin ones for each (LoRA, Hu et al. 2021,
arXiv:2106.09685): one set for sentences alone, one for sentences in their note.

Its libraries want torch, a gigabyte for a network that is thirty lines of arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hrv_shared.models import read_safetensors

__all__ = [
    "LONGEST", "LONGEST_NOTE", "MATRICES", "MODEL", "Encoder", "Thin", "logistic", "note_around", "read_array",
    "softmax", "write_arrays",
]  # fmt: skip

MODEL = "mpnet-base-v2"
"""Whose weights are tuned; the agent's default model."""

LAYERS, HEADS, WIDTH = 12, 12, 768
BUCKETS, FARTHEST = 32, 128
"""Of the bias by distance: distances below 8 have a bucket each, those above share logarithmic ones up to 128."""
LONGEST = 256
"""Tokens of a text that are read; the rest is not."""
LONGEST_NOTE = 128
"""Tokens of a sentence with its neighbours."""
BEGIN, PAD, END = 0, 1, 2
"""Tokens of a text's ends and of nothing; positions are counted from behind the last."""
EPS = np.float32(1e-5)
MATRICES = tuple(
    f"encoder.layer.{layer}.{part}"
    for layer in range(LAYERS)
    for part in (*(f"attention.attn.{name}" for name in "qkvo"), "intermediate.dense", "output.dense")
)
"""What is tuned."""
Thin = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By name of a matrix [out, in]: two thin ones [out, r], [r, in] whose product is added to it."""


class Encoder:
    """The network with its weights.

    Parameters
    ----------
    folder : Path
        With ``model.safetensors`` and ``tokenizer.json``, as the model resolver gives it.
    tuned : Thin, optional
        For sentences alone.
    in_note : Thin, optional
        For sentences in their note.
    model_id : str
        Name for the record.

    Raises
    ------
    ModelTampered
        The weights can't be read.
    """

    def __init__(
        self, folder: Path, tuned: Thin | None = None, in_note: Thin | None = None, *, model_id: str = "mpnet"
    ) -> None:
        from tokenizers import Tokenizer

        self.model_id = model_id
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self._w = read_safetensors(folder / "model.safetensors")
        self._tuned, self._in_note = (
            {name: (out.astype(np.float32), into.astype(np.float32)) for name, (out, into) in (thin or {}).items()}
            for thin in (tuned, in_note)
        )

    def states(self, texts: Sequence[str]) -> np.ndarray:
        """The mean over the last layer's states of each text's tokens; each text is read alone.

        Returns
        -------
        ndarray [n, 768] float32
        """
        found = [self._read(self._tokenizer.encode(text).ids, self._tuned).mean(axis=0) for text in texts]
        return np.array(found, np.float32).reshape(-1, WIDTH)

    def states_in_note(self, parts: Sequence[str]) -> np.ndarray:
        """The mean over the states of each part's own tokens, read with its neighbours.

        Parameters
        ----------
        parts : sequence [n] of str
            The sentences of a note in their order; as many around each are read as ``LONGEST_NOTE`` holds.

        Returns
        -------
        ndarray [n, 768] float32
        """
        tokens = [self._tokenizer.encode(part, add_special_tokens=False).ids for part in parts]
        found, read = [], {}
        for asked in range(len(parts)):
            first, last, ids, spans = note_around(tokens, asked)
            if (first, last) not in read:
                read[first, last] = self._read(ids, self._in_note)
            start, stop = spans[asked - first]
            found.append(read[first, last][start:stop].mean(axis=0))
        return np.array(found, np.float32).reshape(-1, WIDTH)

    def close(self) -> None:
        """Nothing is held open; whoever opens a language model closes it."""

    def _read(self, ids: list[int], thin: Thin) -> np.ndarray:
        """The states of one text's tokens -> [n, 768]."""
        w, n = self._w, len(ids)
        places = w["embeddings.position_embeddings.weight"][PAD + 1 : PAD + 1 + n]
        x = self._norm(w["embeddings.word_embeddings.weight"][ids] + places, "embeddings.LayerNorm")
        distance = np.arange(n)[None, :] - np.arange(n)[:, None]
        bias = w["encoder.relative_attention_bias.weight"][_bucket(distance)].transpose(2, 0, 1)
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            q, k, v = (
                self._linear(x, f"{at}attention.attn.{name}", thin).reshape(n, HEADS, -1).transpose(1, 0, 2)
                for name in "qkv"
            )
            heard = softmax(q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(WIDTH / HEADS)) + bias) @ v
            heard = self._linear(heard.transpose(1, 0, 2).reshape(n, WIDTH), f"{at}attention.attn.o", thin)
            x = self._norm(x + heard, f"{at}attention.LayerNorm")
            thought = _gelu(self._linear(x, f"{at}intermediate.dense", thin))
            x = self._norm(x + self._linear(thought, f"{at}output.dense", thin), f"{at}output.LayerNorm")
        return x

    def _linear(self, x: np.ndarray, name: str, thin: Thin) -> np.ndarray:
        y = x @ self._w[f"{name}.weight"].T + self._w[f"{name}.bias"]
        if name in thin:
            out, into = thin[name]
            y += (x @ into.T) @ out.T
        return y

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPS)
        return x * self._w[f"{name}.weight"] + self._w[f"{name}.bias"]


def note_around(tokens: Sequence[Sequence[int]], asked: int) -> tuple[int, int, list[int], list[tuple[int, int]]]:
    """A part with as many of its neighbours as there is room for, before and after in turn.

    Returns
    -------
    first, last : int
        Parts that are read.
    ids : list of int
        Their tokens, an end after each, as the network's own tokenizer joins two texts.
    spans : list of (start, stop)
        Where each of them stands there.
    """
    first = last = asked
    room = LONGEST_NOTE - len(tokens[asked]) - 2
    before, after = asked > 0, asked + 1 < len(tokens)
    while before or after:
        if before and (before := len(tokens[first - 1]) + 2 <= room):
            first -= 1
            room -= len(tokens[first]) + 2
            before = first > 0
        if after and (after := len(tokens[last + 1]) + 2 <= room):
            last += 1
            room -= len(tokens[last]) + 2
            after = last + 1 < len(tokens)
    ids, spans = [BEGIN], []
    for part in tokens[first : last + 1]:
        if spans:
            ids.append(END)
        start = len(ids)
        ids += [*part[: LONGEST_NOTE - 2], END]
        spans.append((start, len(ids)))
    return first, last, ids, spans


def _bucket(distance: np.ndarray) -> np.ndarray:
    """Of the bias, for a distance from the token that looks to the one that is looked at."""
    half = BUCKETS // 2
    far = np.abs(distance)
    near = half // 2
    steps = np.log(np.maximum(far, 1) / near) / np.log(FARTHEST / near) * (half - near)
    behind = np.where(far < near, far, np.minimum(near + steps.astype(int), half - 1))
    return behind + np.where(distance > 0, half, 0)


def write_arrays(file: BinaryIO, arrays: Iterable[np.ndarray]) -> None:
    """In half precision, the same bytes for the same arrays."""
    for array in arrays:
        np.save(file, array.astype(np.float16), allow_pickle=False)


def read_array(file: BinaryIO) -> np.ndarray:
    """The next one that was written."""
    return np.load(file, allow_pickle=False).astype(np.float32)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def logistic(log_odds: np.ndarray) -> np.ndarray:
    """The probability, without overflow."""
    return np.exp(-np.logaddexp(0.0, -log_odds))


def _gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return x * np.float32(0.5) * (np.float32(1.0) + erf(x * np.float32(np.sqrt(0.5))))
