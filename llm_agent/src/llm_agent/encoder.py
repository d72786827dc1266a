"""The model that reads sentences: MPNet-base (110 million parameters) in numpy, tuned to evening diaries.

MPNet is the network of Song et al. 2020 (arXiv:2004.09297): a BERT whose attention has a bias by distance. The weights
are those of ``all-mpnet-base-v2`` (sentence-transformers, Apache-2.0), which were trained to tell what sentences mean;
what was learned from labelled diary sentences is added to its matrices when it is opened: two thin ones for each
(LoRA, Hu et al. 2021, arXiv:2106.09685).

Its libraries want torch, a gigabyte for a network that is thirty lines of arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hrv_shared.models import read_safetensors

__all__ = ["LONGEST", "MATRICES", "Encoder", "softmax"]

LAYERS, HEADS, WIDTH = 12, 12, 768
BUCKETS, FARTHEST = 32, 128
"""Of the bias by distance: distances below 8 have a bucket each, those above share logarithmic ones up to 128."""
LONGEST = 256
"""Tokens of a text that are read; the rest is not."""
PAD = 1
"""Positions are counted from behind it."""
EPS = np.float32(1e-5)
MATRICES = tuple(
    f"encoder.layer.{layer}.{part}"
    for layer in range(LAYERS)
    for part in (*(f"attention.attn.{name}" for name in "qkvo"), "intermediate.dense", "output.dense")
)
"""What is tuned."""


class Encoder:
    """The network with its weights.

    Parameters
    ----------
    folder : Path
        With ``model.safetensors`` and ``tokenizer.json``, as the model resolver gives it.
    tuned : mapping of str to (ndarray [out, r], ndarray [r, in]), optional
        By name of a matrix: two thin ones whose product is added to it.
    model_id : str
        Name for the record.

    Raises
    ------
    ModelTampered
        The weights can't be read.
    """

    def __init__(
        self, folder: Path, tuned: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None, *, model_id: str = "mpnet"
    ) -> None:
        from tokenizers import Tokenizer

        self.model_id = model_id
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self._w = read_safetensors(folder / "model.safetensors")
        for name, (out, into) in (tuned or {}).items():
            weight = self._w[f"{name}.weight"]
            self._w[f"{name}.weight"] = weight + out.astype(np.float32) @ into.astype(np.float32)

    def states(self, texts: Sequence[str]) -> np.ndarray:
        """The mean over the last layer's states of each text's tokens; each text is read alone.

        Returns
        -------
        ndarray [n, 768] float32
        """
        found = [self._read(self._tokenizer.encode(text).ids).mean(axis=0) for text in texts]
        return np.array(found, np.float32).reshape(-1, WIDTH)

    def close(self) -> None:
        """Nothing is held open; whoever opens a language model closes it."""

    def _read(self, ids: list[int]) -> np.ndarray:
        """The states of one text's tokens -> [n, 768]."""
        w, n = self._w, len(ids)
        places = w["embeddings.position_embeddings.weight"][PAD + 1 : PAD + 1 + n]
        x = self._norm(w["embeddings.word_embeddings.weight"][ids] + places, "embeddings.LayerNorm")
        distance = np.arange(n)[None, :] - np.arange(n)[:, None]
        bias = w["encoder.relative_attention_bias.weight"][_bucket(distance)].transpose(2, 0, 1)
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            q, k, v = (
                self._linear(x, f"{at}attention.attn.{name}").reshape(n, HEADS, -1).transpose(1, 0, 2) for name in "qkv"
            )
            heard = softmax(q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(WIDTH / HEADS)) + bias) @ v
            heard = self._linear(heard.transpose(1, 0, 2).reshape(n, WIDTH), f"{at}attention.attn.o")
            x = self._norm(x + heard, f"{at}attention.LayerNorm")
            thought = _gelu(self._linear(x, f"{at}intermediate.dense"))
            x = self._norm(x + self._linear(thought, f"{at}output.dense"), f"{at}output.LayerNorm")
        return x

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self._w[f"{name}.weight"].T + self._w[f"{name}.bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPS)
        return x * self._w[f"{name}.weight"] + self._w[f"{name}.bias"]


def _bucket(distance: np.ndarray) -> np.ndarray:
    """Of the bias, for a distance from the token that looks to the one that is looked at."""
    half = BUCKETS // 2
    far = np.abs(distance)
    near = half // 2
    steps = np.log(np.maximum(far, 1) / near) / np.log(FARTHEST / near) * (half - near)
    behind = np.where(far < near, far, np.minimum(near + steps.astype(int), half - 1))
    return behind + np.where(distance > 0, half, 0)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return x * np.float32(0.5) * (np.float32(1.0) + erf(x * np.float32(np.sqrt(0.5))))
