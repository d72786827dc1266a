"""Fracast-0 in numpy: the forward pass of the published network, for its first seven steps.

Ported from the package ``fracast`` 0.1.0 (``_core/model.py``, ``_core/self_similar_block.py``,
``_core/gather_head.py``, ``_core/future_conv.py``), copyright 2026 the Fracast contributors / RAWS Labs, licensed
under the Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0), distributed without warranties or
conditions of any kind. CHANGED: rewritten from PyTorch to numpy, inference only, float32, seven horizon steps of 48.

Two things make it fast without changing a number. Every layer is causal, so the empty part in front of a short series
passes through the network alike for every series with the same periods: it is computed once and kept. And the head
is causal along the horizon, so steps 8 to 48 need not be computed for steps 1 to 7.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["CONTEXT", "STEPS", "FracastNet"]

CONTEXT = 2048
STEPS = 7
WIDTH = 64
STAGES = 10
SEED = 128
"""Last encoder states that the future convolution starts from."""
FUTURE_LAYERS = 6
EPS = float(np.finfo(np.float32).eps)
KEPT_PREFIXES = 24
"""Empty prefixes kept, 6 MB each; neighbouring origins of one series share theirs."""

Array = np.ndarray


@dataclass(frozen=True)
class _Prefix:
    """The empty context as every layer sees it: stage inputs [10][2048, 64], sums of the output [2049, 64]."""

    stages: list[Array]
    output: Array
    sums: Array


class FracastNet:
    """The network with its weights; ``weights`` are the tensors of ``model.safetensors`` by name."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.core = _Block(weights, "core.block.")
        self.future = _Block(weights, "head.future_conv.block.")
        self.w = {name: np.ascontiguousarray(w.T if w.ndim == 2 else w) for name, w in weights.items()}
        self.w["head.queries"] = np.ascontiguousarray(weights["head.queries"])
        self.film = [self._film(stage) for stage in range(STAGES)]
        self.recency = _recency(np.arange(CONTEXT + STEPS))
        self._prefixes: OrderedDict[tuple[int, ...], _Prefix] = OrderedDict()

    def deciles(self, values: Array, observed: Array, periods: tuple[int, ...], fill: Array) -> Array:
        """Deciles of the next seven steps, on the scale of ``values``.

        Parameters
        ----------
        values : ndarray [B, T] float32
            The last T steps, scaled to 0..1 over the observed ones, 0 where missing; all before them is missing.
        observed : ndarray [B, T] bool
        periods : tuple of int
            Significant periods, strongest first, 0 for none; the same for all B.
        fill : ndarray [B, 7] float32
            Seasonal guess of the steps to come.

        Returns
        -------
        ndarray [B, 7, 9] float32
            Not sorted.
        """
        before = self._prefix(periods)
        kept = CONTEXT - values.shape[1]
        own = self._embed(values, observed, periods, kept)
        hidden = self._encode(own, [stage[:kept] for stage in before.stages])[0]
        mean = (before.sums[kept] + hidden.sum(axis=1)) / np.float32(CONTEXT)
        if hidden.shape[1] < SEED:
            lacking = before.output[kept - (SEED - hidden.shape[1]) : kept]
            hidden = np.concatenate([np.broadcast_to(lacking, (len(hidden), *lacking.shape)), hidden], axis=1)
        return self._head(mean, hidden[:, -SEED:], fill)

    def _prefix(self, periods: tuple[int, ...]) -> _Prefix:
        if periods not in self._prefixes:
            nothing = np.zeros((1, CONTEXT), np.float32)
            own = self._embed(nothing, nothing > 0, periods, 0)
            hidden, stages = self._encode(own, [np.empty((0, WIDTH), np.float32)] * STAGES, keep=True)
            sums = np.concatenate([np.zeros((1, WIDTH)), hidden[0].cumsum(axis=0, dtype=np.float64)])
            self._prefixes[periods] = _Prefix(stages, hidden[0], sums.astype(np.float32))
            if len(self._prefixes) > KEPT_PREFIXES:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(periods)
        return self._prefixes[periods]

    def _embed(self, values: Array, observed: Array, periods: tuple[int, ...], start: int) -> Array:
        """Value, coverage, recency and phase of each step -> [B, T, 64]."""
        w = self.w["core.in_proj.weight"]
        place = self.recency[start:CONTEXT] @ w[2:] + self.w["core.in_proj.bias"]
        phase = _phase(np.arange(start, CONTEXT), periods)
        place += phase @ self.w["core.periodic.proj.weight"] + self.w["core.periodic.proj.bias"]
        return values[..., None] * w[0] + observed[..., None].astype(np.float32) * w[1] + place

    def _encode(self, x: Array, before: list[Array], *, keep: bool = False) -> tuple[Array, list[Array]]:
        """Ten passes through one block, its taps ever further apart -> [B, T, 64] and the inputs of the passes."""
        inputs = []
        for stage in range(STAGES):
            gain, shift = self.film[stage]
            x = x * gain + shift
            if keep:
                inputs.append(x[0])
            x = self.core(x, _causal_taps(x, before[stage], 2**stage, self.core.taps))
        return _rms_norm(x) * self.w["core.norm.weight"], inputs

    def _head(self, mean: Array, seed: Array, fill: Array) -> Array:
        """Summary and horizon queries -> [B, 7, 9]."""
        w, place = self.w, self.recency[CONTEXT:]
        project = w["head.summary_proj.weight"]
        summary = np.concatenate([mean, seed[:, -1]], axis=-1) @ project[5:]
        x = summary[:, None] + place @ project[:5] + w["head.summary_proj.bias"] + w["head.queries"][:STEPS]
        x = _rms_norm(x + _swiglu(x, w, "head.decoder_ffns.0.")) * w["head.decoder_norms.0.weight"]
        nothing = np.empty((0, WIDTH), np.float32)
        for layer in (0, 1):
            name = f"head.fc_blocks.{layer}."
            taps = _taps(w[name + "dw_weight"])
            y = _causal_taps(x, nothing, 2**layer, taps) + w[name + "dw_bias"]
            x = _rms_norm(x + y) * w[name + "norm.weight"]
        x = x + self._future(seed, fill)
        return x @ w["head.out_proj.weight"] + w["head.out_proj.bias"]

    def _future(self, seed: Array, fill: Array) -> Array:
        """The encoder's last states, continued by the seasonal guess, convolved -> [B, 7, 64]."""
        w = self.w["head.future_conv.in_proj.weight"]
        ahead = (
            fill[..., None] * w[0] + self.recency[CONTEXT:] @ w[1:] + self.w["head.future_conv.in_proj.bias"]
        )
        z = np.concatenate([seed, ahead], axis=1)
        nothing = np.empty((0, WIDTH), np.float32)
        for layer in range(FUTURE_LAYERS):
            z = self.future(z, _causal_taps(z, nothing, 2**layer, self.future.taps))
        return (
            z[:, -STEPS:] @ self.w["head.future_conv.out_proj.weight"]
            + self.w["head.future_conv.out_proj.bias"]
        )

    def _film(self, stage: int) -> tuple[Array, Array]:
        """Gain and shift of a scale, from sines and cosines of its logarithm; two ndarray [64]."""
        angle = (stage / 2.0 ** np.arange(4) * np.pi).astype(np.float32)
        feature = np.concatenate([np.sin(angle), np.cos(angle)])
        both = feature @ self.w["core.scale.to_gb.weight"] + self.w["core.scale.to_gb.bias"]
        return 1 + both[:WIDTH], both[WIDTH:]


