"""The groups of facts that a forecast is taken apart into, and their names for people.

A forecaster that can say what its location is made of has ``contributions(grid) -> dict[str, ndarray [7]]``: the parts
of ``locate`` at the grid's last origin, on the ln scale, by group. They sum to the location; ``recent_nights`` holds
the level itself (ln ms), all other groups are departures from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import DayGrid

__all__ = [
    "AGENT_PART", "BASE", "CALIBRATION", "JOURNAL", "LAW", "RECENT", "STEADY_GROUPS", "group_of", "in_groups", "label",
]  # fmt: skip

BASE, RECENT, LAW, CALIBRATION, AGENT_PART = "base", "recent_nights", "law", "calibration", "agent"
JOURNAL = "journal"
DOSE = "dose_"
STEADY_GROUPS = (RECENT, "weekday", "load", "body", "sleep")
"""Groups that every explanation names, even when they add nothing."""

_MEMBERS: dict[str, tuple[str, ...]] = {
    RECENT: (
        "night_0_back", "night_1_back", "night_2_back", "night_6_back", "level_2", "level_4", "level_8", "level_30",
        "level_90", "level_all", "low_night", "spread", "night_missing", "gap_nights", "coverage",
        "one", "level", "memory", "mean", "state_space_mean", "state_space_sd", "ridge_mean", "horizon", "nights",
    ),
    "weekday": (*(f"wakes_on_{k}" for k in range(7)), "weekday_own"),
    "load": (
        "strain_z", "steps_z", "load_hard", "load_1_back", "load_acute", "load_chronic", "workout_dev_h",
        "late_workout", "nap_h",
    ),
    "body": ("rhr_z", "rhr_acute_z", "resp_z", "skin_z"),
    "sleep": ("asleep_z", "deep_z", "debt_z", "onset_z", "onset_irregular_h"),
}  # fmt: skip
_GROUP = {name: group for group, names in _MEMBERS.items() for name in names}

_LABELS = {
    BASE: "your usual level", RECENT: "your recent nights", "weekday": "day of the week",
    "load": "training and strain", "body": "body (pulse, breath, skin)", "sleep": "sleep so far",
    JOURNAL: "journal", f"{JOURNAL}_unsaid": "journal: nothing said", "other": "other facts",
    LAW: "shape of good and bad nights", CALIBRATION: "calibration of the mix",
    AGENT_PART: "the agent's correction",
}  # fmt: skip


def group_of(column: str) -> str:
    """The group of a feature or state; ``other`` for one that is not known here."""
    return _GROUP.get(column, "other")


def in_groups(names: Sequence[str], parts: np.ndarray, grid: DayGrid) -> dict[str, np.ndarray]:
    """Sum columns into groups; the journal has one for each behaviour that was spoken of.

    Parameters
    ----------
    names : sequence of str [F]
        Features, states or ``dose_<behaviour>``.
    parts : ndarray [7, F], ln ms
        What each column adds at the last origin.
    grid : DayGrid
        Tells which behaviours were spoken of for each night.

    Returns
    -------
    dict of ndarray [7], ln ms
    """
    spoken = np.isfinite(grid.dose[-1])
    columns = {f"{DOSE}{b.name}": k for k, b in enumerate(BEHAVIOURS)}
    groups: dict[str, np.ndarray] = {}
    for f, name in enumerate(names):
        if name not in columns:
            _add(groups, group_of(name), parts[:, f])
            continue
        said = spoken[:, columns[name]]
        _add(groups, f"{JOURNAL}_{name.removeprefix(DOSE)}", np.where(said, parts[:, f], 0.0))
        _add(groups, f"{JOURNAL}_unsaid", np.where(said, 0.0, parts[:, f]))
    steady = (*STEADY_GROUPS, "other")
    return {g: ln for g, ln in groups.items() if (g in steady and g != "other") or np.any(ln != 0)}


def label(group: str) -> str:
    """The group in words for the wearer."""
    behaviour = group.removeprefix(f"{JOURNAL}_")
    return _LABELS.get(group) or f"journal: {behaviour.replace('_', ' ')}"


def _add(groups: dict[str, np.ndarray], group: str, part: np.ndarray) -> None:
    groups[group] = groups.get(group, 0.0) + part
