"""Deciles of Fracast-0 for many origins of one series at once.

The model knows nothing but the series; each origin sees the values up to itself, scaled to 0..1 by the smallest and
the largest of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from model_training.foundation.deciles import DECILES
from model_training.foundation.fracast_net import CONTEXT, STEPS, FracastNet
from model_training.foundation.fracast_periods import seasonal_fill, significant_periods

__all__ = ["LEAST_OBSERVED", "fracast_quantiles"]

LEAST_OBSERVED = 8
BATCH_STEPS = 1024
"""Steps of all windows in one pass: small enough for its layers to stay in the processor's cache."""
LEAST_SPAN_MS = 1e-5


def fracast_quantiles(
    values_ms: np.ndarray, origins: np.ndarray, weights: Mapping[str, np.ndarray] | FracastNet
) -> np.ndarray:
    """Deciles of the seven days after each origin.

    Parameters
    ----------
    values_ms : ndarray [N], ms
        One value a calendar day, NaN where there is none.
    origins : ndarray [O] of int
        Indices into ``values_ms``; an origin sees ``values_ms[: origin + 1]`` and nothing else.
    weights : mapping or FracastNet
        From ``fracast_weights.load_weights``. A ``FracastNet`` keeps its caches from call to call.

    Returns
    -------
    ndarray [O, 7, 9], ms
        At levels 0.1 .. 0.9, rising. NaN for an origin with fewer than eight values in the last 2048 days.

    Raises
    ------
    ValueError
        An origin outside the series, or a series that is not one-dimensional.
    """
    values = np.asarray(values_ms, dtype=np.float32)
    origins = np.asarray(origins, dtype=int)
    if values.ndim != 1 or (origins.size and (origins.min() < 0 or origins.max() >= len(values))):
        raise ValueError(
            f"expected origins within a series [N], got series {values.shape}, origins {origins}"
        )
    net = weights if isinstance(weights, FracastNet) else FracastNet(weights)
    out = np.full((len(origins), STEPS, len(DECILES)), np.nan)
    with threadpool_limits(1):  # matrices this small are slower with more
        for picked in _batches(values, origins):
            out[picked] = _deciles(values, origins[picked], net)
    return out


def _batches(values: np.ndarray, origins: np.ndarray) -> list[np.ndarray]:
    """Indices of origins that can speak, neighbours together, so that windows of a batch are of like length."""
    observed = np.isfinite(values)
    total = np.concatenate([[0], observed.cumsum()])
    known = total[origins + 1] - total[np.maximum(origins + 1 - CONTEXT, 0)]
    able = np.flatnonzero(known >= LEAST_OBSERVED)
    able = able[np.argsort(origins[able], kind="stable")]
    batches, begin = [], 0
    while begin < len(able):
        length = min(origins[able[begin]] + 1, CONTEXT)
        size = max(1, BATCH_STEPS // length)
        batches.append(able[begin : begin + size])
        begin += size
    return batches


def _deciles(values: np.ndarray, origins: np.ndarray, net: FracastNet) -> np.ndarray:
    """[O, 7, 9], ms, for the origins of one batch."""
    length = min(int(origins.max()) + 1, CONTEXT)
    at = origins[:, None] + np.arange(-length + 1, 1)
    window = np.where(at >= 0, values[np.maximum(at, 0)], np.nan)
    observed = np.isfinite(window)
    low = np.nanmin(window, axis=1, keepdims=True).astype(np.float64)
    span = np.maximum(np.nanmax(window, axis=1, keepdims=True) - low, LEAST_SPAN_MS)
    scaled = np.where(observed, (window - low) / span, 0.0).astype(np.float32)
    periods = significant_periods(scaled, observed, CONTEXT)
    fill = seasonal_fill(scaled, observed, periods, CONTEXT, STEPS)
    out = np.empty((len(origins), STEPS, len(DECILES)))
    for alike in np.unique(periods, axis=0):
        own = (periods == alike).all(axis=1)
        out[own] = net.deciles(scaled[own], observed[own], tuple(map(int, alike)), fill[own])
    return np.sort(out * span[..., None] + low[..., None], axis=-1)
