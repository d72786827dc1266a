"""Train: backtest every forecaster in both slots, fit it on all that is known, track it, look after the champion."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from hrv_shared.constants import HORIZONS, SLOTS
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import Forecaster, find_forecasters
from hrv_shared.history import History, load_history
from hrv_shared.issue import Issue, past_issues
from hrv_shared.record import canonical_json
from hrv_shared.store import Store, write_bytes_atomic
from model_training.backtest import backtest, metrics_of, ranked, reference_of
from model_training.champion_history import Seat, champion_events, champion_seat
from model_training.errors import NothingToTrain
from model_training.exported_champion import exported_seat
from model_training.lifecycle import after_training, member_lock, settle, watch_champion
from model_training.rolling import REFIT_DAYS, RollingOrigin

__all__ = ["last_training", "look_after", "train"]

Registered = Mapping[str, type[Forecaster]]
Fits = Mapping[str, Mapping[str, Forecaster]]
"""Forecaster -> slot -> fitted."""

BACKTEST_NIGHTS = 56
STRIDE = 2
"""Every second origin, morning and evening in turn: neighbours share most of their targets."""
TRAIN_EVERY_DAYS = 7
PATIENCE = 2
"""Costly forecasters are refitted half as often as in a replay."""


def train(
    store: Store,
    issue: Issue,
    *,
    forecasters: Registered | None = None,
    advance: Callable[[float], None] = lambda _amount: None,
) -> dict[str, Any]:
    """Backtest, fit, track and register every forecaster as of one issue; then look after the champion.

    The first champion is the best of the backtest. Later ones only come through ``promote``; a training gives the
    champion its newest fit, names the challenger (the best of the others), and rolls a decayed champion back.
    The same data and code are not trained twice; the earlier result is returned with ``already`` true. A training that
    was killed left nothing that counts; the next one clears it.

    Returns
    -------
    dict
        issue, key, already, origins, origins_by_slot, reference, champion and challenger (forecaster, code,
        registered_version), watch (what was found about the champion), forecasters (name -> metrics), refusals
        (who would not speak or broke off, and why), unregistered (name -> why), registered, session, seconds.

    Raises
    ------
    NothingToTrain
        No forecaster is registered, or all refuse.
    TrainingBusy
        Another process is training for the same member.
    """
    registered = find_forecasters() if forecasters is None else dict(forecasters)
    began = time.monotonic()
    with member_lock(store, issue.member_id):
        histories = {
            slot: load_history(store, issue.member_id, issue.as_of, issue.origin_day, slot) for slot in SLOTS
        }  # fmt: skip
        key = _key(histories, registered)
        held = _held(store, issue.member_id)
        if held is not None and held["key"] == key and champion_events(store, issue.member_id):
            return held | _looked_after(store, issue, registered) | {"already": True}
        fits, refusals = _fit_all(registered, histories)
        if not fits:
            why = "; ".join(refusals.values()) or "none is installed"
            raise NothingToTrain(f"None of the forecasters {sorted(registered)} could be fitted: {why}")
        scored, origins, faults = _backtest(store, issue, histories, registered, advance)
        result = _track(store, issue, histories, fits, registered, scored) | {
            "issue": issue.describe(), "key": key, "already": False, "origins": sum(origins.values()),
            "origins_by_slot": origins, "refusals": refusals | faults,
            "code": {name: forecaster.version for name, forecaster in registered.items()},
        }  # fmt: skip
        result |= _looked_after(store, issue, registered, result["challenger"])
        result["seconds"] = round(time.monotonic() - began, 1)
        write_bytes_atomic(_result_path(store, issue.member_id), canonical_json(result).encode())
    return result


def last_training(
    store: Store, issue: Issue, *, forecasters: Registered | None = None
) -> dict[str, Any] | None:
    """The last training's result while it is less than a week old at the issue and of the installed code."""
    held = _held(store, issue.member_id)
    if held is None or "code" not in held:
        return None
    age_days = (issue.origin_day - date.fromisoformat(held["issue"]["origin_day"])).days
    registered = find_forecasters() if forecasters is None else forecasters
    same = held["code"] == {name: forecaster.version for name, forecaster in registered.items()}
    return held if same and 0 <= age_days < TRAIN_EVERY_DAYS else None


