"""What the same models would say if one fact were another: the same function, once more, on a changed history.

Models learned what tends to go with a fact in this wearer and in others. Nobody set the fact by chance, so the answer
is an association, not a promise; only an experiment (``kind = "experiment"``) could make it more. None exists yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS, RMSSD_PLAUSIBLE_MS
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import Forecaster
from hrv_shared.history import History
from model_training.day_grid import day_grid
from model_training.explanation.bedtime import Scenario, bedtime_scenario
from model_training.explanation.changed_facts import Change, ChangedFact, change_history
from model_training.explanation.groups import CALIBRATION
from model_training.explanation.split import log_mean

__all__ = ["ASSOCIATION", "Said", "WhatIf", "carried_calibration", "what_if", "what_was_said"]

ASSOCIATION = "association"
NOTE = "An association, not a promise: it is what tended to go with this in you and in others, not what this would do."
NO_NEWS = "That is so already; the forecast stays as it is, to the last bit."
ONLY_A_SCENARIO = "No model looks at that; the forecast stays as it is, to the last bit."
UNTOLD = "models_that_do_not_tell"
"""Group of a shift by members that do not say what they are made of."""
DUST_MS = 1e-11
LOW, HIGH = QUANTILE_LEVELS.index(0.15), QUANTILE_LEVELS.index(0.85)

Calibrate = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class WhatIf:
    """An answer.

    Attributes
    ----------
    before_ms, after_ms : ndarray [7, 23], ms
        The mix's quantiles on the facts as they are and as they are asked about.
    shift_ms : ndarray [7]
        Of the median.
    parts_ms : dict of ndarray [7], ms
        Groups of facts that the shift came by; they sum to it.
    facts : list of ChangedFact
        Empty when all was so already; then before and after are equal.
    kind : str
        ``association``: no experiment backs it.
    """

    before_ms: np.ndarray
    after_ms: np.ndarray
    shift_ms: np.ndarray
    parts_ms: dict[str, np.ndarray]
    facts: list[ChangedFact]
    kind: str
    note: str
    scenarios: list[Scenario]


@dataclass(frozen=True)
class Said:
    """What each forecaster says of the facts as they are: ndarray [7, 23], ms; and its parts on the ln scale."""

    quantiles_ms: dict[str, np.ndarray]
    parts: dict[str, dict[str, np.ndarray] | None]


def what_if(
    history: History,
    change: Change,
    forecasters: Mapping[str, Forecaster],
    weights: Mapping[int, Mapping[str, float]],
    *,
    calibrate: Calibrate | None = None,
    said: Said | None = None,
    with_parts: bool = True,
) -> WhatIf:
    """Ask the mix what a changed fact would do.

    Parameters
    ----------
    forecasters : dict
        Name -> forecaster fitted on ``history``; each is asked with the old and with the new facts.
    weights : dict
        Horizon -> member -> weight of the mix; members that are not among ``forecasters`` or refuse are left out.
    calibrate : callable, optional
        Averaged quantiles [7, 23] -> those of the mix; the same on both sides.
    said : Said, optional
        `what_was_said` of this history and these forecasters, for who asks often.
    with_parts : bool
        Also take the shift apart, which costs as much again; without, ``parts_ms`` is empty.

    Raises
    ------
    BadChange
        The fact can't be asked about.
    Refusal
        No member speaks.
    """
    changed, facts = change_history(history, change)
    said = said or what_was_said(history, forecasters)
    before = said.quantiles_ms
    share = _shares(weights, before)
    finish = calibrate or (lambda averaged: averaged)
    averaged = _average(before, share)
    issued = finish(averaged)
    scenarios = []
    if change.bedtime is not None:
        scenarios.append(bedtime_scenario(history, change.bedtime, float(issued[0, MEDIAN_INDEX])))
    if not facts:
        none = np.zeros(len(HORIZONS))
        note = ONLY_A_SCENARIO if change == Change(bedtime=change.bedtime) else NO_NEWS
        return WhatIf(issued, issued.copy(), none, {}, [], ASSOCIATION, note, scenarios)
    after = _said(changed, {name: forecasters[name] for name in before})
    newly = _average(after, share)
    asked = finish(newly)
    shift = asked[:, MEDIAN_INDEX] - issued[:, MEDIAN_INDEX]
    if not with_parts:
        return WhatIf(issued, asked, shift, {}, facts, ASSOCIATION, NOTE, scenarios)
    parts = _parts(said, _told(forecasters, before, changed), after, share)
    moved = shift - (newly - averaged)[:, MEDIAN_INDEX]
    if np.abs(moved).max() > DUST_MS:
        parts[CALIBRATION] = moved
    return WhatIf(issued, asked, shift, parts, facts, ASSOCIATION, NOTE, scenarios)


def what_was_said(history: History, forecasters: Mapping[str, Forecaster]) -> Said:
    """What each forecaster says of the facts as they are; those that refuse are left out, unless all do."""
    quantiles = _said(history, forecasters)
    return Said(quantiles, _told(forecasters, quantiles, history))


def carried_calibration(averaged: np.ndarray, issued: np.ndarray) -> Calibrate:
    """What calibration made of the average, as a function: each level moved as far, in half-widths of the band.

    Parameters
    ----------
    averaged, issued : ndarray [7, 23], ms
        Before and after the calibration that was in force.
    """
    offsets = np.log(issued / averaged) / _half_width(averaged)

    def calibrate(quantiles_ms: np.ndarray) -> np.ndarray:
        moved = quantiles_ms * np.exp(offsets * _half_width(quantiles_ms))
        return np.clip(np.maximum.accumulate(moved, axis=1), *RMSSD_PLAUSIBLE_MS)

    return calibrate


def _half_width(quantiles_ms: np.ndarray) -> np.ndarray:
    width = np.log(quantiles_ms[:, HIGH] / quantiles_ms[:, LOW]) / 2
    return np.maximum(width, 1e-6)[:, None]


def _said(history: History, forecasters: Mapping[str, Forecaster]) -> dict[str, np.ndarray]:
    """What each member says, [7, 23]; those that refuse are left out, unless all do."""
    said, refusal = {}, None
    for name, forecaster in forecasters.items():
        try:
            said[name] = np.asarray(forecaster.predict(history, HORIZONS), dtype=float)
        except Refusal as error:
            refusal = error
    if not said and refusal is not None:
        raise refusal
    return said


def _shares(
    weights: Mapping[int, Mapping[str, float]], said: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Share of each member that spoke at each night, ndarray [7] each; they sum to 1."""
    table = np.array([[weights.get(h, {}).get(name, 0.0) for h in HORIZONS] for name in said], dtype=float)
    silent = table.sum(axis=0) <= 0
    table[:, silent] = 1.0
    return dict(zip(said, table / table.sum(axis=0), strict=True))


