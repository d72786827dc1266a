"""Start, follow, end and read an experiment. No outcome is shown, to anybody, before the last night is known."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from data_intelligence.errors import ExperimentRefused
from data_intelligence.experiments.analysis import ANALYSIS_VERSION, Estimate, analyse
from data_intelligence.experiments.harmless import harmless_habit
from data_intelligence.experiments.nights import adjustment_of, followed, outcomes
from data_intelligence.experiments.plans import DAYS_ALLOWED, blocks_of, draw_plan, plan_set
from data_intelligence.experiments.power import ALPHA, power_table
from data_intelligence.experiments.records import Experiment, experiments_of, the_experiment, write_event
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue, current_issue
from hrv_shared.store import Store

__all__ = [
    "ANALYSIS_TEXT",
    "plan_experiment",
    "read_result",
    "start_experiment",
    "status_of",
    "stop_experiment",
]

MIN_NIGHTS_BEFORE, WAIT_DAYS = 28, 2
"""After so many days a last night that never came is given up."""

ANALYSIS_TEXT = (
    "ln RMSSD of the night after each evening, less weekday rhythm and strain of the day by numbers settled before, "
    "drawn in to 2.5 SD; least squares on the coin within blocks of four; two-sided randomisation test over the plans "
    f"that could have been drawn, found if p <= {ALPHA:g}; 90 % t interval; posterior with prior Normal(0, 6 %). By "
    "intention; per protocol beside it, never instead of it."
)


def plan_experiment(
    store: Store, member_id: str, behaviour: str, *, days: int, seed: int | None
) -> dict[str, Any]:
    """What would be started, with its power; nothing is written.

    Raises
    ------
    ExperimentRefused
        Not harmless, a bad length, one running already, old data, or too few nights to know the wearer's own spread.
    """
    habit = harmless_habit(behaviour)
    low, high = DAYS_ALLOWED
    if days % 2 or not low <= days <= high:
        raise ExperimentRefused(f"Expected --days as an even number from {low} to {high}, got {days}.")
    running = [e for e in experiments_of(store, member_id) if e.state == "running"]
    if running:
        raise ExperimentRefused(
            f"Expected no running experiment, but {running[0].name} runs until {running[0].last_night}. Wait for it, "
            "or end it: hrv experiment stop"
        )
    issue = current_issue(store, member_id)
    if issue.book != "live":
        raise ExperimentRefused(f"An experiment needs nights that keep coming in. {issue.note}")
    history = _history(store, issue)
    known = history.scored_nights().height
    if known < MIN_NIGHTS_BEFORE:
        raise ExperimentRefused(
            f"Expected {MIN_NIGHTS_BEFORE} scored nights to know your own spread, got {known}. Wear the strap a "
            "while longer."
        )
    seed = secrets.randbelow(2**31) if seed is None else seed
    first = issue.origin_day + timedelta(days=1 if issue.slot == "evening" else 0)
    fixed = adjustment_of(history)
    plan = draw_plan(days, first, seed)
    return {
        "behaviour": behaviour, "asks": habit.words, "leave_out": habit.leave_out, "first_evening": first.isoformat(),
        "last_night": (first + timedelta(days=days)).isoformat(), "days": days, "seed": seed,
        "plan": [bool(coin) for coin in plan], "possible_plans": len(plan_set(days, first, seed)),
        "adjustment": fixed.describe(), "power": power_table(fixed, days, first, seed),
        "analysis": {"version": ANALYSIS_VERSION, "text": ANALYSIS_TEXT, "alpha": ALPHA},
    }  # fmt: skip


def start_experiment(store: Store, member_id: str, plan: dict[str, Any]) -> Experiment:
    """Write a plan into the record; from then on plan and analysis are fixed."""
    write_event(store, member_id, f"{plan['behaviour']}:{plan['first_evening']}", "started", plan)
    return the_experiment(store, member_id)


def status_of(store: Store, member_id: str) -> dict[str, Any]:
    """This evening's coin and how the coin was followed; no outcome."""
    experiment = the_experiment(store, member_id)
    issue = current_issue(store, member_id)
    history = _history(store, issue)
    went = followed(experiment, history)
    known = np.isfinite(outcomes(experiment, history))
    today = issue.origin_day
    k = (today - experiment.first_evening).days
    habit = harmless_habit(experiment.behaviour)
    coin = experiment.plan[k] if experiment.state == "running" and 0 <= k < len(experiment.plan) else None
    asks = (
        None
        if coin is None
        else habit.words
        if coin
        else "as usual"
        if habit.leave_out
        else f"leave out {experiment.behaviour.replace('_', ' ')}"
    )
    return {
        "name": experiment.name, "behaviour": experiment.behaviour, "state": experiment.state,
        "first_evening": experiment.first_evening.isoformat(), "last_night": experiment.last_night.isoformat(),
        "day": today.isoformat(), "tonight": asks, "evenings": len(experiment.plan),
        "evenings_over": int(np.clip(k if issue.slot == "morning" else k, 0, len(experiment.plan))),
        "nights_known": int(known.sum()), "followed": int((went == 1).sum()), "not_followed": int((went == 0).sum()),
        "not_told": int(np.isnan(went[: max(0, min(k, len(went)))]).sum()),
    }  # fmt: skip


