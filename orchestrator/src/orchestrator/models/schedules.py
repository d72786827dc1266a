"""Training: looked for every hour, due once a week of nights. A machine that slept over Sunday trains when it wakes."""

from datetime import timedelta

import dagster as dg
import polars as pl

from hrv_shared.constants import STALE_AFTER_DAYS
from hrv_shared.store import Store
from orchestrator.jobs import weekly_training
from orchestrator.runner import MEMBER_TAG, RoomRunner
from orchestrator.store_view import last_training_day, members_of, training_is_due

__all__ = ["SCHEDULES", "training_when_due"]


@dg.schedule(
    job=weekly_training, cron_schedule="20 * * * *", execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)  # fmt: skip
def training_when_due(
    context: dg.ScheduleEvaluationContext, rooms: RoomRunner
) -> list[dg.RunRequest] | dg.SkipReason:
    """Train whoever's models are a week of nights old."""
    store = rooms.store()
    requests = []
    for member in members_of(store, rooms.settings()):
        newest = _newest_night(store, member)
        if training_is_due(last_training_day(store, member), newest):
            requests.append(dg.RunRequest(run_key=f"train-{member}-{newest}", tags={MEMBER_TAG: member}))
    return requests or dg.SkipReason("nobody's models are a week old")


def _newest_night(store: Store, member: str):
    """The newest scored night, if it is fresh enough to train on by itself."""
    days = store.read_table("days").filter(pl.col("member_id") == member, pl.col("state") == "scored")
    newest = days["day"].max()
    if newest is None or store.clock().date() - newest > timedelta(days=STALE_AFTER_DAYS):
        return None
    return newest


SCHEDULES = [training_when_due]
