"""How regular sleep is: spread of onset and waking, midweek against weekend, and the Sleep Regularity Index.

The index (Phillips 2017, doi:10.1038/s41598-017-03171-4) is the chance of being in the same state, asleep or awake, at
two instants a day apart, scaled to -100 … 100. Here sleep is the main sleep from onset to waking: naps and lying
awake are not in it, so it is a little higher than from a sleep diary by the minute.
"""

from __future__ import annotations

import numpy as np

from data_intelligence.evidence import EvidenceBook
from data_intelligence.nightly_channels import NightlyChannels
from data_intelligence.trend_blocks import RegularityTrend

__all__ = ["regularity_of", "sleep_regularity_index"]

NIGHTS, MIN_NIGHTS, STEP_H = 28, 14, 1 / 12


def regularity_of(nights: NightlyChannels, book: EvidenceBook) -> RegularityTrend:
    """Of the last 28 nights, by the wearer's own clock."""
    onset, wake = nights.onset_local_h[-NIGHTS:], nights.wake_local_h[-NIGHTS:]
    known = np.isfinite(onset) & np.isfinite(wake)
    days = np.array([day.weekday() for day in nights.days[-NIGHTS:]])
    first, last = nights.days[max(0, len(nights) - NIGHTS)], nights.days[-1]
    cited = book.cite(
        "derived", "onset and waking of 28 nights",
        [f"days/{first}..{last}/sleep_onset_at", f"days/{first}..{last}/wake_at"],
    )  # fmt: skip
    n = int(known.sum())
    if n < MIN_NIGHTS:
        return RegularityTrend(
            onset_sd_min=None,
            wake_sd_min=None,
            social_jetlag_h=None,
            regularity_index=None,
            n=n,
            evidence=cited,
        )
    middle = (onset - 12 + wake) / 2
    free, work = known & np.isin(days, (5, 6)), known & ~np.isin(days, (5, 6))
    jetlag = None
    if free.sum() >= 4 and work.sum() >= 8:
        jetlag = round(float(np.median(middle[free]) - np.median(middle[work])), 1)
    index = sleep_regularity_index(onset, wake)
    return RegularityTrend(
        onset_sd_min=round(60 * float(np.std(onset[known], ddof=1))),
        wake_sd_min=round(60 * float(np.std(wake[known], ddof=1))), social_jetlag_h=jetlag,
        regularity_index=None if index is None else round(index), n=n, evidence=cited,
    )  # fmt: skip


def sleep_regularity_index(onset_h: np.ndarray, wake_h: np.ndarray) -> float | None:
    """The index over pairs of neighbouring nights.

    Parameters
    ----------
    onset_h : ndarray [N], h after noon of the day before
    wake_h : ndarray [N], h after midnight
        NaN: not known.
    """
    clock = np.arange(0.0, 24.0, STEP_H)
    start, stop = onset_h[:, None], wake_h[:, None] + 12.0
    asleep = (clock >= start) & (clock < stop)
    known = np.isfinite(onset_h) & np.isfinite(wake_h)
    pairs = known[1:] & known[:-1]
    if pairs.sum() < MIN_NIGHTS - 4:
        return None
    same = (asleep[1:] == asleep[:-1])[pairs].mean()
    return float(200.0 * same - 100.0)
