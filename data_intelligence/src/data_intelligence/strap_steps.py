"""Steps of several channels on one night: the mark of a new strap, another place on the body or a new algorithm.

An illness moves the same channels, but in one pattern (breathing, pulse and skin temperature up, HRV and oxygen down)
and only for days. The cut is found on all channels together, in past nights only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_intelligence.medians import median
from data_intelligence.nightly_channels import CHANNELS, SD_FLOOR, NightlyChannels
from data_intelligence.one_cut import one_cut

__all__ = ["BODY_PATTERN", "StrapStep", "strap_steps"]

BODY_PATTERN = {"ln_hrv": -1, "resting_hr_bpm": 1, "resp_rate_rpm": 1, "skin_temp_c": 1, "spo2_pct": -1}
"""How an illness moves the channels; the mirror image is its end."""

LOOK_BACK, MIN_BEFORE, MIN_AFTER, MAX_AFTER, MIN_CHANNELS = 42, 14, 4, 14, 2
WIDEN = 1.25
"""Standard errors are widened for the autocorrelation of nights."""


@dataclass(frozen=True)
class StrapStep:
    """The best common cut seen on one day: per channel level before and after, and t."""

    row: int
    before: dict[str, float]
    after: dict[str, float]
    t: dict[str, float]
    n_after: int
    sharp: float

    def unlike(self, pattern: dict[str, int]) -> float:
        """Share of t that goes against the pattern or its mirror image, 0 to 0.5."""
        along = sum(self.t[k] * np.sign(self.after[k] - self.before[k]) * pattern[k] for k in self.t)
        total = sum(self.t.values())
        return float(0.5 * (1 - abs(along) / total)) if total > 0 else 0.0


def strap_steps(nights: NightlyChannels) -> list[StrapStep | None]:
    """For every row the common step that could be seen on that day."""
    table = np.column_stack([nights.values[name] for name in CHANNELS]).reshape(len(nights), len(CHANNELS))
    return [_seen(table[: i + 1]) for i in range(len(nights))]


def _seen(table: np.ndarray) -> StrapStep | None:
    start = max(0, len(table) - LOOK_BACK)
    rows = start + np.flatnonzero(np.isfinite(table[start:, 0]))
    if len(rows) < MIN_BEFORE + MIN_AFTER or not np.isfinite(table[-1, 0]):
        return None
    part = table[rows]
    used = [k for k in range(len(CHANNELS)) if np.isfinite(part[:, k]).mean() > 0.8]
    if len(used) < MIN_CHANNELS:
        return None
    part = part[:, used]
    known = np.isfinite(part)
    middle = median(part) if known.all() else np.nanmedian(part, axis=0)
    part = np.where(known, part, middle)
    floors = np.array([SD_FLOOR[CHANNELS[k]] for k in used])
    noise = np.maximum(1.4826 * median(np.abs(np.diff(part, axis=0))) / 1.3, floors)
    z = np.clip((part - middle) / noise, -5.0, 5.0)
    cut = one_cut(z, MIN_AFTER)
    n_after = len(rows) - cut
    if cut < MIN_BEFORE or not MIN_AFTER <= n_after <= MAX_AFTER:
        return None
    before, after, t = {}, {}, {}
    for j, k in enumerate(used):
        old, new = part[:cut, j], part[cut:, j]
        name = CHANNELS[k]
        before[name], after[name] = float(median(old)), float(median(new))
        sd = max(1.4826 * float(median(np.abs(old - before[name]))), floors[j])
        t[name] = abs(after[name] - before[name]) / (sd * WIDEN * np.sqrt(1 / len(old) + 1 / len(new)))
    return StrapStep(int(rows[cut]), before, after, t, n_after, _sharpness(z, cut))


def _sharpness(z: np.ndarray, cut: int) -> float:
    """How much of the step the first two nights after it already show (1: all; an illness needs days), -1 to 2."""
    old, new = median(z[:cut]), median(z[cut:])
    step = new - old
    weight = np.abs(step).sum()
    if weight <= 0:
        return 0.0
    first = z[cut : cut + 2].mean(axis=0) - old
    return float(np.clip((np.sign(step) * first).sum() / weight, -1.0, 2.0))