class _Block:
    """Depthwise taps, a pointwise projection, then SwiGLU; each with a residual and RMS norm."""

    def __init__(self, weights: Mapping[str, Array], name: str) -> None:
        self.w = {
            part.removeprefix(name): np.ascontiguousarray(w.T if w.ndim == 2 else w)
            for part, w in weights.items()
            if part.startswith(name)
        }
        self.taps = _taps(self.w["dw_weight"])
        self.shift = self.w["dw_bias"] @ self.w["pw.weight"] + self.w["pw.bias"]

    def __call__(self, x: Array, tapped: Array) -> Array:
        x = x + self.shift + tapped @ self.w["pw.weight"]
        x = _rms_norm(x) * self.w["norm1.weight"]
        return _rms_norm(x + _swiglu(x, self.w, "ffn.")) * self.w["norm2.weight"]


def _taps(weight: Array) -> tuple[Array, Array, Array]:
    """Depthwise weights as gains of the steps t, t - d and t - 2d; weight [64, 1, 3]."""
    squeezed = weight.reshape(WIDTH, 3)
    return squeezed[:, 2].copy(), squeezed[:, 1].copy(), squeezed[:, 0].copy()


def _causal_taps(x: Array, before: Array, dilation: int, taps: tuple[Array, Array, Array]) -> Array:
    """Weighted sum of steps t, t - d, t - 2d; x [B, T, 64] follows ``before`` [P, 64], which follows zeros."""
    y = x * taps[0]
    length = x.shape[1]
    for lag, gain in ((dilation, taps[1]), (2 * dilation, taps[2])):
        if lag < length:
            y[:, lag:] += x[:, :-lag] * gain
        first = len(before) - lag
        begin, end = max(first, 0), first + min(lag, length)
        if begin < end:
            y[:, begin - first : end - first] += before[begin:end] * gain
    return y


def _swiglu(x: Array, w: Mapping[str, Array], name: str) -> Array:
    up = x @ w[name + "up.weight"] + w[name + "up.bias"]
    gate, value = np.split(up, 2, axis=-1)
    return (gate / (1 + np.exp(-gate)) * value) @ w[name + "down.weight"] + w[name + "down.bias"]


def _rms_norm(x: Array) -> Array:
    return x * (1 / np.sqrt(np.einsum("...d,...d->...", x, x) / x.shape[-1] + EPS))[..., None]


def _recency(steps: Array) -> Array:
    """Bounded functions of the distance to now; [N] -> [N, 5] float32."""
    delta = (steps.astype(np.float32) - np.float32(CONTEXT - 1)) / np.float32(CONTEXT)
    far = np.abs(delta)
    columns = [
        delta,
        np.sign(delta) * np.log1p(far) / np.log(2.0),
        *(np.exp(-k * far) for k in (0.5, 2.0, 8.0)),
    ]
    return np.stack(columns, axis=-1).astype(np.float32)


def _phase(steps: Array, periods: tuple[int, ...]) -> Array:
    """Sine and cosine of the phase under each period, zeros for none; [N] -> [N, 2K] float32."""
    columns = []
    for period in periods:
        angle = np.float32(2 * np.pi) * steps.astype(np.float32) / np.float32(max(period, 1))
        columns += [np.sin(angle) * (period > 0), np.cos(angle) * (period > 0)]
    return np.stack(columns, axis=-1).astype(np.float32)