def look_after(store: Store, issue: Issue) -> dict[str, Any]:
    """Judge the champion, and mend its aliases and export, without training; champion, challenger, watch."""
    with member_lock(store, issue.member_id):
        return _looked_after(store, issue, find_forecasters())


def _looked_after(
    store: Store, issue: Issue, registered: Registered, challenger: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The champion judged, its aliases and export in order: champion, challenger, watch."""
    if exported_seat(store, issue.member_id) != champion_seat(champion_events(store, issue.member_id)):
        from model_training.tracking import Tracking

        settle(store, issue, Tracking(store, issue.member_id), registered)
    found = watch_champion(store, issue, registered)
    watch = {key: found[key] for key in ("changed", "why", "evidence")}
    told = {"champion": found["champion"], "watch": watch}
    if found["challenger"] is not None or challenger is not None:
        told["challenger"] = found["challenger"] or challenger
    return told


def _result_path(store: Store, member_id: str) -> Path:
    return store.folder("models") / f"training-{member_id}.json"


def _held(store: Store, member_id: str) -> dict[str, Any] | None:
    path = _result_path(store, member_id)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _fit_all(
    registered: Registered, histories: Mapping[str, History]
) -> tuple[dict[str, dict[str, Forecaster]], dict[str, str]]:
    fits, refusals = {}, {}
    for name, forecaster in registered.items():
        try:
            if hasattr(
                forecaster, "prepare"
            ):  # weights are fetched here or never: a forecast asks no network
                forecaster().prepare()
            fits[name] = {slot: forecaster().fit(history) for slot, history in histories.items()}
        except Refusal as refusal:
            refusals[name] = str(refusal)
        except (
            Exception
        ) as error:  # a forecaster may be anybody's; its fault must not end the others' training
            refusals[name] = f"{name} broke off with {type(error).__name__}. Mend or uninstall it."
    return fits, refusals


def _backtest(
    store: Store, issue: Issue, histories: Mapping[str, History], registered: Registered, advance: Callable
) -> tuple[pl.DataFrame, dict[str, int], dict[str, str]]:
    span = BACKTEST_NIGHTS + PATIENCE * REFIT_DAYS
    days, journal = store.read_table("days"), store.read_table("journal_facts")
    issues = {
        slot: past_issues(store, issue.member_id, nights=span, slot=slot, before=issue) for slot in SLOTS
    }
    wanted = {
        slot: issues[slot][-BACKTEST_NIGHTS:][k * STRIDE // len(SLOTS) :: STRIDE] for k, slot in enumerate(SLOTS)
    }  # fmt: skip
    total = max(sum(map(len, wanted.values())), 1)
    scored, faults = [], {}
    for slot in SLOTS:
        rolling = RollingOrigin(days, journal, issues[slot], patience=PATIENCE)
        own, broken = backtest(
            rolling, registered, wanted[slot], histories[slot], advance=lambda a: advance(a / total)
        )
        scored.append(own)
        faults |= broken
    return pl.concat(scored), {slot: len(own) for slot, own in wanted.items()}, faults


def _track(
    store: Store, issue: Issue, histories: Mapping[str, History], fits: Fits, registered: Registered,
    scored: pl.DataFrame,
) -> dict[str, Any]:  # fmt: skip
    """One parent run, nested runs, the best registered, champion and challenger named."""
    from model_training.tracking import REGISTERED_MOST, Tracking
    from model_training.training_environment import training_environment
    from model_training.training_plots import plot_calibration, plot_crps_by_horizon

    tracking = Tracking(store, issue.member_id)
    tracking.clear_unfinished()
    reference = reference_of(scored)
    metrics = {name: metrics_of(scored, name, reference) for name in fits}
    order = ranked(scored, list(fits))
    champion = champion_seat(champion_events(store, issue.member_id))
    spoke = [name for name in order if metrics[name]["n"]] or order
    kept = set(spoke[:REGISTERED_MOST]) | (
        {champion.forecaster} & set(spoke) if champion is not None else set()
    )
    environment = training_environment()
    shared = {
        "slots": ",".join(SLOTS), "as_of": issue.as_of.isoformat(), "origin_day": issue.origin_day.isoformat(),
        "scored_nights": len(histories[SLOTS[0]].scored_nights()), "backtest_nights": BACKTEST_NIGHTS, "stride": STRIDE,
        "patience": PATIENCE, "reference": reference,
    }  # fmt: skip
    digests = {
        "days": _digest(histories[SLOTS[-1]].days),
        "journal_facts": _digest(histories[SLOTS[-1]].journal),
    }
    tags = {
        "origin_day": shared["origin_day"], "as_of": shared["as_of"],
        "input_digest": hashlib.sha256(canonical_json(digests).encode()).hexdigest(),
        "git_commit": str(environment["git_commit"]), "lock_sha256": str(environment["lock_sha256"]),
        "python": environment["python"],
    }  # fmt: skip
    seats: dict[str, Seat] = {}
    unregistered: dict[str, str] = {}
    parameters = shared | {"forecasters": ",".join(order)}
    with (
        tempfile.TemporaryDirectory() as folder,
        tracking.session(
            f"training-{shared['origin_day']}",
            params=parameters,
            tags=tags,
            data=digests,
            environment=environment,
        ) as session,
    ):
        for name in order:
            code = registered[name].version
            seat, why_not = tracking.log_forecaster(
                name,
                params=shared | {"forecaster": name, "version": code},
                metrics=metrics[name],
                tags=tags | {"session": session},
                card=_card(registered[name], metrics[name], reference, issue),
                table={"rows": json.loads(scored.filter(pl.col("forecaster") == name).write_json())},
                plots={"calibration": plot_calibration(scored, name, Path(folder) / "calibration.svg")},
                fits=fits[name] if name in kept else None,
            )
            if seat is not None:
                seats[name] = seat
            elif why_not is not None:
                unregistered[name] = why_not
        if not seats:
            raise NothingToTrain(f"None of the forecasters {order} could be registered: {unregistered}")
        tracking.log_summary(
            {f"skill_{name}": metrics[name]["skill"] for name in order if "skill" in metrics[name]},
            {"crps": plot_crps_by_horizon(scored, order, Path(folder) / "crps_by_horizon.svg")},
        )
    best_first = [name for name in order if name in seats]
    champion, challenger = after_training(store, issue, tracking, seats, best_first, registered)
    return {
        "reference": reference, "champion": champion.describe(),
        "challenger": None if challenger is None else challenger.describe(),
        "forecasters": metrics, "registered": len(tracking.versions()), "unregistered": unregistered,
        "session": session,
    }  # fmt: skip


def _card(
    forecaster: type[Forecaster], metrics: dict[str, float], reference: str | None, issue: Issue
) -> str:
    about = inspect.getdoc(sys.modules[forecaster.__module__]) or "No card."
    lines = [
        f"# {forecaster.name} {forecaster.version}", "", "```", about, "```", "",
        f"Backtest as of {issue.as_of.isoformat()}, rolling origin; skill against {reference}.", "",
        "| slot | night | n | CRPS ms | skill % | inside 80 % |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for slot in SLOTS:
        for h in HORIZONS:
            at = f"_{slot}_h{h}"
            crps, skill, cover = (metrics.get(f"{key}{at}") for key in ("crps_ms", "skill", "cover_80"))
            numbers = [_number(crps, 1, 2), _number(skill, 100, 1), _number(cover, 100, 0)]
            lines.append(f"| {slot} | {h} | {metrics.get(f'n{at}', 0.0):.0f} | {' | '.join(numbers)} |")
    return "\n".join([*lines, "", "One wearer's own data; says nothing about anybody else."])


def _number(value: float | None, scale: float, digits: int) -> str:
    return "" if value is None else f"{scale * value:.{digits}f}"


def _key(histories: Mapping[str, History], registered: Registered) -> str:
    """Digest of data and code; the moment of asking is not part of it."""
    versions = {name: forecaster.version for name, forecaster in registered.items()}
    seen = histories[SLOTS[-1]]
    parts = [seen.member_id, seen.origin_day.isoformat(), versions, _digest(seen.days), _digest(seen.journal)]
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()


def _digest(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_json().encode()).hexdigest()
