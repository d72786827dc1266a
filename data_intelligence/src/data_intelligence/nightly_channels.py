"""What the strap measured, night by night on an unbroken calendar: the input of trends and alerts.

Row i holds the night that ended on day i and the strain of day i. Nights that do not count (pending, not worn, a nap's
value) are NaN in every channel. Everything computed from it at row i uses rows up to i, so one pass over the grid
gives for each day what could have been said on that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from data_intelligence.behaviours import read_dose
from data_intelligence.medians import median
from hrv_shared.constants import RMSSD_PLAUSIBLE_MS
from hrv_shared.history import History

__all__ = ["CHANNELS", "TOLD", "NightlyChannels", "nightly_channels", "told_days", "trailing_z"]

CHANNELS = ("ln_hrv", "resting_hr_bpm", "resp_rate_rpm", "skin_temp_c", "spo2_pct")
"""Measured together each night; a new strap or a new algorithm moves several of them at once."""

SD_FLOOR = {"ln_hrv": 0.05, "resting_hr_bpm": 1.0, "resp_rate_rpm": 0.25, "skin_temp_c": 0.2, "spo2_pct": 0.5}
"""A very steady month must not make a rounding step look like an illness."""

BASELINE_NIGHTS, BASELINE_GAP, MIN_BASELINE = 35, 3, 14
"""The usual is the median of the calendar nights 4 to 35 back: a fever must not raise what it is compared with."""

TOLD: dict[str, frozenset[str]] = {
    "illness": frozenset({"sick", "fever", "covid_symptoms", "sore_throat", "cough_or_congestion", "gi_upset"}),
    "travel": frozenset({"air_travel", "timezone_shift", "jet_lag", "away_from_home", "train_or_bus_travel"}),
    "device_change": frozenset({"device_changed", "firmware_or_algorithm_changed", "strap_location_changed"}),
    "overload": frozenset(),
    "level_shift": frozenset(),
}  # fmt: skip
"""Behaviours of the journal by which the wearer says that an alert's matter is so."""


@dataclass(frozen=True)
class NightlyChannels:
    """One member's nights on a calendar grid of N days.

    Attributes
    ----------
    values : dict channel -> ndarray [N]
        `CHANNELS`; ``ln_hrv`` is the natural logarithm of RMSSD in ms.
    onset_local_h, onset_utc_h : ndarray [N], h
        Sleep onset in hours after noon of the day before, by the wearer's clock and by UTC.
    wake_local_h : ndarray [N], h after midnight
    offset_min : ndarray [N]
        Offset of the night from UTC.
    strain : ndarray [N]
        Of the day itself: the newest value known.
    """

    days: tuple[date, ...]
    values: dict[str, np.ndarray]
    onset_local_h: np.ndarray
    onset_utc_h: np.ndarray
    wake_local_h: np.ndarray
    offset_min: np.ndarray
    strain: np.ndarray

    def __len__(self) -> int:
        return len(self.days)

    @property
    def worn(self) -> np.ndarray:
        """Nights with usable HRV, bool [N]."""
        return np.isfinite(self.values["ln_hrv"])

    def rows(self, start: int, stop: int) -> NightlyChannels:
        """The days from row ``start`` up to row ``stop`` alone."""
        part = slice(start, stop)
        return NightlyChannels(
            self.days[part], {name: x[part] for name, x in self.values.items()}, self.onset_local_h[part],
            self.onset_utc_h[part], self.wake_local_h[part], self.offset_min[part], self.strain[part],
        )  # fmt: skip


def nightly_channels(history: History) -> NightlyChannels:
    """The grid of an as-of view, from its first row to the origin day."""
    frame = history.days.sort("day")
    if frame.is_empty():
        return NightlyChannels(
            (), {name: np.array([]) for name in CHANNELS}, *(np.array([]) for _ in range(5))
        )
    first = frame["day"][0]
    n = (history.origin_day - first).days + 1
    days = tuple(first + timedelta(days=i) for i in range(n))
    values = {name: np.full(n, np.nan) for name in CHANNELS}
    onset_local, onset_utc, wake, offset, strain = (np.full(n, np.nan) for _ in range(5))
    low, high = RMSSD_PLAUSIBLE_MS
    for row in frame.iter_rows(named=True):
        i = (row["day"] - first).days
        strain[i] = np.nan if row["strain_0_21"] is None else row["strain_0_21"]
        hrv = row["hrv_rmssd_ms"]
        if row["state"] != "scored" or hrv is None or not low <= hrv <= high:
            continue
        values["ln_hrv"][i] = np.log(hrv)
        for name in CHANNELS[1:]:
            values[name][i] = np.nan if row[name] is None else row[name]
        if row["utc_offset_min"] is not None:
            offset[i] = row["utc_offset_min"]
        shift = timedelta(minutes=row["utc_offset_min"] or 0)
        if row["sleep_onset_at"] is not None:
            noon = _noon_before(row["day"])
            onset_local[i] = (row["sleep_onset_at"] + shift - noon).total_seconds() / 3600
            onset_utc[i] = (row["sleep_onset_at"] - noon).total_seconds() / 3600
        if row["wake_at"] is not None:
            wake[i] = (row["wake_at"] + shift - _noon_before(row["day"])).total_seconds() / 3600 - 12
    return NightlyChannels(days, values, onset_local, onset_utc, wake, offset, strain)


def told_days(journal: pl.DataFrame, kind: str, *, plans: bool = False) -> dict[date, datetime]:
    """Days on which the wearer said that the matter of ``kind`` was so, with the instant of first saying it."""
    facts = journal.filter(pl.col("behaviour").is_in(sorted(TOLD[kind])), pl.col("status") == "accepted")
    if not plans:
        facts = facts.filter(~pl.col("is_plan").fill_null(False))
    said: dict[date, datetime] = {}
    for fact in facts.sort("known_at").iter_rows(named=True):
        if read_dose(fact)[0]:
            said.setdefault(fact["day"], fact["known_at"])
    return said


def trailing_z(
    x: np.ndarray, name: str, fresh_from: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Robust z of each night against the nights 4 to 35 back.

    Parameters
    ----------
    x : ndarray [N]
    name : str
        The channel, for the floor of its spread.
    fresh_from : ndarray of int [N], optional
        For each row the first row that may be compared with (after a change of device); earlier ones are left out, and
        five nights then suffice.

    Returns
    -------
    z, usual : ndarray [N]
        NaN where the night is missing or fewer than 14 nights are known.
    """
    z, usual = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for i in range(len(x)):
        start = max(0, i - BASELINE_NIGHTS)
        need, stop = MIN_BASELINE, max(0, i - BASELINE_GAP)
        if fresh_from is not None and fresh_from[i] > start:
            start, need, stop = int(fresh_from[i]), 5, i
        window = x[start:stop]
        window = window[np.isfinite(window)]
        if len(window) < need:
            continue
        middle = float(median(window))
        spread = max(1.4826 * float(median(np.abs(window - middle))), SD_FLOOR[name])
        usual[i], z[i] = middle, (x[i] - middle) / spread
    return z, usual


def _noon_before(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=12)
