"""Periods of a series by its normalised periodogram, and the seasonal guess that follows from them.

Ported from the package ``fracast`` 0.1.0 (``_core/periodic/``, there taken over from TinyCast), copyright 2026 the
Fracast contributors / RAWS Labs, Apache License, Version 2.0, distributed without warranties or conditions of any
kind. CHANGED: rewritten from PyTorch to numpy.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["seasonal_fill", "significant_periods"]

TOP = 4
ALPHA = 0.05
PHASE_BINS = 16


def significant_periods(values: np.ndarray, observed: np.ndarray, context: int) -> np.ndarray:
    """The strongest periods that white noise would hardly show (Bonferroni threshold on the periodogram's peaks).

    Parameters
    ----------
    values : ndarray [B, T] float32
        The last T of ``context`` steps, a power of two; what is missing counts as the mean.
    observed : ndarray [B, T] bool

    Returns
    -------
    ndarray [B, 4] int
        Steps, strongest first; 0 where there is none.
    """
    mean = values.sum(axis=1, keepdims=True) / np.maximum(observed.sum(axis=1, keepdims=True), 1)
    centred = np.zeros((len(values), context))
    centred[:, -values.shape[1] :] = np.where(observed, values - mean, 0.0)
    power = np.abs(np.fft.rfft(centred, axis=1)[:, 1:]) ** 2
    share = power / np.maximum(power.sum(axis=1, keepdims=True), 1e-12)
    bins = share.shape[1]
    peak = np.zeros(share.shape, bool)  # its ends stay False: no period beyond half the context
    middle = share[:, 1:-1]
    peak[:, 1:-1] = (middle > share[:, :-2]) & (middle > share[:, 2:])
    peak &= share >= math.log(bins / ALPHA) / bins
    score = np.where(peak, share, -np.inf)
    at = np.argsort(-score, axis=1, kind="stable")[:, :TOP]
    found = np.isfinite(np.take_along_axis(score, at, axis=1))
    return np.where(found, np.rint(context / (at + 1)).astype(int), 0)


def seasonal_fill(
    values: np.ndarray, observed: np.ndarray, periods: np.ndarray, context: int, steps: int
) -> np.ndarray:
    """Mean of the observed values of like phase under the strongest period, for the steps to come; [B, steps].

    ``periods`` is an ndarray [B, 4]; without a period, and for a phase never seen, it is the mean of all.
    """
    count = values.shape[1]
    primary = np.maximum(periods[:, :1], 1).astype(np.float32)
    past = _phase_bin(np.arange(context - count, context, dtype=np.float32), primary)
    ahead = _phase_bin(np.arange(context, context + steps, dtype=np.float32), primary)
    slot = past + PHASE_BINS * np.arange(len(values))[:, None]
    size = PHASE_BINS * len(values)
    seen = np.bincount(slot.ravel(), observed.ravel().astype(float), size).reshape(-1, PHASE_BINS)
    total = np.bincount(slot.ravel(), values.ravel() * observed.ravel(), size).reshape(-1, PHASE_BINS)
    overall = total.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    mean = np.where(seen > 0, total / np.maximum(seen, 1), overall)
    return np.take_along_axis(mean, ahead, axis=1).astype(np.float32)


def _phase_bin(steps: np.ndarray, primary: np.ndarray) -> np.ndarray:
    phase = np.mod(steps[None, :], primary) / primary * np.float32(PHASE_BINS)
    return np.minimum(phase.astype(int), PHASE_BINS - 1)
