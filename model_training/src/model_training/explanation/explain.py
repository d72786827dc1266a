"""Take forecasts apart: the usual level and signed parts in ms that sum to the issued median.

A member's parts come from the very numbers that its location is the sum of (``contributions``); what is left to its
median is the law of errors and the bounds of a plausible RMSSD. A member without ``contributions`` knows nights alone
(naive rules, networks of the series) or does not tell: all of it is ``recent_nights``, but for what its row says that
the journal moved, and the row names it (``not_taken_apart``). The mix averages level by level, so its parts are the
members' parts under its weights; what its calibration moved is a part of its own, and so is what the agent moved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hrv_shared.constants import (
    AGENT_CALIBRATED,
    HORIZONS,
    MEDIAN_INDEX,
    MODEL_COMBINATION,
    NOT_MODELS,
    PRODUCT,
)
from hrv_shared.forecaster import find_forecasters
from hrv_shared.history import History
from hrv_shared.ledger import ForecastRow
from model_training.day_grid import day_grid
from model_training.explanation.groups import AGENT_PART, BASE, CALIBRATION, JOURNAL, LAW, RECENT
from model_training.explanation.split import log_mean, usual_level_ms
from model_training.rolling import JOURNAL_SHIFT

__all__ = [
    "NOT_TAKEN_APART", "PARTS", "LogParts", "explain_rows", "final_with_parts", "log_parts", "mix_with_parts",
    "shares_of",
]  # fmt: skip

PARTS = "parts_ms"
"""Key of ``reasons``: group -> ms, ``base`` among them; they sum to the row's median."""
NOT_TAKEN_APART = "not_taken_apart"
"""Key of ``reasons``: members that did not tell what they are made of."""

LogParts = dict[str, np.ndarray]
"""Group -> ndarray [7], ln ms; ``recent_nights`` holds the level."""


@dataclass(frozen=True)
class _Source:
    """A registered forecaster that may tell its parts."""

    version: str
    contributions: Any


def explain_rows(
    history: History, rows: Sequence[ForecastRow], forecasters: Mapping[str, Any] | None = None
) -> dict[str, dict[int, dict[str, float]]]:
    """Take every row of one issue apart.

    Parameters
    ----------
    history : History
        What the rows rest on; a row with another ``input_digest`` is not taken apart.
    rows : sequence of ForecastRow
        One issue: members, ``mix``, ``agent``, ``final``, as far as they are there.
    forecasters : dict, optional
        Name -> forecaster or its class, for those whose rows are to be taken apart; default: the registered ones.

    Returns
    -------
    dict
        forecaster -> horizon -> {``base``: ms, group: ms}; the values sum to the row's median. The agent has none.
    """
    members = [row for row in rows if row.forecaster not in NOT_MODELS]
    explained = _explain_members(history, members, forecasters)[0]
    mix = [row for row in rows if row.forecaster == MODEL_COMBINATION]
    for row in mix:
        explained.setdefault(MODEL_COMBINATION, {})[row.horizon] = _mixed(row, members, explained)
    for row in rows:
        if row.forecaster == PRODUCT and row.horizon in explained.get(MODEL_COMBINATION, {}):
            own = next(m for m in mix if m.horizon == row.horizon)
            parts = _corrected(explained[MODEL_COMBINATION][row.horizon], own, row)
            explained.setdefault(PRODUCT, {})[row.horizon] = parts
    return explained


def mix_with_parts(
    history: History,
    members: Sequence[ForecastRow],
    mix: Sequence[ForecastRow],
    forecasters: Mapping[str, Any] | None = None,
) -> list[ForecastRow]:
    """The rows of ``mix`` with their parts among the reasons, ready to be issued."""
    explained, untold = _explain_members(history, members, forecasters)
    told = []
    for row in mix:
        silent = sorted(untold & set(shares_of(row, members)))
        reasons = (row.reasons or {}) | {PARTS: _mixed(row, members, explained)}
        told.append(replace(row, reasons=reasons | ({NOT_TAKEN_APART: silent} if silent else {})))
    return told


def final_with_parts(mix: Sequence[ForecastRow], final: Sequence[ForecastRow]) -> list[ForecastRow]:
    """The rows of ``final`` with the mix's parts and the agent's; a mix that was issued without parts gives none."""
    by_horizon = {row.horizon: row for row in mix}
    told = []
    for row in final:
        own = by_horizon.get(row.horizon)
        parts = (own and own.reasons or {}).get(PARTS)
        told.append(
            replace(row, reasons=(row.reasons or {}) | {PARTS: _corrected(parts, own, row)}) if parts else row
        )
    return told


