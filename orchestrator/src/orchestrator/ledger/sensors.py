"""What starts a forecast: a recovery that is there, an evening whose journal is told or whose hour has come."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestrator.due import Due, due
from orchestrator.jobs import evening, morning
from orchestrator.runner import ISSUE_TAG, MEMBER_TAG, RoomRunner
from orchestrator.store_view import view_of

__all__ = ["SENSORS", "evening_due", "recovery_available", "run_request_of"]

LOOK_EVERY_S = 60
LONGEST_RUN = timedelta(minutes=20)
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]  # fmt: skip


@dg.sensor(job=morning, minimum_interval_seconds=LOOK_EVERY_S, default_status=dg.DefaultSensorStatus.RUNNING)
def recovery_available(context: dg.SensorEvaluationContext, rooms: RoomRunner) -> dg.SensorResult:
    """Last night is scored (or 16:00 has passed without): the morning's forecast."""
    return _ask(context, rooms, "morning")


@dg.sensor(job=evening, minimum_interval_seconds=LOOK_EVERY_S, default_status=dg.DefaultSensorStatus.RUNNING)
def evening_due(context: dg.SensorEvaluationContext, rooms: RoomRunner) -> dg.SensorResult:
    """A note was told this evening, or the wearer's hour has come: the evening's forecast."""
    return _ask(context, rooms, "evening")


def run_request_of(item: Due, run_key: str) -> dg.RunRequest:
    """The run for what is due: its day is the partition; member and issue are told once, for every step."""
    return dg.RunRequest(
        run_key=run_key, partition_key=item.day.isoformat(),
        tags={MEMBER_TAG: item.member_id, ISSUE_TAG: item.choice, "hrv/why": item.why},
    )  # fmt: skip


def _ask(context: dg.SensorEvaluationContext, rooms: RoomRunner, slot: str) -> dg.SensorResult:
    store = rooms.store()
    now = store.clock()
    wanted = [item for item in due(view_of(store, rooms.settings()), now) if item.slot == slot]
    new = [item for item in wanted if not _is_running(context.instance, item)]
    if not new:
        why = "a run for it is under way" if wanted else f"no {slot} forecast is due"
        return dg.SensorResult(skip_reason=why)
    return dg.SensorResult([run_request_of(item, item.run_key(now)) for item in new])


def _is_running(instance: dg.DagsterInstance, item: Due) -> bool:
    """Whether a young run is at it; an old one may be a dead one, and the ledger takes each row once anyway."""
    wanted = dg.RunsFilter(
        tags={MEMBER_TAG: item.member_id, ISSUE_TAG: item.choice}, statuses=_UNFINISHED,
        created_after=datetime.now(UTC) - LONGEST_RUN,
    )  # fmt: skip
    return instance.get_runs_count(wanted) > 0


SENSORS = [recovery_available, evening_due]
