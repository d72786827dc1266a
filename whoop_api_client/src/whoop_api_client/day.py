"""One full day from WHOOP: the night that ended on it, the cycle that this night opened, and all that lies in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hrv_shared.daytime import parse_offset_min, wake_day
from hrv_shared.store import Store
from whoop_api_client.client import WhoopClient
from whoop_api_client.models import COLLECTIONS, PENDING, Cycle, Recovery, Scored, Sleep, Workout
from whoop_api_client.notebook import Notebook
from whoop_api_client.received import Quarantined, examine
from whoop_api_client.sync import PullResult, only_pull

KCAL_PER_KJ = 1 / 4.184
BEFORE = timedelta(days=2)  # the night began up to a day before, in a zone up to 14 h ahead
AFTER = timedelta(days=3)  # a cycle lasts up to 53 h


def synchronise_day(
    store: Store, client: WhoopClient, day: date, *, member_id: str, connection: str
) -> tuple[PullResult, dict[str, Any]]:
    """Read everything around `day`, and write it into the record.

    Returns
    -------
    PullResult, dict
        What was done, and the summary of the day (see `summary`).
    """
    with only_pull(store):
        book = Notebook(store, member_id, connection)
        account = book.write_account(client)
        midnight = datetime.combine(day, time(), tzinfo=UTC)
        received = {kind: client.records(kind, midnight - BEFORE, midnight + AFTER) for kind in COLLECTIONS}
        for kind, records in received.items():
            book.write_page(kind, records)
        result = book.count_into(PullResult(member_id, "day"))
        shown = summary(day, received, account["body"], book.now())
    return result, shown


def summary(
    day: date, received: dict[str, list[dict[str, Any]]], body: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """The day in plain values with units; null where WHOOP has none.

    ``state`` is ``scored``, ``pending``, ``unscorable``, ``calibrating``, ``no_sleep`` (a cycle, but nobody slept with
    the strap on) or ``missing`` (WHOOP has nothing).
    """
    cycles: dict[int, Cycle] = {cycle.id: cycle for cycle in _checked("cycle", received, now)}
    sleeps: list[Sleep] = list(_checked("sleep", received, now))
    nights = [s for s in sleeps if not s.nap and wake_day(s.end, _offset_min(s, cycles)) == day]
    # two sleeps that end on one date: the longest counts, then the later (whoop_api.md 8.4)
    night = max(nights, key=lambda s: (s.end - s.start, s.start), default=None)
    cycle = cycles.get(night.cycle_id) if night and night.cycle_id is not None else None
    if night is None:
        slept = {s.cycle_id for s in sleeps if not s.nap}
        idle = [c for c in cycles.values() if c.id not in slept and wake_day(c.start, _minutes(c)) == day]
        cycle = max(idle, key=lambda c: c.start, default=None)
    recoveries: Iterable[Recovery] = _checked("recovery", received, now)
    recovery = next((r for r in recoveries if cycle is not None and r.cycle_id == cycle.id), None)
    naps = [s for s in sleeps if s.nap and cycle is not None and s.cycle_id == cycle.id]
    inside: Iterable[Workout] = _checked("workout", received, now)
    workouts = [
        w for w in inside if cycle and cycle.start <= w.start and (cycle.end is None or w.start < cycle.end)
    ]
    return {
        "day": day.isoformat(),
        "state": _state(night, cycle, recovery),
        "recovery": _recovery(recovery),
        "sleep": _sleep(night),
        "cycle": _cycle(cycle),
        "naps": [_sleep(nap) for nap in sorted(naps, key=lambda s: s.start)],
        "workouts": [_workout(workout) for workout in sorted(workouts, key=lambda w: w.start)],
        "body": {name: body.get(name) for name in ("height_meter", "weight_kilogram", "max_heart_rate")},
        "other_nights_on_this_day": max(len(nights) - 1, 0),
    }


def summary_text(shown: dict[str, Any]) -> str:
    """The summary as a few lines for people."""
    nothing = ": WHOOP has nothing of this day" if shown["state"] == "missing" else ""
    lines = [f"{shown['day']}  {shown['state']}{nothing}"]
    if recovery := shown["recovery"]:
        lines.append(
            f"  recovery  HRV {_round(recovery['hrv_rmssd_ms'], 1)} ms, resting HR "
            f"{_round(recovery['resting_hr_bpm'])} bpm, recovery {_round(recovery['recovery_pct'])} %"
        )
    if sleep := shown["sleep"]:
        lines.append(
            f"  sleep     {sleep['onset_at']} to {sleep['wake_at']}, asleep {_round(sleep['asleep_min'])} min"
        )
    if cycle := shown["cycle"]:
        running = " so far" if cycle["is_open"] else ""
        lines.append(
            f"  cycle     strain {_round(cycle['strain_0_21'], 1)}, {_round(cycle['energy_kcal'])} kcal{running}"
        )
    lines += [
        f"  nap       {nap['onset_at']}, asleep {_round(nap['asleep_min'])} min" for nap in shown["naps"]
    ]
    lines += [
        f"  workout   {w['sport']}, {_round(w['duration_min'])} min, strain {_round(w['strain_0_21'], 1)}"
        for w in shown["workouts"]
    ]
    return "\n".join(lines)


def _checked(kind: str, received: dict[str, list[dict[str, Any]]], now: datetime) -> Iterable[Any]:
    for raw in received[kind]:
        record = examine(kind, raw, now)
        if not isinstance(record, Quarantined):
            yield record


def _offset_min(sleep: Sleep, cycles: dict[int, Cycle]) -> int:
    # a sleep's own offset is today's for all history; the cycle's is that of the night (whoop_api.md 8.5)
    return _minutes(cycles.get(sleep.cycle_id, sleep))


def _minutes(record: Cycle | Sleep) -> int:
    return parse_offset_min(record.timezone_offset)


def _state(night: Sleep | None, cycle: Cycle | None, recovery: Recovery | None) -> str:
    if night is None:
        return "missing" if cycle is None else "no_sleep"
    subject: Scored = recovery or night
    if subject.score_state == PENDING or (recovery is None and night.score_state == "SCORED"):
        return "pending"
    if recovery is None or recovery.score is None or recovery.score.hrv_rmssd_milli is None:
        return "unscorable"
    return "calibrating" if recovery.score.user_calibrating else "scored"


def _recovery(recovery: Recovery | None) -> dict[str, Any] | None:
    if recovery is None or recovery.score is None:
        return None
    score = recovery.score
    return {
        "hrv_rmssd_ms": score.hrv_rmssd_milli,
        "resting_hr_bpm": score.resting_heart_rate,
        "recovery_pct": score.recovery_score,
        "spo2_pct": score.spo2_percentage,
        "skin_temp_c": score.skin_temp_celsius,
    }


def _sleep(sleep: Sleep | None) -> dict[str, Any] | None:
    if sleep is None:
        return None
    stages = sleep.score.stage_summary if sleep.score else None
    asleep = stages.asleep_milli if stages else None
    return {
        "onset_at": f"{sleep.start:%Y-%m-%dT%H:%M:%SZ}",
        "wake_at": f"{sleep.end:%Y-%m-%dT%H:%M:%SZ}",
        "asleep_min": None if asleep is None else asleep / 60_000,
        "resp_rate_rpm": sleep.score.respiratory_rate if sleep.score else None,
        "sleep_efficiency_pct": sleep.score.sleep_efficiency_percentage if sleep.score else None,
        "sleep_performance_pct": sleep.score.sleep_performance_percentage if sleep.score else None,
    }


def _cycle(cycle: Cycle | None) -> dict[str, Any] | None:
    if cycle is None:
        return None
    score = cycle.score
    return {
        "is_open": cycle.end is None,
        "strain_0_21": score.strain if score else None,
        "energy_kcal": score.kilojoule * KCAL_PER_KJ if score and score.kilojoule is not None else None,
        "avg_hr_bpm": score.average_heart_rate if score else None,
        "max_hr_bpm": score.max_heart_rate if score else None,
        "utc_offset_min": _minutes(cycle),
    }


def _workout(workout: Workout) -> dict[str, Any]:
    return {
        "sport": workout.sport_name,
        "start_at": f"{workout.start:%Y-%m-%dT%H:%M:%SZ}",
        "duration_min": (workout.end - workout.start).total_seconds() / 60,
        "strain_0_21": workout.score.strain if workout.score else None,
    }


def _round(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
