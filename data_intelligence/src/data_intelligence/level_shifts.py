"""Level shifts of a night's channels, found on past nights only.

Assumes: a level that steps and then stays, over noise with the autocorrelation of nightly HRV. Isn't: a test with an
exact size; the statistic is turned into a probability by `alert_models`. For each day the search sees the nights up to
that day, so a shift has a day since which it is and a later one on which it could first be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_intelligence.medians import median
from data_intelligence.nightly_channels import NightlyChannels
from data_intelligence.one_cut import one_cut

__all__ = ["MIN_BASE", "SWC_SD", "Step", "latest_step", "steps_by_day", "usual_level"]

LOOK_BACK, MIN_SEGMENT, MIN_BASE = 75, 7, 28
MAX_AGE_NIGHTS = 35
"""A step older than this is the level by now."""

WINSOR_Z, AUTOCORRELATION, SWC_SD = 2.5, 0.23, 0.5


@dataclass(frozen=True)
class Step:
    """A candidate step of ln RMSSD as seen on one day.

    Attributes
    ----------
    row : int
        First row of the new level.
    before, after : float
        Means of ln RMSSD; ``sd`` : of the nights around the two means.
    t : float
        |after - before| over its standard error, widened for autocorrelation.
    n_after : int
        Nights of the new level.
    """

    row: int
    before: float
    after: float
    sd: float
    t: float
    n_after: int

    @property
    def in_swc(self) -> float:
        """Size in smallest worthwhile changes (0.5 SD)."""
        return abs(self.after - self.before) / (SWC_SD * self.sd)


def latest_step(x: np.ndarray) -> Step | None:
    """The largest step in the last 75 rows of ``x`` [N] (NaN: no night), or None when it is old."""
    start = max(0, len(x) - LOOK_BACK)
    rows = start + np.flatnonzero(np.isfinite(x[start:]))
    if len(rows) < MIN_BASE:
        return None
    seen = x[rows]
    middle = float(median(seen))
    noise = max(1.4826 * float(median(np.abs(np.diff(seen)))) / np.sqrt(2 * (1 - AUTOCORRELATION)), 0.03)
    z = _winsorised((seen - middle) / noise)
    cut = one_cut(z[:, None], MIN_SEGMENT)
    before, after = seen[:cut], seen[cut:]
    if len(before) < 2 * MIN_SEGMENT or len(x) - rows[cut] > MAX_AGE_NIGHTS:
        return None
    old, new = _trimmed(before), _trimmed(after)
    sd = float(np.sqrt((np.var(before) * len(before) + np.var(after) * len(after)) / (len(seen) - 2)))
    sd = max(sd, 0.03)
    widen = np.sqrt((1 + AUTOCORRELATION) / (1 - AUTOCORRELATION))
    error = sd * widen * np.sqrt(1 / len(before) + 1 / len(after))
    return Step(int(rows[cut]), old, new, sd, float(abs(new - old) / error), len(after))


def steps_by_day(nights: NightlyChannels, first_row: int = 0) -> list[Step | None]:
    """For every row the step that could be seen on that day (None before ``first_row``)."""
    x = nights.values["ln_hrv"]
    return [latest_step(x[: i + 1]) if i >= first_row else None for i in range(len(x))]


def usual_level(x: np.ndarray, row: int) -> tuple[float, float, int]:
    """Mean and SD of ln RMSSD over the 60 days that end a week before ``row``, and their number of nights.

    The last week is left out: a band that contains the week it judges would follow it.
    """
    window = x[max(0, row - 66) : max(0, row - 6)]
    window = window[np.isfinite(window)]
    if len(window) < 2:
        return np.nan, np.nan, len(window)
    return float(np.mean(window)), float(np.std(window, ddof=1)), len(window)


def _winsorised(z: np.ndarray) -> np.ndarray:
    """Draw single outliers in towards the median of the seven nights around them (all of them past nights)."""
    around = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([z[:1].repeat(3), z, z[-1:].repeat(3)]), 7
    )
    near = median(around.T)
    return np.clip(z, near - WINSOR_Z, near + WINSOR_Z)


def _trimmed(values: np.ndarray) -> float:
    """Mean without the tenth that lies farthest out at either end."""
    cut = int(0.1 * len(values))
    return float(np.mean(np.sort(values)[cut : len(values) - cut]))
