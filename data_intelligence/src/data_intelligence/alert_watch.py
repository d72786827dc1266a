"""The watch: for every night of a grid and every kind, the probability, whether to say so, and since when.

A pure function of the nights and the journal. The live alert is its last row; the benchmark takes all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import polars as pl

from data_intelligence.alert_features import (
    SignTable,
    illness_signs,
    level_signs,
    overload_signs,
    said_by,
    strap_signs,
    travel_signs,
)  # fmt: skip
from data_intelligence.alert_models import AlertModel, alert_models
from data_intelligence.alert_rules import KINDS
from data_intelligence.level_shifts import Step
from data_intelligence.nightly_channels import NightlyChannels, told_days
from data_intelligence.strap_steps import StrapStep

__all__ = ["P_TOLD", "Watch", "watch_nights"]

P_TOLD = 0.97
"""Of what the wearer has said already; such rows are shown and never scored."""

TOLD_BACK = {"illness": 2, "travel": 2, "device_change": 7, "level_shift": 0, "overload": 0}
SAME_RUN, SAME_STEP, OVERLOAD_ECHO = 3, 10, 21
"""Raised days at most three apart are one alert; so are steps at most ten days apart."""


@dataclass(frozen=True)
class Watch:
    """Every kind's row for every night.

    Attributes
    ----------
    p : dict kind -> ndarray [N]
        NaN where nothing can be said.
    raised, told : dict kind -> bool ndarray [N]
    since : dict kind -> int ndarray [N]
        Row since which it is, -1 where nothing is raised.
    """

    nights: NightlyChannels
    signs: dict[str, SignTable]
    p: dict[str, np.ndarray]
    raised: dict[str, np.ndarray]
    told: dict[str, np.ndarray]
    since: dict[str, np.ndarray]
    steps: list[Step | None]
    strap: list[StrapStep | None]
    fresh_from: np.ndarray

    def raised_by(self, model: AlertModel) -> Watch:
        """The same with other thresholds of one kind."""
        raised, since = _raise(
            model, self.signs[model.kind], self.p[model.kind], self.told[model.kind], self.fresh_from
        )
        if model.kind == "level_shift":
            raised, since = _without_overload(raised, since, self.raised["overload"])
        return replace(
            self, raised={**self.raised, model.kind: raised}, since={**self.since, model.kind: since}
        )


def watch_nights(
    nights: NightlyChannels,
    journal: pl.DataFrame,
    moments: Sequence[datetime],
    models: Mapping[str, AlertModel] | None = None,
) -> Watch:
    """Watch every night.

    Parameters
    ----------
    journal : DataFrame
        Schema ``journal_facts``.
    moments : sequence of datetime [N]
        When each row is issued: of the journal a row sees what had been said by then.
    models : optional
        In place of those in force (the benchmark tunes with its own).
    """
    models = alert_models() if models is None else models
    told = {kind: _told(kind, nights, journal, moments) for kind in KINDS}
    none_fresh = np.zeros(len(nights), dtype=int)
    table, strap = strap_signs(nights)
    p = {"device_change": _probability(models["device_change"], table, told["device_change"])}
    raised, since = _raise(
        models["device_change"], table, p["device_change"], told["device_change"], none_fresh
    )
    fresh = _fresh_from(raised, since)
    ill = illness_signs(nights, _drank(journal), fresh)
    levels, steps = level_signs(nights)
    signs = {
        "illness": ill, "travel": travel_signs(nights), "overload": overload_signs(nights, ill.z["resting_hr_bpm"]),
        "level_shift": levels, "device_change": table,
    }  # fmt: skip
    p |= {k: _probability(models[k], signs[k], told[k]) for k in KINDS if k not in p}
    shown = {k: _raise(models[k], signs[k], p[k], told[k], fresh) for k in KINDS}
    shown["device_change"] = (raised, since)
    shown["level_shift"] = _without_overload(*shown["level_shift"], shown["overload"][0])
    return Watch(
        nights, signs, p, {k: s[0] for k, s in shown.items()}, told, {k: s[1] for k, s in shown.items()}, steps, strap,
        fresh,
    )  # fmt: skip


def alert_runs(watch: Watch, kind: str) -> list[tuple[int, int, int]]:
    """The distinct alerts of a kind as (first raised row, last raised row, row since which it is)."""
    runs: list[list[int]] = []
    stepped = kind in ("level_shift", "device_change")
    for i in np.flatnonzero(watch.raised[kind]):
        since = int(watch.since[kind][i])
        if runs and (abs(since - runs[-1][2]) <= SAME_STEP if stepped else i - runs[-1][1] <= SAME_RUN):
            runs[-1][1] = int(i)
        else:
            runs.append([int(i), int(i), since])
    return [(first, last, since) for first, last, since in runs]


def _probability(model: AlertModel, table: SignTable, told: np.ndarray) -> np.ndarray:
    return np.where(told, P_TOLD, model.probability(table.x))


def _raise(
    model: AlertModel, table: SignTable, p: np.ndarray, told: np.ndarray, fresh_from: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are raised, and the row since which each is: the step's own, or where its run began."""
    raised = model.speaks(table.x, p) | told
    if table.kind == "level_shift":
        raised &= ~((table.since >= 0) & (fresh_from > 0) & (np.abs(table.since - fresh_from) <= 4))
    since, run, last = np.full(len(p), -1), -1, -SAME_RUN - 1
    for i in np.flatnonzero(raised):
        stepped = table.kind in ("level_shift", "device_change") and table.since[i] >= 0
        if stepped:
            since[i] = table.since[i]
        elif i - last <= SAME_RUN:
            since[i] = run
        else:
            since[i] = table.since[i] if table.since[i] >= 0 else i
        run, last = since[i], i
    return raised, since


def _without_overload(
    raised: np.ndarray, since: np.ndarray, overloaded: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """No level shift within three weeks of an overload alert: the load explains it, and its end will undo it."""
    recent = np.array(
        [overloaded[max(0, i - OVERLOAD_ECHO) : i + 1].any() for i in range(len(raised))], dtype=bool
    )
    return raised & ~recent, np.where(recent, -1, since)


def _told(
    kind: str, nights: NightlyChannels, journal: pl.DataFrame, moments: Sequence[datetime]
) -> np.ndarray:
    said = told_days(journal, kind)
    return np.array(
        [
            said_by(said, day, moment, TOLD_BACK[kind])
            for day, moment in zip(nights.days, moments, strict=True)
        ],
        dtype=bool,
    )


def _drank(journal: pl.DataFrame) -> set[date]:
    facts = journal.filter(
        pl.col("behaviour") == "alcohol", pl.col("status") == "accepted", pl.col("kind") != "no"
    )
    return {f["night"] for f in facts.iter_rows(named=True) if f["amount"] is None or f["amount"] > 0}


def _fresh_from(raised: np.ndarray, since: np.ndarray) -> np.ndarray:
    """For each row the first row measured by the strap as it is now."""
    fresh, newest = np.zeros(len(raised), dtype=int), 0
    for i in range(len(raised)):
        if raised[i]:
            newest = max(newest, int(since[i]))
        fresh[i] = newest
    return fresh
