"""Experiments in the record: facts of kind ``experiment``; started, ended and result are each written once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from data_intelligence.errors import ExperimentRefused
from data_intelligence.experiments.analysis import Adjustment
from hrv_shared.record import SEEN
from hrv_shared.store import Store

__all__ = [
    "EXPERIMENT_FACT",
    "Experiment",
    "experiments_of",
    "finished_experiments",
    "the_experiment",
    "write_event",
]

EXPERIMENT_FACT, SOURCE = "experiment", "data_intelligence"


@dataclass(frozen=True)
class Experiment:
    """One experiment as the record holds it.

    Attributes
    ----------
    plan : tuple of bool
        One coin for each evening from ``first_evening`` on; evening D acts on the night of D + 1.
    ended, result : dict, optional
        Payloads of those facts, once they are written.
    """

    behaviour: str
    first_evening: date
    plan: tuple[bool, ...]
    seed: int
    adjustment: Adjustment
    started: dict[str, Any]
    started_at: datetime
    ended: dict[str, Any] | None
    result: dict[str, Any] | None

    @property
    def name(self) -> str:
        """Its key in the record."""
        return f"{self.behaviour}:{self.first_evening}"

    @property
    def last_night(self) -> date:
        """The wake day of the last night that counts."""
        return self.first_evening + timedelta(days=len(self.plan))

    @property
    def state(self) -> str:
        """running, abandoned or finished."""
        if self.ended is None:
            return "running"
        return "finished" if self.ended["reason"] == "finished" else "abandoned"

    def coins(self) -> np.ndarray:
        """The plan as bool [D]."""
        return np.array(self.plan, dtype=bool)


def experiments_of(store: Store, member_id: str, as_of: datetime | None = None) -> list[Experiment]:
    """Every experiment of a member known at ``as_of``, oldest first."""
    events: dict[str, dict[str, Any]] = {}
    for fact in store.record.facts(EXPERIMENT_FACT, member_id, as_of):
        name, event = fact.key.rsplit(":", 1)
        events.setdefault(name, {}).setdefault(event, fact)
    found = []
    for parts in events.values():
        if "started" not in parts:
            continue
        said = parts["started"].payload
        fixed = said["adjustment"]
        found.append(
            Experiment(
                said["behaviour"], date.fromisoformat(said["first_evening"]), tuple(said["plan"]), said["seed"],
                Adjustment(**{**fixed, "weekday_ln": tuple(fixed["weekday_ln"])}), said, parts["started"].known_at,
                parts["ended"].payload if "ended" in parts else None,
                parts["result"].payload if "result" in parts else None,
            )
        )  # fmt: skip
    return sorted(found, key=lambda e: (e.started_at, e.name))


def the_experiment(store: Store, member_id: str) -> Experiment:
    """The one that runs, else the last one.

    Raises
    ------
    ExperimentRefused
        None was ever started.
    """
    found = experiments_of(store, member_id)
    if not found:
        raise ExperimentRefused(
            "Expected an experiment, but none was ever started. Start one: hrv experiment start BEHAVIOUR"
        )
    running = [e for e in found if e.state == "running"]
    return (running or found)[-1]


def write_event(store: Store, member_id: str, name: str, event: str, payload: dict[str, Any]) -> None:
    """Write one event of an experiment."""
    store.record.append(
        member_id,
        EXPERIMENT_FACT,
        f"{name}:{event}",
        payload,
        known_at=store.clock(),
        basis=SEEN,
        source=SOURCE,
    )


def finished_experiments(store: Store, member_id: str, as_of: datetime) -> dict[str, dict[str, Any]]:
    """Results of experiments that ran to their end, as far as they were known at ``as_of``.

    Returns
    -------
    dict of behaviour to dict
        ``effect_pct`` ``low90_pct`` ``high90_pct`` (of doing it, by intention, not shrunk), ``n`` nights, ``p`` by
        randomisation, ``posterior_pct`` with its ends, ``first_evening``, ``last_night``, ``key`` of the fact. The
        newest experiment on a behaviour counts; abandoned ones never do.
    """
    found: dict[str, dict[str, Any]] = {}
    for experiment in experiments_of(store, member_id, as_of):
        if experiment.state != "finished" or experiment.result is None:
            continue
        told = experiment.result["by_intention"]
        if told["effect_pct"] is None:
            continue
        of_doing = experiment.result["effect_of_doing"]
        found[experiment.behaviour] = {
            **of_doing, "n": told["n_yes"] + told["n_no"], "p": told["p"],
            "first_evening": experiment.first_evening.isoformat(), "last_night": experiment.last_night.isoformat(),
            "key": f"experiment/{experiment.name}:result",
        }  # fmt: skip
    return found
