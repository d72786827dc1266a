"""What counts as having come true: written down before any alert is issued, applied to each one later.

``True``, ``False``, or None: it cannot be told (yet), because too few of the nights that decide are known. A new rule
gets a new `RULES_VERSION`; scores of different rules are never pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from data_intelligence.nightly_channels import SD_FLOOR, NightlyChannels

__all__ = ["KINDS", "RULES", "RULES_VERSION", "AlertRule", "came_true"]

RULES_VERSION = "1"


@dataclass(frozen=True)
class AlertRule:
    """The rule of one kind: how many nights it looks ahead, and what has to be seen in words."""

    kind: str
    horizon_nights: int
    text: str


RULES = {
    rule.kind: rule
    for rule in (
        AlertRule(
            "illness", 3,
            "the wearer tells of an illness within two days before or after, or on two of the three nights that "
            "follow two of breathing, resting heart rate, skin temperature and HRV lie 1.5 usual spreads or "
            "more on the ill side",
        ),
        AlertRule(
            "travel", 3,
            "the wearer tells of travel within three days, or on two of the three nights that follow the offset from "
            "UTC is not the old one or sleep begins two hours or more from the old instant",
        ),
        AlertRule(
            "overload", 7,
            "the mean HRV of the seven nights that follow lies a smallest worthwhile change or more below the usual",
        ),
        AlertRule(
            "level_shift", 14,
            "the mean HRV of the 14 nights that follow stays a smallest worthwhile change or more on the new side of "
            "the old level",
        ),
        AlertRule(
            "device_change", 14,
            "the wearer tells of a new strap, place or software within seven days, or two of the channels that stepped "
            "stay beyond half of their step over the 14 nights that follow",
        ),
    )
}  # fmt: skip
KINDS = tuple(RULES)

ILL_Z, AWAY_H = 1.5, 2.0


def came_true(
    kind: str, day: date, reference: dict[str, Any], nights: NightlyChannels, said: dict[date, datetime]
) -> bool | None:
    """Whether what was issued on ``day`` came true, as far as ``nights`` and the journal now tell.

    Parameters
    ----------
    reference : dict
        What the alert stored when it was issued: usual values, old level, offset.
    said : dict of date to datetime
        Days on which the wearer told of the matter (`told_days`).
    """
    row = (day - nights.days[0]).days if nights.days else 0
    return _JUDGES[kind](row, day, reference, nights, said)


def _illness(row, day, reference, nights, said) -> bool | None:
    if _told_within(said, day, 2):
        return True
    usual = reference.get("usual", {})
    ill = []
    for i in _ahead(nights, row, 3):
        signs = 0
        for name, sign in (("resp_rate_rpm", 1), ("resting_hr_bpm", 1), ("skin_temp_c", 1), ("ln_hrv", -1)):
            if name in usual:
                spread = _spread(nights, name, row)
                signs += sign * (nights.values[name][i] - usual[name]) / spread >= ILL_Z
        ill.append(signs >= 2)
    return _two_of_three(ill, len(nights) > row + 3)


def _travel(row, day, reference, nights, said) -> bool | None:
    if _told_within(said, day, 3):
        return True
    away = []
    for i in _ahead(nights, row, 3):
        offset, old = nights.offset_min[i], reference.get("offset_min")
        elsewhere = old is not None and np.isfinite(offset) and offset != old
        onset, usual = nights.onset_utc_h[i], reference.get("onset_utc_h")
        away.append(elsewhere or (usual is not None and np.isfinite(onset) and abs(onset - usual) >= AWAY_H))
    return _two_of_three(away, len(nights) > row + 3)


def _overload(row, _day, reference, nights, _said) -> bool | None:
    mean = _mean_ahead(nights.values["ln_hrv"], row, 7, at_least=4)
    if mean is None or reference.get("usual_ln") is None:
        return None
    return bool(mean <= reference["usual_ln"] - reference["swc_ln"])


def _level_shift(row, _day, reference, nights, _said) -> bool | None:
    mean = _mean_ahead(nights.values["ln_hrv"], row, 14, at_least=8)
    if mean is None or reference.get("before_ln") is None:
        return None
    return bool(reference["side"] * (mean - reference["before_ln"]) >= reference["swc_ln"])


def _device_change(row, day, reference, nights, said) -> bool | None:
    if _told_within(said, day, 7):
        return True
    stayed, known = 0, 0
    for name, (before, after) in reference.get("channels", {}).items():
        later = nights.values[name][row + 1 : row + 15]
        later = later[np.isfinite(later)]
        if len(later) >= 7 and len(nights) > row + 14:
            known += 1
            stayed += (np.median(later) - before) / (after - before) >= 0.5
    if len(reference.get("channels", {})) < 2:
        return False if len(nights) > row + 14 else None
    return bool(stayed >= 2) if known >= 2 else None


_JUDGES = {
    "illness": _illness, "travel": _travel, "overload": _overload, "level_shift": _level_shift,
    "device_change": _device_change,
}  # fmt: skip


def _told_within(said: dict[date, datetime], day: date, days: int) -> bool:
    return any(day + timedelta(days=k) in said for k in range(-days, days + 1))


def _ahead(nights: NightlyChannels, row: int, count: int) -> list[int]:
    worn = nights.worn
    return [i for i in range(row + 1, min(row + 1 + count, len(nights))) if worn[i]]


def _two_of_three(hits: list[bool], over: bool) -> bool | None:
    """True as soon as two are there; false once the nights are over and two of them are known."""
    if sum(hits) >= 2:
        return True
    return False if over and len(hits) >= 2 else None


def _mean_ahead(x: np.ndarray, row: int, count: int, *, at_least: int) -> float | None:
    later = x[row + 1 : row + 1 + count]
    later = later[np.isfinite(later)]
    return float(np.mean(later)) if len(x) > row + count and len(later) >= at_least else None


def _spread(nights: NightlyChannels, name: str, row: int) -> float:
    past = nights.values[name][max(0, row - 35) : max(0, row - 3)]
    past = past[np.isfinite(past)]
    if len(past) < 5:
        return 2 * SD_FLOOR[name]
    return max(1.4826 * float(np.median(np.abs(past - np.median(past)))), SD_FLOOR[name])
