"""The champion's life: named, refreshed, challenged, promoted, rolled back, exported.

Every change is first an event in the record, then MLflow's aliases, then the export. A process that is killed in
between leaves the later two behind the first; ``settle`` brings them into line, so nobody is ever half a champion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from hrv_shared.forecaster import Forecaster, find_forecasters
from hrv_shared.issue import Issue
from hrv_shared.store import Store
from model_training.champion_history import (
    Seat,
    champion_events,
    champion_seat,
    former_champions,
    record_event,
)
from model_training.errors import NoChampion, TrainingBusy
from model_training.exported_champion import export_champion, exported_seat
from model_training.ledger_duel import ledger_scores
from model_training.promotion import gate, watch

if TYPE_CHECKING:
    from model_training.tracking import Tracking

__all__ = ["after_training", "member_lock", "promote", "registry", "rollback", "settle", "watch_champion"]

Installed = Mapping[str, type[Forecaster]]
LOCK_WAIT_S = 120.0


@contextmanager
def member_lock(store: Store, member_id: str, *, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Only one process at a time trains or changes the champion of a member; a killed one holds nothing.

    Raises
    ------
    TrainingBusy
        Another one is at it, and did not end in time.
    """
    lock = FileLock(store.folder("models") / f".{member_id}.lock")
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise TrainingBusy(
            f"Another process is training or promoting for {member_id}. Wait until it has ended, then run again."
        ) from None
    try:
        yield
    finally:
        lock.release()