def log_parts(median_ms: float, base_ms: float, contributions: LogParts, horizon: int) -> dict[str, float]:
    """Parts of ln(median / usual level) of one night: the member's own and, as what is left, its law of errors.

    Parameters
    ----------
    contributions : dict of ndarray [7], ln ms
        As a forecaster gives them.
    """
    parts = {group: float(ln[horizon - 1]) for group, ln in contributions.items()}
    parts[RECENT] = parts.get(RECENT, 0.0) - math.log(base_ms)
    parts[LAW] = math.log(median_ms) - math.log(base_ms) - math.fsum(parts.values())
    return parts


def shares_of(row: ForecastRow, members: Sequence[ForecastRow]) -> dict[str, float]:
    """The weights of a mix row, scaled to the members that spoke of its night."""
    weights = (row.reasons or {}).get("weights", {})
    spoke = {m.forecaster: float(weights[m.forecaster]) for m in members
             if m.horizon == row.horizon and m.forecaster in weights}  # fmt: skip
    total = sum(spoke.values())
    return {name: weight / total for name, weight in spoke.items()} if total > 0 else {}


def _explain_members(
    history: History, rows: Sequence[ForecastRow], forecasters: Mapping[str, Any] | None
) -> tuple[dict[str, dict[int, dict[str, float]]], set[str]]:
    """Parts of the members' rows, and the names of those that did not tell."""
    sources, digest, base = _sources(forecasters), history.digest(), usual_level_ms(history)
    explained: dict[str, dict[int, dict[str, float]]] = {}
    told: dict[str, LogParts | None] = {}
    for row in rows:
        source = sources.get(row.forecaster)
        mine = source is not None and source.version == row.version and row.input_digest == digest
        if row.forecaster not in told:
            told[row.forecaster] = _contributions(source, history) if mine else None
        ln = told[row.forecaster] if mine else None
        parts = _from_nights(row, base) if ln is None else _in_ms(row, ln, base)
        explained.setdefault(row.forecaster, {})[row.horizon] = parts
    return explained, {name for name, ln in told.items() if ln is None}


def _sources(forecasters: Mapping[str, Any] | None) -> dict[str, _Source]:
    found = find_forecasters() if forecasters is None else forecasters
    ready = {
        name: f() if isinstance(f, type) else f for name, f in found.items() if hasattr(f, "contributions")
    }
    return {name: _Source(f.version, f.contributions) for name, f in ready.items()}


def _contributions(source: _Source, history: History) -> LogParts | None:
    """What the member says of itself; None when it can't or what it says is no use."""
    try:
        parts = {
            name: np.asarray(ln, dtype=float) for name, ln in source.contributions(day_grid(history)).items()
        }
    except Exception:  # a forecaster may be anybody's; a forecast is issued even if its reasons can't be told
        return None
    sound = all(ln.shape == (len(HORIZONS),) and np.isfinite(ln).all() for ln in parts.values())
    return parts if parts and sound else None


def _in_ms(row: ForecastRow, ln: LogParts, base: float) -> dict[str, float]:
    median = row.quantiles_ms[MEDIAN_INDEX]
    weight = log_mean(median, base)
    parts = log_parts(median, base, ln, row.horizon)
    return _whole(base, {group: part * weight for group, part in parts.items()}, median)


def _from_nights(row: ForecastRow, base: float) -> dict[str, float]:
    moved = float((row.reasons or {}).get(JOURNAL_SHIFT, 0.0))
    median = row.quantiles_ms[MEDIAN_INDEX]
    return _whole(base, {RECENT: median - base - moved} | ({JOURNAL: moved} if moved else {}), median)


def _mixed(
    row: ForecastRow,
    members: Sequence[ForecastRow],
    explained: Mapping[str, Mapping[int, Mapping[str, float]]],
) -> dict[str, float]:
    parts: dict[str, float] = {}
    for name, share in shares_of(row, members).items():
        for group, ms in explained[name][row.horizon].items():
            parts[group] = parts.get(group, 0.0) + share * ms
    base = parts.pop(BASE, row.quantiles_ms[MEDIAN_INDEX])
    return _whole(base, parts, row.quantiles_ms[MEDIAN_INDEX], rest=CALIBRATION)


def _corrected(parts: Mapping[str, float], mix: ForecastRow, final: ForecastRow) -> dict[str, float]:
    """The mix's parts and what moved ``final`` away from it: the agent, if it is in it."""
    moved = final.quantiles_ms[MEDIAN_INDEX] - mix.quantiles_ms[MEDIAN_INDEX]
    by = AGENT_PART if AGENT_CALIBRATED in (final.reasons or {}).get("weights", {}) else CALIBRATION
    return dict(parts) | ({by: parts.get(by, 0.0) + moved} if moved else {})


def _whole(
    base: float, parts: Mapping[str, float], median: float, rest: str | None = None
) -> dict[str, float]:
    """Base first, parts that are there, and under ``rest`` what the sum lacks."""
    kept = {group: ms for group, ms in parts.items() if ms or not group.startswith(JOURNAL)}
    if rest is not None:
        kept[rest] = median - base - math.fsum(kept.values())
    return {BASE: base} | kept