def stop_experiment(store: Store, member_id: str, reason: str = "abandoned") -> Experiment:
    """End the running experiment without a look at it; it will never count as tested.

    Raises
    ------
    ExperimentRefused
        None is running.
    """
    experiment = the_experiment(store, member_id)
    if experiment.state != "running":
        raise ExperimentRefused(
            f"Expected a running experiment; the last one ({experiment.name}) is {experiment.state}."
        )
    write_event(store, member_id, experiment.name, "ended", {"reason": reason, "at": _now(store)})
    return the_experiment(store, member_id)


def read_result(store: Store, member_id: str, *, abandon: bool = False) -> dict[str, Any]:
    """The result, computed once when the last night is known and then kept.

    Parameters
    ----------
    abandon : bool
        Look early: the experiment ends now, is marked as abandoned and never counts as tested.

    Raises
    ------
    ExperimentRefused
        It still runs (a look would bias it), or was stopped without a look.
    """
    experiment = the_experiment(store, member_id)
    if experiment.result is not None:
        return experiment.result
    issue = current_issue(store, member_id)
    history = _history(store, issue)
    y = outcomes(experiment, history)
    over = np.isfinite(y[-1]) or issue.origin_day >= experiment.last_night + timedelta(days=WAIT_DAYS)
    if experiment.state == "running" and not over and not abandon:
        raise ExperimentRefused(
            f"{experiment.name} runs until the night to {experiment.last_night}; a look before that would bias it, so "
            "there is none. To end it now and see what there is: hrv experiment result --abandon (it then never counts "
            "as tested)."
        )
    if experiment.state == "running":
        write_event(
            store,
            member_id,
            experiment.name,
            "ended",
            {"reason": "finished" if over else "abandoned", "at": _now(store)},
        )
        experiment = the_experiment(store, member_id)
    result = _result(experiment, history, y)
    write_event(store, member_id, experiment.name, "result", result)
    return result


def _result(experiment: Experiment, history: History, y: np.ndarray) -> dict[str, Any]:
    plan, days = experiment.coins(), len(experiment.plan)
    plans, blocks = plan_set(days, experiment.first_evening, experiment.seed), blocks_of(days)
    went = followed(experiment, history)
    intention = analyse(y, plan, plans, blocks)
    protocol = analyse(np.where(went == 1, y, np.nan), plan, plans, blocks)
    leave_out = harmless_habit(experiment.behaviour).leave_out
    return {
        "name": experiment.name, "behaviour": experiment.behaviour, "state": experiment.state,
        "leave_out": leave_out, "by_intention": intention.describe(), "per_protocol": protocol.describe(),
        "effect_of_doing": _of_doing(intention, leave_out), "found": _found(intention),
        "followed": int((went == 1).sum()), "not_followed": int((went == 0).sum()),
        "not_told": int(np.isnan(went).sum()), "analysis_version": experiment.started["analysis"]["version"],
    }  # fmt: skip


def _of_doing(estimate: Estimate, leave_out: bool) -> dict[str, float | None]:
    """The effect of doing the habit: the mirror image where the coin asked to leave it out."""
    names = (
        "effect_pct",
        "low90_pct",
        "high90_pct",
        "posterior_pct",
        "posterior_low90_pct",
        "posterior_high90_pct",
    )
    said = {name: getattr(estimate, name) for name in names}
    if not leave_out or estimate.effect_pct is None:
        return said
    turned = {name: round(100 * (1 / (1 + value / 100) - 1), 1) for name, value in said.items()}
    for low, high in (("low90_pct", "high90_pct"), ("posterior_low90_pct", "posterior_high90_pct")):
        turned[low], turned[high] = turned[high], turned[low]
    return turned


def _found(estimate: Estimate) -> bool | None:
    return None if estimate.p is None else bool(estimate.p <= ALPHA)


def _history(store: Store, issue: Issue) -> History:
    return load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)


def _now(store: Store) -> str:
    now: datetime = store.clock()
    return now.isoformat()