def promote(
    store: Store, issue: Issue, *, forecaster: str | None = None, force: bool = False, reason: str = "",
    installed: Installed | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Let the challenger (or ``forecaster``) take the champion's place, if the ledger says that it is better.

    Parameters
    ----------
    force : bool
        Whatever the gate says; ``reason`` is then recorded beside the gate's verdict.

    Returns
    -------
    dict
        changed, why, evidence, champion, challenger (as they stand afterwards).

    Raises
    ------
    NoChampion
        Nothing was trained yet, or ``forecaster`` is not registered.
    """
    from model_training.tracking import Tracking

    installed = find_forecasters() if installed is None else installed
    with member_lock(store, issue.member_id):
        _require_registry(store)
        tracking = Tracking(store, issue.member_id)
        champion, challenger = settle(store, issue, tracking, installed)
        if forecaster is not None:
            challenger = _loadable(tracking, installed).get(forecaster)
            if challenger is None:
                raise NoChampion(
                    f"Expected a registered forecaster, got {forecaster!r}; registered are "
                    f"{sorted(_loadable(tracking, installed))}. Run: python -m model_training train"
                )
        events = champion_events(store, issue.member_id)
        scores = ledger_scores(store, issue.member_id, issue.as_of)
        verdict = gate(scores, events, challenger, today=issue.origin_day, installed=set(installed))
        forced = force and not verdict.change and challenger not in (None, champion)
        if verdict.change or forced:
            why = f"Forced: {reason} (the gate: {verdict.why})" if forced else verdict.why
            by = "person" if forced else "gate"
            record_event(store, issue, "promotion", challenger, why, by=by, evidence=verdict.evidence)
            _follow_the_record(store, issue.member_id, tracking, challenger, champion)
            champion, challenger = challenger, champion
            return _told(True, why, verdict.evidence, champion, challenger)
    return _told(False, verdict.why, verdict.evidence, champion, challenger)


def rollback(
    store: Store, issue: Issue, *, force: bool = False, reason: str = "", installed: Installed | None = None
) -> dict[str, Any]:
    """Give the place back to a former champion if the present one has decayed; with ``force`` in any case.

    Returns
    -------
    dict
        As ``promote``.

    Raises
    ------
    NoChampion
        Nothing was trained yet; or forced, and there is no former champion to go back to.
    """
    installed = find_forecasters() if installed is None else installed
    with member_lock(store, issue.member_id):
        if not force:
            return watch_champion(store, issue, installed)
        from model_training.tracking import Tracking

        _require_registry(store)
        tracking = Tracking(store, issue.member_id)
        champion, _ = settle(store, issue, tracking, installed)
        loadable = _loadable(tracking, installed)
        former = [
            name for name in former_champions(champion_events(store, issue.member_id)) if name in loadable
        ]
        if not former:
            raise NoChampion(
                f"{champion} has no registered predecessor to go back to. To put another in its place: "
                "python -m model_training promote --forecaster NAME --force --reason WHY"
            )
        why = f"Forced: {reason}"
        record_event(store, issue, "rollback", loadable[former[0]], why, by="person")
        challenger = _follow_the_record(store, issue.member_id, tracking, loadable[former[0]], None, loadable)
        return _told(True, why, {}, loadable[former[0]], challenger)


def watch_champion(store: Store, issue: Issue, installed: Installed) -> dict[str, Any]:
    """Judge the champion by the ledger and roll it back when it has decayed; the caller holds the lock.

    MLflow is opened only when there is something to change.

    Returns
    -------
    dict
        As ``promote``; champion and challenger only when it changed.
    """
    events = champion_events(store, issue.member_id)
    if not events:
        raise NoChampion("No champion was named yet. Run: python -m model_training train")
    scores = ledger_scores(store, issue.member_id, issue.as_of)
    verdict = watch(scores, events, today=issue.origin_day, available=set(installed))
    if not verdict.change:
        return _told(False, verdict.why, verdict.evidence, champion_seat(events), None)
    from model_training.tracking import Tracking

    tracking = Tracking(store, issue.member_id)
    champion, challenger = settle(store, issue, tracking, installed)
    loadable = _loadable(tracking, installed)
    verdict = watch(scores, events, today=issue.origin_day, available=set(loadable))
    if not verdict.change:
        return _told(False, verdict.why, verdict.evidence, champion, challenger)
    heir = loadable[verdict.to]
    record_event(store, issue, "rollback", heir, verdict.why, by="watch", evidence=verdict.evidence)
    challenger = _follow_the_record(store, issue.member_id, tracking, heir, None, loadable)
    return _told(True, verdict.why, verdict.evidence, heir, challenger)


def after_training(
    store: Store,
    issue: Issue,
    tracking: Tracking,
    new: Mapping[str, Seat],
    ranked: Sequence[str],
    installed: Installed,
) -> tuple[Seat, Seat | None]:
    """Name the first champion, or give the present one its new fit; then aliases and export.

    Parameters
    ----------
    new : mapping
        Forecaster -> the version that this training registered.
    ranked : sequence of str
        Forecasters of ``new``, the best of the backtest first.

    Returns
    -------
    champion, challenger
    """
    events = champion_events(store, issue.member_id)
    present, best = champion_seat(events), new[ranked[0]]
    if present is None:
        record_event(store, issue, "first", best, "Lowest CRPS in the backtest.", by="training")
    elif present.forecaster in new:
        why = "The same forecaster, fitted on all that is known now."
        record_event(store, issue, "refresh", new[present.forecaster], why, by="training")
    elif present.forecaster not in installed or present.registered_version not in tracking.seats():
        lost = (
            "is no longer installed"
            if present.forecaster not in installed
            else "was lost and could not be fitted"
        )
        why = f"{present.forecaster} {lost}; lowest CRPS in the backtest."
        record_event(store, issue, "promotion", best, why, by="training")
    champion = champion_seat(champion_events(store, issue.member_id))
    others = [new[name] for name in ranked if name != champion.forecaster]
    challenger = others[0] if others else None
    _follow_the_record(store, issue.member_id, tracking, champion, challenger)
    return champion, challenger


def settle(store: Store, issue: Issue, tracking: Tracking, installed: Installed) -> tuple[Seat, Seat | None]:
    """Bring aliases and export into line with the record; the caller holds the lock.

    Returns
    -------
    champion, challenger

    Raises
    ------
    NoChampion
        Nothing is registered.
    """
    events = champion_events(store, issue.member_id)
    seats, loadable = tracking.seats(), _loadable(tracking, installed)
    champion = champion_seat(events)
    if (
        champion is None
        or champion.registered_version not in seats
        or seats[champion.registered_version] != champion
    ):
        champion = loadable.get(champion.forecaster) if champion is not None else None
        if champion is not None:
            record_event(
                store, issue, "refresh", champion, "The registry no longer had its version.", by="training"
            )
        elif loadable:
            champion = max(loadable.values(), key=tracking.skill)
            record_event(
                store, issue, "first", champion, "The registry had no champion; best backtest.", by="training"
            )
        else:
            raise NoChampion("Nothing is registered yet. Run: python -m model_training train")
    held = seats.get(tracking.aliases().get("challenger", -1))
    if held is not None and held.forecaster == champion.forecaster:
        held = None
    return champion, _follow_the_record(store, issue.member_id, tracking, champion, held, loadable)


def registry(store: Store, member_id: str) -> dict[str, Any]:
    """Champion, its history and its export, without MLflow.

    Returns
    -------
    dict
        champion, exported (whether its bytes lie in the store whole), events (oldest first).
    """
    events = champion_events(store, member_id)
    champion = champion_seat(events)
    return {
        "champion": None if champion is None else champion.describe(),
        "exported": champion is not None and exported_seat(store, member_id) == champion,
        "events": events,
    }


def _require_registry(store: Store) -> None:
    """Say so at once where nothing was ever trained; opening MLflow would make a database for it."""
    if not (store.home / "mlflow.db").exists():
        raise NoChampion("Nothing is registered yet. Run: python -m model_training train")


def _follow_the_record(
    store: Store, member_id: str, tracking: Tracking, champion: Seat, challenger: Seat | None,
    loadable: Mapping[str, Seat] | None = None,
) -> Seat | None:  # fmt: skip
    """Aliases and export after the record; without a challenger the best of the ``loadable`` becomes it."""
    if challenger is None and loadable:
        others = [seat for seat in loadable.values() if seat.forecaster != champion.forecaster]
        challenger = max(others, key=tracking.skill, default=None)
    tracking.set_aliases(champion, challenger, champion_events(store, member_id))
    if exported_seat(store, member_id) != champion:
        export_champion(store, member_id, champion, tracking.saved_file(champion), tracking.about(champion))
    return challenger


def _loadable(tracking: Tracking, installed: Installed) -> dict[str, Seat]:
    """Forecaster -> its newest registered version that the installed code made."""
    newest: dict[str, Seat] = {}
    for seat in tracking.seats().values():
        if seat.forecaster in installed and installed[seat.forecaster].version == seat.code:
            newest.setdefault(seat.forecaster, seat)
    return newest


def _told(
    changed: bool, why: str, evidence: dict[str, Any], champion: Seat | None, challenger: Seat | None
) -> dict[str, Any]:
    return {
        "changed": changed, "why": why, "evidence": evidence,
        "champion": None if champion is None else champion.describe(),
        "challenger": None if challenger is None else challenger.describe(),
    }  # fmt: skip
