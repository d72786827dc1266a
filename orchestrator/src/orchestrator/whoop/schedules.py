"""Ask WHOOP every half hour: without a webhook nothing else tells of a new recovery."""

import dagster as dg

from orchestrator.jobs import collect

__all__ = ["SCHEDULES"]

SCHEDULES = [
    dg.ScheduleDefinition(
        name="pull_often", job=collect, cron_schedule="*/30 * * * *", execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
]  # fmt: skip
