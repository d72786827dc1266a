"""Fracast-0 read slowly: one window, the whole context, every step, float64, no trick. Tests compare with it."""

from __future__ import annotations

import numpy as np

CONTEXT = 2048
D = 64


def plain_fracast(values_ms: np.ndarray, w: dict[str, np.ndarray]) -> np.ndarray:
    """Deciles [7, 9] in ms of one series, as the published code computes them."""
    tail = values_ms[-CONTEXT:]
    low, span = np.nanmin(tail), np.nanmax(tail) - np.nanmin(tail)
    v, m = np.zeros(CONTEXT), np.zeros(CONTEXT)
    m[-len(tail) :] = np.isfinite(tail)
    v[-len(tail) :] = np.where(np.isfinite(tail), (tail - low) / span, 0)

    def linear(x, name):
        return x @ w[name + ".weight"].T.astype(float) + w[name + ".bias"]

    def norm(x, name):
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + np.finfo(np.float32).eps) * w[name + ".weight"]

    def swiglu(x, name):
        up = linear(x, name + ".up")
        return linear(up[:, :96] / (1 + np.exp(-up[:, :96])) * up[:, 96:], name + ".down")

    def taps(x, name, d):
        padded = np.vstack([np.zeros((2 * d, D)), x])
        kernel = w[name + "dw_weight"][:, 0]
        return sum(padded[k * d : k * d + len(x)] * kernel[:, k] for k in range(3)) + w[name + "dw_bias"]

    def block(x, name, d):
        x = norm(x + linear(taps(x, name, d), name + "pw"), name + "norm1")
        return norm(x + swiglu(x, name + "ffn"), name + "norm2")

    def recency(pos):
        delta = (pos - (CONTEXT - 1)) / CONTEXT
        far = np.abs(delta)
        return np.column_stack(
            [delta, np.sign(delta) * np.log1p(far) / np.log(2), *(np.exp(-k * far) for k in (0.5, 2, 8))]
        )

    filled = np.where(m > 0, v, v.sum() / m.sum())
    power = np.abs(np.fft.rfft(filled - filled.mean()))[1:] ** 2
    share = power / power.sum()
    peaks = [
        (-share[k], k)
        for k in range(1, len(share) - 1)
        if share[k] > max(share[k - 1], share[k + 1]) and share[k] >= np.log(len(share) / 0.05) / len(share)
    ]
    periods = [round(CONTEXT / (k + 1)) for _, k in sorted(peaks)[:4]]
    periods += [0] * (4 - len(periods))
    pos, ahead = np.arange(CONTEXT), np.arange(CONTEXT, CONTEXT + 48)
    angles = [2 * np.pi * pos / max(p, 1) for p in periods]
    phase = np.column_stack(
        [f(a) * (p > 0) for a, p in zip(angles, periods, strict=True) for f in (np.sin, np.cos)]
    )
    x = linear(np.column_stack([v, m, recency(pos)]), "core.in_proj") + linear(phase, "core.periodic.proj")
    for stage in range(10):
        angle = stage / 2.0 ** np.arange(4) * np.pi
        film = linear(np.concatenate([np.sin(angle), np.cos(angle)]), "core.scale.to_gb")
        x = block(x * (1 + film[:D]) + film[D:], "core.block.", 2**stage)
    h = norm(x, "core.norm")

    primary = max(periods[0], 1)
    bin_of = lambda t: np.minimum((t % primary / primary * 16).astype(int), 15)  # noqa: E731 - reads as the formula
    overall = v.sum() / m.sum()
    bins = [(m * (bin_of(pos) == b)).astype(bool) for b in range(16)]
    means = np.array([v[b].mean() if b.any() else overall for b in bins])
    summary = np.concatenate([h.mean(0), h[-1]])
    x = (
        linear(np.column_stack([recency(ahead), np.tile(summary, (48, 1))]), "head.summary_proj")
        + w["head.queries"]
    )
    x = norm(x + swiglu(x, "head.decoder_ffns.0"), "head.decoder_norms.0")
    for k in (0, 1):
        x = norm(x + taps(x, f"head.fc_blocks.{k}.", 2**k), f"head.fc_blocks.{k}.norm")
    z = np.vstack(
        [
            h[-128:],
            linear(np.column_stack([means[bin_of(ahead)], recency(ahead)]), "head.future_conv.in_proj"),
        ]
    )
    for layer in range(6):
        z = block(z, "head.future_conv.block.", 2**layer)
    x = x + linear(z[-48:], "head.future_conv.out_proj")
    return np.sort(linear(x, "head.out_proj")[:7] * span + low, axis=-1)