def _average(said: Mapping[str, np.ndarray], share: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.maximum.accumulate(sum(share[name][:, None] * said[name] for name in said), axis=1)


def _parts(
    said: Said,
    new: Mapping[str, dict[str, np.ndarray] | None],
    after: Mapping[str, np.ndarray],
    share: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """The shift of the average by groups of facts; each member's ln parts under the logarithmic mean of its medians."""
    before, old = said.quantiles_ms, said.parts
    parts: dict[str, np.ndarray] = {}
    for name in before:
        m0, m1 = before[name][:, MEDIAN_INDEX], after[name][:, MEDIAN_INDEX]
        weight = np.array([log_mean(b, a) for a, b in zip(m0, m1, strict=True)])
        whole = np.log(m1) - np.log(m0)
        if old[name] is None or new[name] is None:
            moved = {UNTOLD: whole}
        else:
            zero = np.zeros(len(HORIZONS))
            groups = sorted(old[name].keys() | new[name].keys())
            moved = {g: new[name].get(g, zero) - old[name].get(g, zero) for g in groups}
            largest = max(moved, key=lambda g: float(np.abs(moved[g]).max()))
            moved[largest] = (
                moved[largest] + whole - sum(moved.values())
            )  # bounds of a plausible RMSSD, and dust
        for group, ln in moved.items():
            parts[group] = parts.get(group, 0.0) + share[name] * weight * ln
    return {group: ms for group, ms in parts.items() if np.abs(ms).max() > DUST_MS}


def _told(
    forecasters: Mapping[str, Forecaster], names: Mapping[str, Any], history: History
) -> dict[str, dict[str, np.ndarray] | None]:
    told: dict[str, dict[str, np.ndarray] | None] = {}
    for name in names:
        own = getattr(forecasters[name], "contributions", None)
        told[name] = None if own is None else own(day_grid(history))
    return told
